use settings::{Fault, Faults, add_lines, parse};

use super::*;

fn read(text: &str) -> Result<Option<PoolSettings>, Vec<String>> {
    let tree = parse(text).unwrap();
    let faults = Faults::default();
    let mut section = Section::open(&tree, &faults).unwrap();
    let settings = PoolSettings::read(&mut section, "uaops");
    section.finish();
    let mut faults = faults.into_vec();
    add_lines(text, &mut faults);
    if faults.is_empty() { Ok(settings) } else { Err(faults.iter().map(Fault::to_string).collect()) }
}

#[test]
fn what_is_left_out_has_its_default() {
    let short = "uaops: { servers: [{ name: vip1, address: '192.0.2.1:9400' }] }";
    let long = "
uaops:
  servers:
    - { name: vip1, address: '192.0.2.1:9400', weight: 100, priority: 1 }
  check: { interval: 500ms, timeout: 1s, rise: 2, fall: 2 }
  on_return: { drain: 10/s, jitter_percent: 20 }
  connect: 1s
  reconnect: { first: 50ms, most: 1s }
  window: 4096
";
    let settings = read(short).unwrap().unwrap();
    assert_eq!(read(long).unwrap().unwrap(), settings);
    let address = "192.0.2.1:9400".parse().map(Address::Socket).unwrap();
    let server = ServerSettings { name: "vip1".to_owned(), address, weight: 100, priority: 1 };
    assert_eq!(PoolSettings::new("uaops", vec![server]), settings);
}

#[test]
fn every_setting_is_read() {
    let settings = read(
        "
uaops:
  servers:
    - { name: vip1, address: 'uaop.example:9400', weight: 1, priority: 1 }
    - { name: vip2, address: '[2001:db8::1]:9400', weight: 1000, priority: 255 }
  check: { interval: 2s, timeout: 3s, rise: 4, fall: 5 }
  on_return: stay
  connect: 5s
  reconnect: { first: 1s, most: 2s }
  window: 10
",
    )
    .unwrap()
    .unwrap();
    let check = settings.pool.servers[1].check.clone().unwrap();
    assert_eq!((check.interval, check.timeout), (Duration::from_secs(2), Duration::from_secs(3)));
    assert_eq!((check.rise, check.fall), (4, 5));
    assert_eq!(settings.pool.on_return, OnReturn::Stay);
    assert_eq!(settings.pool.servers[1].weight, 1000);
    assert_eq!(settings.pool.servers[1].priority, 255);
    assert_eq!(settings.line.connect, Duration::from_secs(5));
    assert_eq!(settings.line.reconnect, (Duration::from_secs(1), Duration::from_secs(2)));
    assert_eq!(settings.line.window, 10);
    assert_eq!(settings.line.silence, Duration::from_secs(13));
}

#[test]
fn every_fault_is_told_at_once() {
    let faults = read(
        "
uaops:
  servers:
    - { name: vip1, address: '192.0.2.1' }
    - { name: a, address: '192.0.2.2:9400', weight: 0, priority: 0 }
    - { name: a, address: '192.0.2.2:9400', colour: red }
    - { address: '192.0.2.3:9400' }
  check: { interval: 0s, timeout: 1, rise: 0, fall: -1, type: http }
  on_return: later
  connect: 0s
  reconnect: { first: 2s, most: 1s }
  window: 0
",
    )
    .unwrap_err();
    insta::assert_snapshot!(faults.join("\n"));
    insta::assert_snapshot!(read("{}").unwrap_err().join("\n"));
    insta::assert_snapshot!(read("uaops: { servers: [] }").unwrap_err().join("\n"));
}
