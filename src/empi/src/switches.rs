//! What happens to the pool of UAOPs: metrics, alarms.

use std::sync::Arc;

use domain::alarm::Severity;
use link::News;
use tokio::sync::mpsc;

use crate::alarms::Alarms;
use crate::metrics::Families;

/// Watches the pool.
pub struct Switches {
    /// The tier that is used when all is well.
    pub primary: u8,
    /// Which pool, for people: this node's.
    pub of: String,
    pub families: Arc<Families>,
    pub alarms: Arc<Alarms>,
}

impl Switches {
    pub async fn watch(self, mut news: mpsc::UnboundedReceiver<News>) {
        while let Some(news) = news.recv().await {
            self.note(news);
        }
    }

    fn note(&self, news: News) {
        match news {
            News::Up { server } => {
                self.families.server_up.with_label_values(&[&server]).set(1);
                self.alarms.clear("uaop_down", &server, "it is usable again");
            }
            News::Down { server, reason } => {
                self.families.server_up.with_label_values(&[&server]).set(0);
                self.alarms.raise("uaop_down", &server, Severity::Warning, reason);
            }
            News::Tier { from, to } => {
                self.families.tier.set(to.unwrap_or(0).into());
                if from.is_some() {
                    self.families.switches.inc();
                }
                self.switched(from, to);
            }
        }
    }

    fn switched(&self, from: Option<u8>, to: Option<u8>) {
        let was = from.map_or_else(|| "none".to_owned(), |tier| format!("tier {tier}"));
        match to {
            Some(tier) if tier <= self.primary => {
                self.alarms.clear("pool_switched", &self.of, "the primary UAOPs are used again");
            }
            Some(tier) => {
                let text = format!("messages go to the UAOPs of tier {tier}, before to {was}");
                self.alarms.raise("pool_switched", &self.of, Severity::Warning, text);
            }
            None => {
                let text = format!("no UAOP is usable, before {was}; messages wait here");
                self.alarms.raise("pool_switched", &self.of, Severity::Critical, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use runtime::clock::WallClock;

    use super::*;
    use crate::testing::MemoryBus;

    #[tokio::test]
    async fn every_switch_is_told_and_the_way_back_ends_the_alarm() {
        let families = Arc::new(Families::new(&Registry::new()).unwrap());
        let clock = Arc::new(WallClock::default());
        let alarms = Arc::new(Alarms::new("a".to_owned(), "dc1".to_owned(), clock, Arc::clone(&families)));
        let (families, of) = (Arc::clone(&families), "bank-1/a".to_owned());
        let switches = Switches { primary: 1, of, families: Arc::clone(&families), alarms: Arc::clone(&alarms) };
        for (from, to) in [(None, Some(1)), (Some(1), Some(2)), (Some(2), None), (None, Some(2)), (Some(2), Some(1))] {
            switches.note(News::Tier { from, to });
        }
        switches.note(News::Down { server: "u1".to_owned(), reason: "refused".to_owned() });
        switches.note(News::Down { server: "u1".to_owned(), reason: "refused".to_owned() });
        let bus = MemoryBus::default();
        assert!(alarms.flush(&bus).await && alarms.flush(&bus).await);
        let told: Vec<(String, bool, Severity)> = bus
            .values::<domain::Alarm>(bus::ALARMS)
            .into_iter()
            .map(|alarm| (alarm.what, alarm.raised, alarm.severity))
            .collect();
        let switched = |raised, severity| ("pool_switched".to_owned(), raised, severity);
        assert_eq!(
            told,
            [
                switched(false, Severity::Info),
                switched(true, Severity::Warning),
                switched(true, Severity::Critical),
                switched(true, Severity::Warning),
                switched(false, Severity::Info),
                ("uaop_down".to_owned(), true, Severity::Warning),
            ]
        );
        assert_eq!((families.tier.get(), families.switches.get(), families.alarms.get()), (1, 3, 1));
    }
}
