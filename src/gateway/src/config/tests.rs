use std::time::Duration;

use domain::lifecycle::WhenUncertain;
use domain::text::{Place, Signature};
use settings::Fault;

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/gateway.yaml");

/// What the example says, without anything that is a default.
const MINIMAL: &str = r#"
gateway: cm-1
spool: /var/lib/smsline/cm-1
accounts:
  - { name: cm-main, protocol: cmpp-2.0, server: "192.0.2.10:7890", id: "901234", secret: "1234", number: 1069000001 }
"#;

fn faults(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(Fault::to_string).collect()
}

fn account(keys: &str) -> Account {
    let text =
        format!("gateway: g\nspool: /s\naccounts:\n  - {{ name: a, server: \"192.0.2.1:1\", {keys} }}\n");
    read(&text).unwrap_or_else(|faults| panic!("{faults:#?}")).accounts.remove(0)
}

#[test]
fn the_defaults_shown_are_the_defaults() {
    assert_eq!(read(EXAMPLE).unwrap(), read(MINIMAL).unwrap());
}

#[test]
fn every_line_that_is_off_can_be_turned_on() {
    let unchanged = read(EXAMPLE).unwrap();
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let mut seen = 0;
    for (position, line) in lines.iter().enumerate() {
        let Some(setting) = line.trim_start().strip_prefix("#| ") else { continue };
        let text = turned_on(&lines, position, setting);
        let config = read(&text).unwrap_or_else(|faults| panic!("{setting}: {faults:#?}"));
        assert!(config != unchanged || setting.starts_with("secret_file"), "{setting}");
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} lines");
}

/// The line takes the place of the same key, if that is there; a list stands for all accounts.
fn turned_on(lines: &[&str], position: usize, setting: &str) -> String {
    if setting.starts_with("[ ") {
        return format!("gateway: g\nspool: /s\naccounts: {setting}");
    }
    let indent = lines[position].len() - lines[position].trim_start().len();
    let key = setting.split_once(':').unwrap().0.trim_end_matches("_file");
    let same = |line: &&str| {
        line.len() - line.trim_start().len() == indent && line.trim_start().starts_with(&format!("{key}:"))
    };
    let old = lines[..position].iter().rposition(same);
    let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if let Some(old) = old.filter(|_| !setting.starts_with("- ")) {
        text[old].clear();
    }
    text[position] = format!("{}{setting}", " ".repeat(indent));
    text.join("\n")
}

#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
gateway: "cm 1"
uplink: relative.sock
metrics: { listen: "0.0.0.0:8801" }
site: "a b"
link: { listen: "127.0.0.1:8801" }
consumers: { forget: 1m, most_events: 10 }
log: { level: info, format: xml }
queue: 0
keep: 0s
extra: 1
classes:
  - { name: otp, uncertain: sometimes }
  - { name: otp, uncertain: mark }
accounts:
  - { name: a, protocol: cmpp, server: "192.0.2.1:7890" }
  - { name: cm, protocol: cmpp-3.0, server: "192.0.2.300:7890", source: "::1", id: "9012345", secret: 123456, number: 10x, secert: abc, area: "010" }
  - { name: cm, protocol: cmpp-2.0, server: "192.0.2.1:7890", source: "::1", id: "901234", secret: "x", secret_file: /s, number: "1069", enterprise: "1234567", fee_type: "1", product: P, mode: transmit, window: 0, connections: 65, rate: 0 }
  - name: ct
    protocol: smgp-3.0
    server: "ct.example:8890"
    id: "123456789"
    secret: "1234567890123456"
    number: "118100"
    hours: ["08:00-25:00", "9-10", "08:00-08:00"]
    reference: 7
    signature: { at: top }
    slow_down: { least_rate: 200 }
    rate: 100
    reconnect: { first: 10s, most: 1s }
    timers: { tries: 0, idle_end: 5s, answr: 1s }
    listen: { address: "0.0.0.0:1" }
  - { name: cu1, protocol: sgip-1.2, server: "192.0.2.1:8801", id: i, secret: "s", number: "10655", enterprise: "123", timers: { idle: 1s } }
  - { name: cu2, protocol: sgip-1.2, server: "192.0.2.1:8801", id: i, secret: "s", number: "10655", enterprise: "12345", area: "010", node: 1, listen: { address: "192.0.2.2:8801", name: n, password: "12345678901234567", carriers: [192.0.2.0/33] } }
  - { name: cu3, protocol: sgip-1.2, server: "192.0.2.1:8801", id: i, secret: "s", number: "10655", enterprise: "12345", area: "10", listen: { address: "192.0.2.2:8801", name: n, password: "p", carriers: [] } }
