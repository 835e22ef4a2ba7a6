//! What follows from how the gateways and the bus stand: alarms, metrics, and whether EMPIs should come.

use std::sync::Arc;
use std::time::Duration;

use domain::{Carrier, Class, Target};
use link::Standing;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::alarms::{Alarms, What};
use crate::config::{Config, Ready};
use crate::gateways::{Board, Condition, Conditions, tier};
use crate::health::Health;
use crate::metrics::Metrics;

/// So long after the start nobody is missed yet.
const GRACE: Duration = Duration::from_secs(2);

/// Looks after every change.
pub struct Watch {
    pub config: Arc<Config>,
    pub board: Board,
    pub health: Health,
    pub alarms: Alarms,
    pub metrics: Arc<Metrics>,
    pub standing: watch::Sender<Standing>,
    pub stopping: watch::Receiver<bool>,
}

impl Watch {
    /// Ends when the process stops.
    pub async fn run(mut self) {
        let (mut board, mut health) = (self.board.subscribe(), self.health.changes());
        let grace = Instant::now() + GRACE;
        let mut settled = false;
        loop {
            let conditions = Arc::clone(&board.borrow_and_update());
            settled = settled || Instant::now() >= grace || conditions.values().all(Condition::is_ready);
            if *self.stopping.borrow_and_update() {
                self.say(Err("it stops".to_owned()));
                return;
            }
            self.say(self.fault(&conditions));
            self.measure(&conditions);
            if settled {
                self.alarm(&conditions);
            }
            tokio::select! {
                _ = board.changed() => {}
                () = health.next() => {}
                _ = self.stopping.changed() => {}
                () = tokio::time::sleep_until(grace), if !settled => {}
            }
        }
    }

    fn say(&self, fault: Result<(), String>) {
        let ready = fault.is_ok();
        let reason = fault.err().unwrap_or_default();
        self.metrics.ready.set(i64::from(ready));
        self.standing.send_if_modified(|standing| {
            let now = Standing { ready, reason };
            if *standing == now {
                return false;
            }
            tracing::info!(ready, reason = now.reason, "standing");
            *standing = now;
            true
        });
    }

    /// Why EMPIs should go elsewhere.
    fn fault(&self, conditions: &Conditions) -> Result<(), String> {
        if let Some(reason) = self.health.fault() {
            return Err(format!("the bus is away: {reason}"));
        }
        let is_down = |(_, targets): &(_, &Vec<Target>)| tier(targets, conditions) == 0;
        let down: Vec<String> =
            self.config.router.routes.iter().filter(is_down).map(|(key, _)| route_name(key)).collect();
        let fault = match self.config.ready {
            Ready::Any => !conditions.values().any(Condition::is_ready),
            Ready::EveryCarrier => !down.is_empty(),
        };
        if fault { Err(format!("no gateway takes messages for {}", down.join(", "))) } else { Ok(()) }
    }

    fn measure(&self, conditions: &Conditions) {
        for (name, condition) in conditions.iter() {
            let label = [name.as_str()];
            let (up, ready) = match condition {
                Condition::Ready => (1, 1),
                Condition::Unready { .. } => (1, 0),
                Condition::Away { .. } => (0, 0),
            };
            self.metrics.gateway_up.with_label_values(&label).set(up);
            self.metrics.gateway_ready.with_label_values(&label).set(ready);
        }
        for ((carrier, class), targets) in &self.config.router.routes {
            let class = class.as_ref().map_or("any", Class::as_str);
            let tier = i64::from(tier(targets, conditions));
            self.metrics.route_tier.with_label_values(&[carrier.as_str(), class]).set(tier);
        }
        self.metrics.bus_up.set(i64::from(self.health.fault().is_none()));
    }

    fn alarm(&self, conditions: &Conditions) {
        for (name, condition) in conditions.iter() {
            let away = condition.away_for().is_some();
            self.alarms.set(What::GatewayDown, name.as_str(), away, || match condition.reason() {
                Some(reason) if away => format!("gateway {name} is not connected: {reason}"),
                Some(_) | None => format!("gateway {name} is connected"),
            });
        }
        for (key, targets) in &self.config.router.routes {
            let (name, tier) = (route_name(key), tier(targets, conditions));
            let best = targets.iter().map(|target| target.priority).min().unwrap_or(0);
            self.alarms.set(What::RouteDown, &name, tier == 0, || {
                if tier == 0 {
                    format!("no gateway takes messages for {name}")
                } else {
                    format!("messages for {name} have a gateway")
                }
            });
            self.alarms.set(What::RouteOnBackup, &name, tier > best, || {
                if tier > best {
                    format!("messages for {name} go by gateways of tier {tier}, not {best}")
                } else {
                    format!("messages for {name} do not go by a lower tier")
                }
            });
            if key.1.is_none() {
                self.alarms
                    .set(What::NoRoute, key.0.as_str(), false, || format!("there is a route to {}", key.0));
            }
        }
        let fault = self.health.fault();
        let text = || fault.clone().unwrap_or_else(|| "the bus answers and takes records".to_owned());
        let node = &self.config.node;
        self.alarms.set(What::BusAway, node, fault.is_some(), text);
    }
}

/// `mobile`, or `mobile/verification`.
#[must_use]
pub fn route_name((carrier, class): &(Carrier, Option<Class>)) -> String {
    class.as_ref().map_or_else(|| carrier.to_string(), |class| format!("{carrier}/{class}"))
}
