//! The schema: by whom it is made, and by whom it is not touched.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use store::{Place, StoreError};

use super::engine::*;

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let engine = Engine::sqlite();
    drop(engine.open().await);
    let Place::Sqlite { folder } = engine.place() else { panic!("another engine") };
    let file = rusqlite::Connection::open(folder.join("empi.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = engine.try_open("a").await.err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: 1, .. }), "{refused}");
    assert!(!refused.is_passing());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let engine = Engine::postgres();
    drop(engine.open().await);
    let Engine::Postgres { server, database } = &engine else { panic!("another engine") };
    server.query(database, "UPDATE empi.schema_version SET number = 99").unwrap();
    let refused = engine.try_open("a").await.err().unwrap();
    assert_eq!(refused, StoreError::NewerSchema { schema: "empi".to_owned(), found: 99, known: 1 });
    assert!(!refused.is_passing());
}

#[tokio::test]
async fn nodes_that_start_together_make_one_schema() {
    let engine = Engine::postgres();
    let nodes: Vec<String> = (0..6).map(|number| format!("empi-{number}")).collect();
    let stores = join_all(nodes.iter().map(|node| engine.try_open(node))).await;
    let stores: Vec<_> = stores.into_iter().map(Result::unwrap).collect();
    let accepted = join_all(stores.iter().map(|store| store.accept((0..50).map(entry).collect()))).await;
    let new = accepted.into_iter().flat_map(Result::unwrap).filter(|a| *a == store::empi::Accepted::New);
    assert_eq!(new.count(), 50, "each is accepted by one of them");
    let mut waiting_somewhere = BTreeSet::new();
    for store in &stores {
        waiting_somewhere.extend(waiting(&**store).await);
    }
    assert_eq!(waiting_somewhere, ids(0..50).into_iter().collect());
}

#[tokio::test]
async fn a_user_without_the_right_to_make_a_schema_works_in_one_made_for_it() {
    let engine = Engine::postgres();
    let Engine::Postgres { server, database } = &engine else { panic!("another engine") };
    let user = format!("user_of_{database}");
    server.query(database, &format!("CREATE ROLE {user} LOGIN PASSWORD 'x'")).unwrap();
    let Place::Postgres(mut place) = engine.place() else { panic!("another engine") };
    place.url = place.url.replace("user=smsline", &format!("user={user}"));

    let open = async |password: &str| {
        let place = store::Postgres { password: Some(password.to_owned()), ..place.clone() };
        store::open_empi(&Place::Postgres(place), "a").await
    };
    let refused = open("y").await.err().unwrap();
    assert!(matches!(&refused, StoreError::Database { detail } if detail.starts_with("28P01")), "{refused}");
    let refused = open("x").await.err().unwrap();
    assert!(matches!(&refused, StoreError::Database { detail } if detail.starts_with("42501")), "{refused}");
    server.query(database, &format!("CREATE SCHEMA empi AUTHORIZATION {user}")).unwrap();
    let store = open("x").await.unwrap();
    store.accept(vec![entry(1)]).await.unwrap();
    open("x").await.unwrap();
}
