//! A store of another program, and a store in use.

use store::StoreError;

use crate::engine::Engine;

#[tokio::test]
async fn a_file_of_a_newer_program_or_in_use_is_refused() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    assert!(matches!(engine.try_open().await.err().unwrap(), StoreError::InUse { .. }));
    drop(store);
    let Engine::Sqlite(folder) = &engine else { panic!("another engine") };
    let file = rusqlite::Connection::open(folder.path().join("center.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = engine.try_open().await.err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: 1, .. }), "{refused}");
}

#[tokio::test]
async fn a_damaged_row_is_named_and_not_quoted() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    store.join(vec![crate::facts::copy(1)], crate::facts::at(1)).await.unwrap();
    let Engine::Sqlite(folder) = &engine else { panic!("another engine") };
    let file = rusqlite::Connection::open(folder.path().join("center.db")).unwrap();
    file.execute("UPDATE messages SET journey = '{\"copy\":13800138000}'", []).unwrap();
    for refused in [
        store.message(&crate::facts::id(1)).await.err().unwrap(),
        store.join(vec![crate::facts::pushed(1, 1, 1)], crate::facts::at(1)).await.err().unwrap(),
    ] {
        assert!(matches!(refused, StoreError::Unreadable { table: "messages", key: 1, .. }), "{refused}");
        assert!(!refused.to_string().contains("138001"));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let engine = Engine::postgres();
    drop(engine.open().await);
    let Engine::Postgres { server, database } = &engine else { panic!("another engine") };
    server.query(database, "UPDATE center.schema_version SET number = 99").unwrap();
    let refused = engine.try_open().await.err().unwrap();
    assert_eq!(refused, StoreError::NewerSchema { schema: "center".to_owned(), found: 99, known: 1 });
}
