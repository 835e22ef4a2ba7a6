//! Events for UAOPs. The name of a UAOP's node is that of its consumer.

use async_trait::async_trait;
use link::{Numbered, Teller};

use super::Peers;
use crate::events::LONGEST_WAIT;

#[async_trait]
impl Teller for Peers {
    async fn join(&self, consumer: &str) -> Result<i64, String> {
        self.events.join(consumer).await.map_err(|untold| untold.to_string())
    }

    async fn events(&self, consumer: &str, after: i64, most: usize) -> Result<Vec<Numbered>, String> {
        loop {
            // one that waits is there
            self.events.seen(consumer);
            let told = self.events.after(after, most, tokio::time::sleep(LONGEST_WAIT)).await;
            let told = told.map_err(|untold| untold.to_string())?;
            if !told.is_empty() {
                return Ok(told.into_iter().map(|(id, event)| Numbered { id, event }).collect());
            }
        }
    }

    async fn acknowledge(&self, consumer: &str, up_to: i64) -> Result<(), String> {
        self.events.acknowledge_more(consumer, up_to).await.map_err(|untold| untold.to_string())
    }
}
