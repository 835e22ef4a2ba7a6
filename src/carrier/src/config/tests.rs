use super::*;

const EXAMPLE: &str = include_str!("../../../../config/carrier.yaml");

/// What the example says beside the defaults.
const NEEDED: &str = r#"
listen: { cmpp: "0.0.0.0:7890", sgip: "0.0.0.0:8801", smgp: "0.0.0.0:8890" }
accounts:
  bank-mobile: { protocol: cmpp-3.0, id: "901234", secret: "change me" }
  bank-unicom:
    protocol: sgip-1.2
    id: bank
    secret: change me
    dial: { address: "192.0.2.10:8801", id: carrier, secret: change me too }
  bank-telecom: { protocol: smgp-3.0, id: "12345678", secret: "change me" }
"#;

fn faults(text: &str) -> String {
    let faults = read(text).unwrap_err();
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn the_example_says_every_default() {
    assert_eq!(read(EXAMPLE).unwrap(), read(NEEDED).unwrap());
    for key in [
        "control",
        "record",
        "seed",
        "node",
        "time_zone",
        "log",
        "format",
        "level",
        "timers",
        "answer",
        "sgip_answer",
        "tries",
        "probe",
        "login",
        "again",
        "number",
        "connections",
        "window",
        "rate",
        "sources",
        "duplex",
        "idle",
        "modes",
        "behaviour",
        "answer_codes",
        "unanswered",
        "report",
        "report_states",
        "report_elsewhere",
        "report_first",
        "report_lost",
        "report_twice",
        "disconnect",
        "after",
        "share",
        "at",
        "how",
        "pause",
    ] {
        let named = EXAMPLE.lines().any(|line| line.trim_start().starts_with(&format!("{key}:")));
        assert!(named, "the example has no `{key}`");
    }
}

#[test]
fn an_account_takes_from_the_common_behaviour_what_it_does_not_name() {
    let config = read(
        "listen: { cmpp: '127.0.0.1:0' }
behaviour: { answer: 5ms, answer_codes: { 8: 1 % }, disconnect: { share: 1 % } }
accounts:
  a: { protocol: cmpp-2.0, id: '1', secret: s, behaviour: { unanswered: 2 %, disconnect: { after: 7 } } }
  b: { protocol: cmpp-2.0, id: '2', secret: s, behaviour: { answer_codes: {} } }
",
    )
    .unwrap();
    let [a, b] = &config.accounts[..] else { panic!("two accounts") };
    assert_eq!(a.behaviour.answer, "5ms".parse().unwrap());
    assert_eq!(a.behaviour.answer_codes[&8], "1 %".parse().unwrap());
    assert_eq!(a.behaviour.unanswered, "2 %".parse().unwrap());
    assert_eq!(a.behaviour.disconnect.after, Some(7));
    assert_eq!(a.behaviour.disconnect.share, "1 %".parse().unwrap());
    assert!(b.behaviour.answer_codes.is_empty());
}

#[test]
fn sgip_waits_as_long_as_the_others_if_only_their_wait_is_named() {
    let waits = |timers: &str| {
        let timers = read(&format!("{NEEDED}\ntimers: {timers}\n")).unwrap().timers;
        (timers.answer.as_secs(), timers.sgip_answer.as_secs())
    };
    assert_eq!(waits("{}"), (60, 30));
    assert_eq!(waits("{ answer: 5s }"), (5, 5));
    assert_eq!(waits("{ answer: 5s, sgip_answer: 2s }"), (5, 2));
    assert_eq!(waits("{ sgip_answer: 2s }"), (60, 2));
}

#[test]
fn the_suffix_says_what_kind_of_file_the_record_is() {
    let record = |path: &str| read(&format!("{NEEDED}\nrecord: {path}\n")).unwrap().record;
    assert_eq!(record("/tmp/r.jsonl"), Some(RecordFile::Lines("/tmp/r.jsonl".into())));
    assert_eq!(record("/tmp/r.db"), Some(RecordFile::Sqlite("/tmp/r.db".into())));
    assert_eq!(record("off"), None);
}

#[test]
fn every_fault_is_told_at_once_with_its_line_and_advice() {
    insta::assert_snapshot!(faults(
        "listen: { cmpp: 7890, smpp: '127.0.0.1:2775' }
record: carrier.sqlite
time_zone: Mars/Olympus
log: { level: 'carrier=loud' }
behaviour:
  answer: 5
  answer_codes: { 0: 1 %, eight: 1 %, 8: 60 %, 9: 50 % }
  report_states: { TOOLONGS: 1 % }
  unanswered: 0.5
  disconnect: { at: now, how: gently }
accounts:
  a b: { protocol: cmpp-4.0, id: '1', secret: s }
  c: { protocol: cmpp-3.0, id: '9012345', secret: s, modes: [ send ], number: 'x', window: 0 }
  d: { protocol: smgp-3.0, id: 'd', secret: s, modes: [ sent ] }
  e: { protocol: sgip-1.2, id: 'e', secret: s, dial: { address: '192.0.2.1:1', id: e, secret: 'a secret of 19 bytes' } }
  f: { protocol: sgip-1.2, id: 'e', rate: 0 }
  g: { protocol: sgip-1.2, id: 'e', secret: s }
"
    ));
}

#[test]
fn a_file_without_accounts_or_without_sections_says_so() {
    insta::assert_snapshot!(format!("{}{}{}", faults("seed: 1"), faults("- a"), faults("a: [")));
}

#[test]
fn a_behaviour_is_read_alone_from_json_too() {
    let accounts = read(NEEDED).unwrap().accounts;
    let account = accounts.iter().find(|account| account.name == "bank-unicom").unwrap();
    let read = read_behaviour(r#"{"pause": true, "answer_codes": {"8": "1 %"}}"#, account).unwrap();
    assert!(read.pause);
    assert_eq!(read.report, account.behaviour.report);
    let faults = read_behaviour(r#"{"pose": true}"#, account).unwrap_err();
    assert_eq!(faults[0].advice, "did you mean `pause`?");
    let faults = read_behaviour(r#"{"answer_codes": {"300": "1 %"}}"#, account).unwrap_err();
    assert_eq!(faults[0].path.to_string(), "answer_codes.300");
}

#[test]
fn what_an_accounts_protocol_cannot_carry_is_a_fault() {
    insta::assert_snapshot!(faults(
        "listen: { cmpp: '127.0.0.1:0', sgip: '127.0.0.1:0', smgp: '127.0.0.1:0' }
behaviour:
  answer_codes: { 255: 1 %, 256: 1 % }
  report_states: { failed/256: 1 %, failed/255: 1 % }
accounts:
  a: { protocol: cmpp-2.0, id: '1', secret: s }
  b: { protocol: cmpp-3.0, id: '2', secret: a secret that may be as long as it likes }
  c: { protocol: sgip-1.2, id: '3', secret: 17 bytes and more, behaviour: { answer_codes: { 1000: 1 % } } }
  d: { protocol: sgip-1.2, id: '4', secret: s, behaviour: { answer_codes: {}, report_states: {} } }
  e: { protocol: smgp-3.0, id: '5', secret: s }
"
    ));
}
