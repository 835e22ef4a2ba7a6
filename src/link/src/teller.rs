//! Events, from the side that has them.

use async_trait::async_trait;

/// An event as its gateway stored it: JSON of [`domain::Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Grows by one.
    pub id: i64,
    pub event: Vec<u8>,
}

/// Tells events. Each consumer (the node of a UAOP) gets all of them, in order, from the first that it has not acknowledged.
#[async_trait]
pub trait Teller: Send + Sync + 'static {
    /// Makes the consumer known, so that nothing it lacks is deleted. Returns up to where it has acknowledged.
    ///
    /// # Errors
    /// For a person: why not.
    async fn join(&self, consumer: &str) -> Result<i64, String>;

    /// Events after this one, at least one, at most `most`; waits for them.
    ///
    /// # Errors
    /// They cannot be read.
    async fn events(&self, consumer: &str, after: i64, most: usize) -> Result<Vec<Numbered>, String>;

    /// The consumer has everything up to here.
    ///
    /// # Errors
    /// It cannot be noted.
    async fn acknowledge(&self, consumer: &str, up_to: i64) -> Result<(), String>;
}
