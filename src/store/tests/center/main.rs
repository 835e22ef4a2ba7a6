//! What every store of the center does, held against both engines; and what is tried on one of them with any facts.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod alarms;
mod engine;
mod facts;
mod forget;
mod joining;
mod order;
mod orders;
mod pages;
mod schema;

/// Runs each of these on each engine.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::engine::Engine::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::engine::Engine::postgres()).await;
            })*
        }
    };
}
use on_both;
