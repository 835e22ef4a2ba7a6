use serde_json::Value;

use crate::gateway::{self, Gateway};
use crate::program::run;

#[tokio::test]
async fn the_status_is_a_table_or_json() {
    let gateway = Gateway::start();
    let table = run(&["status", "--socket", &gateway.socket()]).await;
    assert_eq!(table.code, Some(0), "{table:?}");
    assert!(
        table.out.starts_with("gateway gw · smsline 1.2.3 · since 2026-09-21 14:13:20.000 · "),
        "{table:?}"
    );
    assert!(table.out.contains("cm-1"), "{table:?}");

    let json = run(&["status", "--socket", &gateway.socket(), "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), gateway::status());
}
