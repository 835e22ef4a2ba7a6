use std::fs;

use serde_json::Value;

use crate::program::run;

const GATEWAY: &str = r#"
gateway: cm-1
spool: /var/lib/smsline/cm-1
accounts:
  - { name: cm-main, protocol: cmpp-2.0, server: "192.0.2.10:7890", id: "901234", secret: "1234", number: 1069000001 }
"#;

#[tokio::test]
async fn a_good_file_has_no_faults() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.yaml");
    fs::write(&file, GATEWAY).unwrap();
    let file = file.to_str().unwrap();
    let run = run(&["check", "gateway", "--config", file]).await;
    assert_eq!((run.code, run.out.as_str()), (Some(0), &*format!("{file}: no faults\n")), "{run:?}");
}

#[tokio::test]
async fn a_bad_file_has_its_faults_told_and_the_exit_code_64() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.yaml");
    fs::write(&file, GATEWAY.replace("spool", "spol")).unwrap();
    let file = file.to_str().unwrap();

    let plain = run(&["check", "gateway", "--config", file]).await;
    assert_eq!((plain.code, plain.out.as_str()), (Some(64), ""), "{plain:?}");
    let complaint = plain.complaint.replace(file, "FILE");
    assert!(complaint.starts_with("smsline: FILE:\n  line 2: `spool` is missing"), "{complaint}");
    assert!(complaint.ends_with("did you mean `spool`?\n2 faults\n"), "{complaint}");

    let json = run(&["check", "gateway", "--config", file, "--json"]).await;
    assert_eq!((json.code, json.complaint.as_str()), (Some(64), ""), "{json:?}");
    let faults: Vec<Value> = serde_json::from_str(&json.out).unwrap();
    assert_eq!(faults.len(), 2, "{faults:?}");

    // it does not serve by such a file either
    let served = run(&["gateway", "--config", file]).await;
    assert_eq!((served.code, served.complaint), (Some(64), plain.complaint));
}

#[tokio::test]
async fn each_role_has_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gateway.yaml");
    fs::write(&file, GATEWAY).unwrap();
    let run = run(&["check", "carrier", "--config", file.to_str().unwrap()]).await;
    assert_eq!(run.code, Some(64), "{run:?}");
    assert!(run.complaint.contains("`gateway` is not a key here"), "{run:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there_has_the_exit_code_64_too() {
    for command in [&["check", "gateway"][..], &["gateway"]] {
        let run = run(&[command, &["--config", "/nonexistent.yaml"]].concat()).await;
        assert_eq!(run.code, Some(64), "{run:?}");
        assert!(run.complaint.starts_with("smsline: /nonexistent.yaml: No such file"), "{run:?}");
    }
}