"#;
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn no_fault_and_no_debug_output_shows_a_secret() {
    let secret = "Pa55w0rd";
    let right = format!("{MINIMAL}    \n").replace("\"1234\"", &format!("\"{secret}\""));
    let config = read(&right).unwrap();
    assert_eq!(config.accounts[0].logins[0].credentials.secret.0, secret);
    assert!(!format!("{config:?}").contains(secret));

    for wrong in ["secert", "secrets", "Secret", "passwrd"] {
        let text = MINIMAL.replace("secret: \"1234\"", &format!("secret: \"1\", {wrong}: {secret}"));
        let faults = faults(&text).join("\n");
        assert!(faults.contains(wrong) && !faults.contains(secret), "{faults}");
    }
    for wrong in [format!("secret: \"{secret}ß\""), format!("secret: {secret}, secret: {secret}")] {
        let faults = faults(&MINIMAL.replace("secret: \"1234\"", &wrong)).join("\n");
        assert!(faults.contains("***") && !faults.contains(secret), "{faults}");
    }
}

#[test]
fn cmpp_takes_all_that_it_has() {
    let cmpp = account(
        r#"protocol: cmpp-3.0, source: 192.0.2.9, id: "901234", secret: " !~", number: "+861069", enterprise: "000001",
           service: "S 1", fee_type: "02", fee_code: "000010", connections: 64, window: 1024, rate: 1000000,
           timers: { answer: 1s, tries: 1, idle: 1s, login: 1s, connect: 1s }, reconnect: { first: 2s, most: 2s },
           slow_down: { pause: 1ms, least_rate: 1000000, recovery: 1ms }, retry: { first: 1s, most: 1h },
           hours: "22:00-24:00", coding: gb18030, reference: 16, most_parts: 255, mo_wait: 1s,
           signature: { text: "【银行】", at: end }"#,
    );
    assert_eq!(cmpp.logins.len(), 64);
    assert_eq!(cmpp.logins[0].credentials.version.0, 0x30);
    assert_eq!(cmpp.number.digits(), "861069");
    assert_eq!(cmpp.profile.enterprise.as_bytes(), b"000001");
    assert_eq!(
        (cmpp.profile.fee_type.as_bytes(), cmpp.profile.fee_code.as_bytes()),
        (&b"02"[..], &b"000010"[..])
    );
    assert_eq!(cmpp.hours.spans, [(22 * 60, 24 * 60)]);
    assert_eq!(cmpp.text.signature.unwrap(), Signature { text: "【银行】".to_owned(), place: Place::End });
    assert_eq!(cmpp.timers.idle_end, None);
}

#[test]
fn smgp_logs_in_once_more_to_receive() {
    let smgp = |mode: &str| {
        account(&format!(
            "protocol: smgp-3.0, id: \"12345678\", secret: \"s\", number: 118, connections: 2, product: P{mode}"
        ))
    };
    let modes = |account: Account| -> Vec<(u8, bool)> {
        account.logins.iter().map(|login| (login.credentials.mode, login.sends)).collect()
    };
    assert_eq!(modes(smgp("")), [(2, true), (2, true)]);
    assert_eq!(modes(smgp(", mode: send-and-receive")), [(0, true), (0, true), (1, false)]);
    assert_eq!(smgp("").profile.enterprise.as_bytes(), b"12345678");
}

#[test]
fn the_node_of_sgip_is_given_or_made_of_area_and_enterprise() {
    let sgip = |node: &str| {
        account(&format!(
            r#"protocol: sgip-1.2, id: "a name of 16 byt", secret: "s", number: 10655, enterprise: "12345", {node},
               listen: {{ address: "[::]:8801", name: smg, password_file: /p, carriers: ["2001:db8::/32", 192.0.2.1] }}"#
        ))
    };
    for node in ["area: \"010\"", "area: \"0100\"", "node: 3010012345"] {
        let account = sgip(node);
        assert_eq!(account.profile.node, 3_010_012_345, "{node}");
        assert_eq!(account.logins[0].credentials.node, 3_010_012_345, "{node}");
    }
    let account = sgip("area: \"0755\"");
    assert_eq!(account.profile.node, 3_075_512_345);
    assert_eq!((account.logins[0].credentials.mode, account.window), (1, 32));
    assert_eq!(account.timers.idle_end, Some(Duration::from_secs(60)));
    assert_eq!(account.listen.unwrap().carriers.len(), 2);
}

#[test]
fn a_class_without_a_policy_of_its_own_has_the_default() {
    let classes = |list: &str| read(&format!("{MINIMAL}classes: [{list}]\n")).unwrap().classes;
    let policy = |list: &str, class: &str| classes(list).uncertain(&class.parse().unwrap());
    assert_eq!(policy("", "otp"), WhenUncertain::Resend);
    let list = "{ name: otp, uncertain: resend }, { name: default, uncertain: mark }";
    assert_eq!((policy(list, "otp"), policy(list, "notice")), (WhenUncertain::Resend, WhenUncertain::Mark));
}
