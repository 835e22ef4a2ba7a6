//! What the two engines do, each in its way.

use std::sync::Arc;

use async_trait::async_trait;

use super::Joined;
use super::plan::Work;
use super::query::Query;
use super::value::Columns;
use crate::StoreError;
use crate::row::Strange;

/// Statements that follow from rows; may be asked for twice.
type Then = Arc<dyn Fn(&[Vec<Columns>]) -> Result<Vec<Query>, Strange> + Send + Sync>;

/// What is read and written in one transaction, alone.
#[derive(Clone)]
pub(super) struct Change {
    pub reads: Vec<Query>,
    /// What is to be written, from the rows of each of `reads`.
    pub then: Then,
}

/// How many rows each statement has read or written.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub read: Vec<usize>,
    pub written: Vec<u64>,
}

impl Change {
    pub(super) fn write(statements: Vec<Query>) -> Self {
        Self { reads: Vec::new(), then: Arc::new(move |_| Ok(statements.clone())) }
    }
}

#[async_trait]
pub(super) trait Engine: Send + Sync {
    async fn read(&self, query: Query) -> Result<Vec<Columns>, StoreError>;
    async fn change(&self, change: Change) -> Result<Changed, StoreError>;
    async fn work(&self, work: Work) -> Result<Joined, StoreError>;
    async fn ping(&self) -> Result<(), StoreError>;
    fn strange(&self, strange: Strange) -> StoreError;
}
