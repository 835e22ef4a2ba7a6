//! How tiers share the traffic.

use std::ops::Range;

use super::server::Server;
use crate::balance::maglev::Maglev;
use crate::config::{SpillOver, Tiers};

/// Servers of one priority.
#[derive(Debug)]
pub(super) struct Tier {
    pub priority: u8,
    /// Where they are in the pool.
    pub servers: Range<usize>,
    pub share: Share,
    pub load: Load,
    /// Memory of the round robin over tiers.
    pub current: i64,
    /// Built when it is needed.
    pub table: Option<Maglev>,
}

/// Servers of a tier, counted as servers, not by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub usable: u32,
    pub total: u32,
}

/// What a tier gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Of all new connections.
    pub percent: u32,
    /// Uses all its servers, whether healthy or not.
    pub panic: bool,
}

/// Tiers of servers that are sorted by priority.
pub(super) fn group(servers: &[Server]) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    for (position, server) in
        servers.iter().enumerate().filter(|(_, server)| !server.sorry && !server.retired)
    {
        let priority = server.settings.priority;
        match tiers.last_mut().filter(|tier| tier.priority == priority) {
            Some(tier) => tier.servers.end = position + 1,
            None => tiers.push(Tier {
                priority,
                servers: position..position + 1,
                share: Share::default(),
                load: Load::default(),
                current: 0,
                table: None,
            }),
        }
    }
    tiers
}

/// Counts each tier's usable servers, and what it gets therefore.
pub(super) fn settle(tiers: &mut [Tier], servers: &[Server], mode: Tiers) {
    for tier in tiers.iter_mut() {
        let servers = &servers[tier.servers.clone()];
        let usable = servers.iter().filter(|server| server.usable()).count();
        tier.share = Share { usable: count(usable), total: count(servers.len()) };
    }
    let shares: Vec<_> = tiers.iter().map(|tier| tier.share).collect();
    let loads = match mode {
        Tiers::Classic => classic(&shares),
        Tiers::SpillOver(settings) => spill_over(&shares, settings),
    };
    for (tier, load) in tiers.iter_mut().zip(loads) {
        tier.load = load;
    }
}

/// Everything to the first tier with a usable server.
fn classic(shares: &[Share]) -> Vec<Load> {
    let active = shares.iter().position(|share| share.usable > 0);
    (0..shares.len())
        .map(|tier| Load { percent: if Some(tier) == active { 100 } else { 0 }, panic: false })
        .collect()
}

/// Envoy's priority levels: integer percentages, the parts rounded to the nearest.
fn spill_over(shares: &[Share], settings: SpillOver) -> Vec<Load> {
    let health: Vec<u32> = shares.iter().map(|share| health(share, settings)).collect();
    let total = health.iter().sum::<u32>().min(100);
    let mut left = 100;
    let mut loads: Vec<Load> = shares
        .iter()
        .zip(&health)
        .map(|(share, &health)| {
            let percent = (health * 100 + total / 2).checked_div(total).unwrap_or(0).min(left);
            left -= percent;
            let panic =
                total < 100 && share.usable * 100 < share.total * u32::from(settings.panic_threshold_percent);
            Load { percent, panic }
        })
        .collect();
    // What rounding left over, or everything when nobody can carry anything.
    let first = health.iter().position(|&health| health > 0).unwrap_or(0);
    if let Some(load) = loads.get_mut(first) {
        load.percent += left;
    }
    loads
}

/// Share of all traffic that a tier can carry, in percent.
fn health(share: &Share, settings: SpillOver) -> u32 {
    let carried = u64::from(settings.overprovisioning_percent) * u64::from(share.usable);
    let percent = carried.checked_div(u64::from(share.total)).unwrap_or(0).min(100);
    u32::try_from(percent).unwrap_or(100)
}

fn count(servers: usize) -> u32 {
    u32::try_from(servers).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENVOY: SpillOver = SpillOver { overprovisioning_percent: 140, panic_threshold_percent: 50 };
    const NO_PANIC: SpillOver = SpillOver { panic_threshold_percent: 0, ..ENVOY };

    /// Loads of tiers of 100 servers, and which panic.
    fn loads(usable: &[u32], settings: SpillOver) -> (Vec<u32>, Vec<bool>) {
        let shares: Vec<_> = usable.iter().map(|&usable| Share { usable, total: 100 }).collect();
        spill_over(&shares, settings).into_iter().map(|load| (load.percent, load.panic)).unzip()
    }

    #[test]
    fn every_row_of_envoys_tables() {
        let table: [(&[u32], &[u32]); 8] = [
            (&[72, 72], &[100, 0]),
            (&[71, 71], &[99, 1]),
            (&[50, 50], &[70, 30]),
            (&[25, 100], &[35, 65]),
            (&[25, 25], &[50, 50]),
            (&[25, 100, 100], &[35, 65, 0]),
            (&[25, 25, 100], &[35, 35, 30]),
            (&[25, 25, 20], &[36, 36, 28]),
        ];
        for (usable, expected) in table {
            assert_eq!(loads(usable, NO_PANIC).0, expected, "{usable:?}");
        }
    }

    #[test]
    fn panic_needs_too_little_for_all_and_a_tier_below_the_threshold() {
        let table: [(&[u32], &[u32], &[bool]); 5] = [
            (&[5, 65], &[7, 93], &[true, false]),
            (&[25, 100], &[35, 65], &[false, false]),
            (&[25, 25], &[50, 50], &[true, true]),
            (&[50, 0], &[100, 0], &[false, true]),
            (&[0, 0], &[100, 0], &[true, true]),
        ];
        for (usable, percents, panics) in table {
            assert_eq!(loads(usable, ENVOY), (percents.to_vec(), panics.to_vec()), "{usable:?}");
        }
    }

    #[test]
    fn a_threshold_of_zero_never_panics() {
        assert_eq!(loads(&[0, 0], NO_PANIC), (vec![100, 0], vec![false, false]));
        assert_eq!(loads(&[5, 10], NO_PANIC).1, [false, false]);
    }

    #[test]
    fn classic_gives_all_to_the_first_usable_tier() {
        let shares =
            [Share { usable: 0, total: 2 }, Share { usable: 1, total: 9 }, Share { usable: 3, total: 3 }];
        let percents: Vec<_> = classic(&shares).iter().map(|load| load.percent).collect();
        assert_eq!(percents, [0, 100, 0]);
    }

    proptest! {
        #[test]
        fn loads_sum_to_100_and_a_dead_tier_beside_a_living_one_gets_nothing(
            shares in prop::collection::vec((0u32..20, 1u32..20), 1..6),
            overprovisioning_percent in 100u16..300,
        ) {
            let shares: Vec<_> =
                shares.iter().map(|&(usable, total)| Share { usable: usable.min(total), total }).collect();
            let loads = spill_over(&shares, SpillOver { overprovisioning_percent, ..ENVOY });
            prop_assert_eq!(loads.iter().map(|load| load.percent).sum::<u32>(), 100);
            if shares.iter().any(|share| share.usable > 0) {
                for (load, share) in loads.iter().zip(&shares) {
                    prop_assert!(share.usable > 0 || load.percent == 0);
                }
            }
        }
    }
}
