use settings::Fault;

use super::*;

mod vrrp;

const PAIR: &str = r#"
metrics: { listen: "0.0.0.0:9100" }
admin: { socket: /run/lb/lb.sock }
listeners:
  - { name: bank, bind: "192.0.2.100:7099", pool: empi }
pools:
  - name: empi
    balance: round_robin
    check: { type: tcp, interval: 2s, timeout: 1s, rise: 2, fall: 3 }
    servers:
      - { name: empi-a, address: "192.0.2.21:7099", weight: 5, priority: 1 }
      - { name: empi-b, address: "192.0.2.22:7099", weight: 5, priority: 2 }
"#;

fn faults(text: &str) -> Vec<String> {
    compile(text, None).unwrap_err().iter().map(Fault::to_string).collect()
}

#[test]
fn the_example_of_the_card_is_understood() {
    let config = compile(PAIR, None).unwrap();
    assert_eq!(config.metrics.unwrap().listen, "0.0.0.0:9100".parse().unwrap());
    assert_eq!(config.listeners[0].binds, ["192.0.2.100:7099".parse().unwrap()]);
    assert!(config.listeners[0].freebind);
    let pool = &config.pools[0];
    assert_eq!((pool.servers[1].weight, pool.servers[1].priority), (5, 2));
    assert_eq!(pool.servers[0].check, pool.check);
    assert_eq!(pool.check.as_ref().unwrap().fall, 3);
    assert_eq!(pool.tiers, Tiers::Classic);
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
workers: none
metrics: { listen: "127.0.0.1:7001" }
admin: { soket: /run/lb.sock }
listeners:
  - { name: a, bind: "127.0.0.1:7000-7002", pool: one }
  - { name: a, bind: ["0.0.0.0:7002", "[::]:7002", "192.0.2.1:0"], pool: nowhere, idle_timeout: 5 }
  - { bind: "127.0.0.1:9-8" }
pools:
  - name: one
    balance: fastest
    check: { type: send_expect, expect_regex: "(", interval: 0s }
    servers:
      - { name: s, address: "192.0.2.300:1", weight: 2000 }
      - { name: s, address: "192.0.2.3:1", weight: 0 }
      - { name: t, address: "192.0.2.3:1", weight: 0, check: { prot: 1 } }
  - { name: two, servers: [], connect: { timeout: 9s, budget: 1s }, passive: { ejection: 10m } }
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn the_zero_weight_pool_and_the_empty_file() {
    let text = PAIR.replace("weight: 5", "weight: 0");
    assert_eq!(faults(&text).len(), 1, "{:?}", faults(&text));
    assert!(faults(&text)[0].contains("weight 0"), "{:?}", faults(&text));
    assert!(!faults("").is_empty());
}

#[test]
fn a_server_check_is_laid_over_the_pool_s() {
    let text = PAIR.replace("weight: 5, priority: 2", "check: { port: 8080, fall: 1 }");
    let pool = compile(&text, None).unwrap().pools.remove(0);
    let check = pool.servers[1].check.as_ref().unwrap();
    assert_eq!((check.port, check.fall, check.rise), (Some(8080), 1, 2));
    let text = PAIR.replace("weight: 5, priority: 2", "check: off");
    assert_eq!(compile(&text, None).unwrap().pools[0].servers[1].check, None);
}

#[test]
fn of_another_type_a_server_check_takes_only_what_means_the_same() {
    let check = |pool: &str, own: &str| {
        let text = PAIR
            .replace(
                "check: { type: tcp, interval: 2s, timeout: 1s, rise: 2, fall: 3 }",
                &format!("check: {{ {pool} }}"),
            )
            .replace("weight: 5, priority: 2", &format!("check: {{ {own} }}"));
        let config = compile(&text, None).unwrap_or_else(|faults| panic!("{pool} / {own}: {faults:?}"));
        config.pools[0].servers[1].check.clone().unwrap()
    };
    let common = "interval: 3s, fast_interval: 1s, down_interval: 4s, jitter_percent: 5, timeout: 900ms, rise: 4, \
                  fall: 5, start: down, address: 192.0.2.9, port: 81, proxy_protocol: v1";
    let tcp = check(&format!("type: http, path: /health, expect: ok, {common}"), "type: tcp");
    assert_eq!(tcp, check(&format!("type: tcp, {common}"), "type: tcp"));

    let kind = |pool: &str, own: &str| check(pool, own).kind;
    let http = "type: http, path: /health, method: HEAD, host: a.example, status: 204";
    assert_eq!(kind(http, "type: https"), kind(&http.replace("http,", "https,"), "type: https"));
    assert_eq!(kind("type: send_expect, expect: PONG", "type: http"), kind("type: http", "type: http"));
    assert_eq!(
        kind("type: https, path: /x, verify: false", "type: tls"),
        kind("type: tls, verify: false", "fall: 1")
    );
    assert_eq!(kind("type: command, program: /bin/true, args: [a]", "type: tcp"), CheckKind::Tcp);
    assert_eq!(kind("port: 81", "type: tls, verify: false"), kind("type: tls, verify: false", "fall: 1"));
}

/// It has nothing.
struct BareHost;

impl Host for BareHost {
    fn program(&self, _: &std::path::Path) -> Result<(), Problem> {
        Err(Problem::new("no program", "install it"))
    }

    fn ca_file(&self, _: &std::path::Path) -> Result<(), Problem> {
        Err(Problem::new("no certificates", "copy them"))
    }

    fn key_file(&self, _: &std::path::Path) -> Result<Vec<u8>, Problem> {
        Err(Problem::new("no key", "copy it"))
    }

    fn log_filter(&self, _: &str) -> Result<(), Problem> {
        Err(Problem::new("no filter", "write another"))
    }
}

#[test]
fn what_the_host_has_not_is_a_fault_at_its_place() {
    let text = r#"
listeners: [ { name: l, bind: "127.0.0.1:1", pool: p } ]
pools:
  - name: p
    check: { type: command, program: /bin/check }
    servers:
      - { name: a, address: "192.0.2.1:1", check: { fall: 1 } }
      - { name: b, address: "192.0.2.2:1", check: { type: tls, ca_file: /etc/ca.pem } }
nodes:
  x: {}
  y:
    log: { level: loud }
"#;
    check_all(text).unwrap();
    let faults: Vec<_> = check_all_for(text, &BareHost).unwrap_err().iter().map(Fault::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 5: pools[p].check.program: no program (here: \"/bin/check\"); install it",
            "line 8: pools[p].servers[b].check.ca_file: no certificates (here: \"/etc/ca.pem\"); copy them",
            "line 12: nodes.y.log.level: no filter (here: \"loud\"); write another",
        ]
    );
}

/// Faults of the file with these keys at the listener, and the listener if there are none.
fn listener(keys: &str) -> Result<Listener, Vec<String>> {
    let text = PAIR.replace("pool: empi }", &format!("pool: empi, {keys} }}"));
    let config =
        compile(&text, None).map_err(|faults| faults.iter().map(Fault::to_string).collect::<Vec<_>>());
    config.map(|mut config| config.listeners.remove(0))
}

#[test]
fn a_limit_is_off_or_not_zero() {
    let server = |limit: &str| {
        let text = PAIR.replace("weight: 5, priority: 2", &format!("max_connections: {limit}"));
        compile(&text, None).map(|mut config| config.pools.remove(0).servers.remove(1).max_connections)
    };
    for zero in ["max_connections: 0", "max_connections_per_source: 0", "idle_timeout: 0s", "max_age: 0s"] {
        let faults = listener(zero).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let key = zero.split(':').next().unwrap();
        assert!(faults[0].starts_with(&format!("line 5: listeners[bank].{key}: ")), "{faults:?}");
        assert!(faults[0].ends_with("; write `off`, or leave the key out, for no limit"), "{faults:?}");
    }
    assert!(server("0").unwrap_err()[0].to_string().contains("`off`"));

    let keys =
        ["max_connections", "max_connections_per_source", "rate_per_source", "idle_timeout", "max_age"];
    let off = listener(&keys.map(|key| format!("{key}: off")).join(", ")).unwrap();
    assert_eq!((off.max_connections, off.max_connections_per_source), (None, None));
    assert_eq!((off.rate_per_source, off.idle_timeout, off.max_age), (None, None, None));
    assert_eq!((server("off"), server("7")), (Ok(None), Ok(Some(7))));
}

#[test]
fn what_the_kernel_cannot_count_is_a_fault() {
    for keys in [
        "keepalive: { idle: 32768s }",
        "keepalive: { interval: 10h }",
        "keepalive: { idle: 1500ms }",
        "keepalive: { interval: 0s }",
        "user_timeout: 25days",
        "user_timeout: 0s",
        "user_timeout: 10us",
    ] {
        let faults = listener(keys).unwrap_err();
        assert_eq!(faults.len(), 1, "{keys}: {faults:?}");
        assert!(faults[0].contains("the kernel counts"), "{keys}: {faults:?}");
    }
    listener("keepalive: { idle: 32767s, interval: 32767s }, user_timeout: 24days").unwrap();
    assert_eq!(listener("user_timeout: off").unwrap().user_timeout, None);
}

/// Faults of the file with this check.
fn check_faults(check: &str) -> Vec<String> {
    let text = PAIR.replace("check: { type: tcp, interval: 2s, timeout: 1s, rise: 2, fall: 3 }", check);
    compile(&text, None).err().unwrap_or_default().iter().map(Fault::to_string).collect()
}

#[test]
fn a_check_that_can_never_be_made_is_a_fault() {
    for (check, path) in [
        ("{ type: command }", "pools[empi].check: `program` is missing"),
        ("{ type: command, program: check.sh }", "pools[empi].check.program"),
        ("{ type: http, path: health }", "pools[empi].check.path"),
        ("{ type: http, path: \"/a b\" }", "pools[empi].check.path"),
        ("{ type: http, method: \"GET /\" }", "pools[empi].check.method"),
        ("{ type: http, host: \"a b\" }", "pools[empi].check.host"),
        ("{ type: https, server_name: \"a.example:443\" }", "pools[empi].check.server_name"),
        ("{ type: tls, server_name: -a }", "pools[empi].check.server_name"),
        ("{ type: tcp, port: 0 }", "pools[empi].check.port"),
    ] {
        let faults = check_faults(&format!("check: {check}"));
        assert_eq!(faults.len(), 1, "{check}: {faults:?}");
        assert!(faults[0].contains(path) && faults[0].starts_with("line "), "{check}: {faults:?}");
    }
    assert_eq!(check_faults("agent: { port: 0 }").len(), 1);
    assert_eq!(
        check_faults(
            "check: { type: https, path: \"/h?a=1\", host: \"a.example:80\", server_name: 192.0.2.1 }"
        ),
        [""; 0]
    );
}

#[test]
fn one_file_serves_both_hosts() {
    let text = format!(
        "{PAIR}nodes:\n  lb-a: {{ metrics: {{ listen: \"192.0.2.11:9100\" }} }}\n  \
         lb-b: {{ pools: [ {{ name: empi, balance: random_two }} ] }}\n"
    );
    assert_eq!(node_names(&text), ["lb-a", "lb-b"]);
    let a = compile(&text, Some("lb-a")).unwrap();
    let b = compile(&text, Some("lb-b")).unwrap();
    assert_eq!(a.metrics.unwrap().listen, "192.0.2.11:9100".parse().unwrap());
    assert_eq!(b.pools[0].balance, Balance::RandomTwo);
    assert_eq!(b.pools[0].servers, a.pools[0].servers);
    let faults = compile(&text, Some("lb-c")).unwrap_err();
    assert!(
        faults[0].to_string().contains("this node is lb-c, and `nodes:` has lb-a, lb-b"),
        "{}",
        faults[0]
    );
    check_all(&text).unwrap();
    let broken = text.replace("random_two", "random_too");
    assert_eq!(check_all(&broken).unwrap_err().len(), 1);
}

#[test]
fn a_plan_names_what_changes_and_nothing_else() {
    let old = compile(PAIR, None).unwrap();
    assert!(Plan::between(&old, &old).is_empty());
    let text = PAIR
        .replace("weight: 5, priority: 2", "weight: 3, priority: 2")
        .replace("192.0.2.21:7099", "192.0.2.23:7099")
        .replace("\"192.0.2.100:7099\"", "\"192.0.2.100:7098-7099\"")
        .replace("0.0.0.0:9100", "0.0.0.0:9101");
    let new = compile(&text, None).unwrap();
    insta::assert_debug_snapshot!(Plan::between(&old, &new).changes);
}

#[test]
fn a_plan_speaks_the_language_of_the_file() {
    let lines = |from: &str, to: &str| {
        let (old, new) = (compile(from, None).unwrap(), compile(to, None).unwrap());
        let line = |change: &Change| match change {
            Change::Process { field, .. } => format!("{}: {} → {}", field.name, field.from, field.to),
            Change::PoolChanged { field, .. } => {
                format!("pool {}: {} → {}", field.name, field.from, field.to)
            }
            Change::ServerChanged { server, field, .. } => {
                format!("server {server} {}: {} → {}", field.name, field.from, field.to)
            }
            Change::ListenerChanged { field, .. } => {
                format!("listener {}: {} → {}", field.name, field.from, field.to)
            }
            other => format!("{other:?}"),
        };
        Plan::between(&old, &new).changes.iter().map(line).collect::<Vec<_>>()
    };
    let check = "check: { type: tcp, interval: 2s, timeout: 1s, rise: 2, fall: 3 }";

    // a server that follows its pool is not repeated; one with a check of its own is
    let own = PAIR.replace("weight: 5, priority: 2", "weight: 5, priority: 2, check: { port: 81 }");
    let slower = own.replace("interval: 2s", "interval: 5s");
    assert_eq!(
        lines(&own, &slower)[..3],
        [
            "pool check.interval: 2s → 5s",
            "pool check.fast_interval: 2s → 5s",
            "pool check.down_interval: 2s → 5s"
        ]
    );
    assert_eq!(lines(&own, &slower)[3], "server empi-b check.interval: 2s → 5s");
    assert_eq!(lines(&own, &slower).len(), 6);

    let unchecked = PAIR.replace(check, "check: off");
    insta::assert_snapshot!("a_check_that_is_turned_on", lines(&unchecked, PAIR).join("\n"));
    let other = PAIR
        .replace(
            check,
            "check: { type: https, path: /ok, status: [200, 204-206], expect: up, verify: false }",
        )
        .replace("round_robin", "least_connections\n    on_return: { drain: 20/s }\n    passive: off")
        .replace("pool: empi }", "pool: empi, rate_per_source: 5/10s, max_age: 1h, user_timeout: off }")
        .replace("0.0.0.0:9100", "0.0.0.0:9101");
    insta::assert_snapshot!("many_settings", lines(PAIR, &other).join("\n"));
}

#[test]
fn the_values_of_the_file_format() {
    let rate = |text: &str| {
        let text = PAIR.replace("pool: empi }", &format!("pool: empi, rate_per_source: {text} }}"));
        compile(&text, None).ok().and_then(|config| config.listeners[0].rate_per_source)
    };
    let seconds = std::time::Duration::from_secs;
    assert_eq!(rate("100/s"), Some(Rate { count: 100, per: seconds(1) }));
    assert_eq!(rate("5/10s"), Some(Rate { count: 5, per: seconds(10) }));
    assert_eq!(rate("0/s"), None);
    assert_eq!(rate("10"), None);
    let address = |text: &str| {
        compile(&PAIR.replace("192.0.2.22:7099", text), None)
            .ok()
            .map(|config| config.pools[0].servers[1].address.clone())
    };
    assert_eq!(
        address("Empi-B.example:7099"),
        Some(Address::Name { host: "empi-b.example".to_owned(), port: 7099 })
    );
    assert_eq!(address("[2001:db8::1]:1"), Some(Address::Socket("[2001:db8::1]:1".parse().unwrap())));
    for wrong in ["192.0.2.256:1", "host", "host:0", "ho st:1", ":1"] {
        assert_eq!(address(wrong), None, "{wrong}");
    }
}
