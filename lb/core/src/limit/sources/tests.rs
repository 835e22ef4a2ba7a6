use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn start() -> Instant {
    // The only source of an `Instant`; the tests count from it.
    #[expect(clippy::disallowed_methods, reason = "a point to count from")]
    Instant::now()
}

fn rate(count: u32, per_ms: u64) -> Rate {
    Rate { count, per: Duration::from_millis(per_ms) }
}

#[test]
fn connections_of_one_source_are_limited_and_others_are_not_touched() {
    let (mut table, now) = (SourceTable::default(), start());
    assert_eq!(table.admit(A, now, Some(2), None), Ok(()));
    assert_eq!(table.admit(A, now, Some(2), None), Ok(()));
    assert_eq!(table.admit(A, now, Some(2), None), Err(Refused::Connections));
    assert_eq!(table.admit(B, now, Some(2), None), Ok(()));
    table.release(A);
    assert_eq!(table.admit(A, now, Some(2), None), Ok(()));
    assert_eq!((table.live(A), table.live(B)), (2, 1));
}

#[test]
fn a_burst_of_count_then_one_by_one() {
    let (mut table, now) = (SourceTable::default(), start());
    let limit = Some(rate(3, 3000));
    let mut admit = |ms| table.admit(A, now + Duration::from_millis(ms), None, limit);
    for _ in 0..3 {
        assert_eq!(admit(0), Ok(()));
    }
    assert_eq!(admit(0), Err(Refused::Rate));
    assert_eq!(admit(999), Err(Refused::Rate));
    assert_eq!(admit(1000), Ok(()));
    assert_eq!(admit(1000), Err(Refused::Rate));
    assert_eq!(admit(3000), Ok(()));
    assert_eq!(admit(3000), Ok(()));
    assert_eq!(admit(3000), Err(Refused::Rate));
}

#[test]
fn a_rate_that_does_not_divide_allows_its_burst() {
    let (mut table, now) = (SourceTable::default(), start());
    for _ in 0..7 {
        assert_eq!(table.admit(A, now, None, Some(rate(7, 1000))), Ok(()));
    }
    assert_eq!(table.admit(A, now, None, Some(rate(7, 1000))), Err(Refused::Rate));
}

#[test]
fn what_is_refused_costs_nothing() {
    let (mut table, now) = (SourceTable::default(), start());
    assert_eq!(table.admit(A, now, Some(0), Some(rate(1, 1000))), Err(Refused::Connections));
    assert!(table.is_empty());
    assert_eq!(table.admit(A, now, Some(1), Some(rate(1, 1000))), Ok(()));
    assert_eq!(table.admit(A, now, Some(2), Some(rate(1, 1000))), Err(Refused::Rate));
    assert_eq!(table.live(A), 1);
}

#[test]
fn a_mapped_source_is_the_same_source() {
    let (mut table, now) = (SourceTable::default(), start());
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    assert_eq!(table.admit(A, now, Some(1), None), Ok(()));
    assert_eq!(table.admit(mapped, now, Some(1), None), Err(Refused::Connections));
    table.release(mapped);
    assert!(table.is_empty());
}

#[test]
fn a_faster_rate_holds_at_once_after_a_reload() {
    let (mut table, now) = (SourceTable::default(), start());
    assert_eq!(table.admit(A, now, None, Some(rate(1, 3_600_000))), Ok(()));
    assert_eq!(table.admit(A, now, None, Some(rate(10, 1000))), Err(Refused::Rate));
    let later = now + Duration::from_millis(100);
    assert_eq!(table.admit(A, later, None, Some(rate(10, 1000))), Err(Refused::Rate));
}

#[test]
fn only_sources_of_which_nothing_needs_to_be_known_are_forgotten() {
    let (mut table, now) = (SourceTable::default(), start());
    let second = Duration::from_secs(1);
    for n in 0..100 {
        let source = IpAddr::V6(Ipv6Addr::from(n));
        table.admit(source, now, None, Some(rate(2, 1000))).unwrap();
        table.release(source);
    }
    table.admit(A, now, None, None).unwrap();
    table.expire(now + second / 4);
    assert_eq!(table.len(), 101, "the buckets are not full yet");
    table.expire(now + second);
    assert_eq!(table.len(), 1, "a live one stays");
    table.release(A);
    assert!(table.is_empty());
    table.release(A);
    assert!(table.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Admit(u8),
    Release(u8),
    Wait(u16),
    Expire,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..3).prop_map(Step::Admit),
        2 => (0u8..3).prop_map(Step::Release),
        2 => (0u16..400).prop_map(Step::Wait),
        1 => Just(Step::Expire),
    ]
}

fn source(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, n))
}

proptest! {
    #[test]
    fn limits_hold_in_every_window(
        steps in vec(any_step(), 0..300),
        max in 1u32..6,
        count in 1u32..6,
        per in 1u64..1500,
    ) {
        let rate = rate(count, per);
        let (mut table, mut now) = (SourceTable::default(), start());
        let mut live = [0u32; 3];
        let mut admitted: [Vec<Instant>; 3] = Default::default();
        for step in steps {
            match step {
                Step::Admit(n) => match table.admit(source(n), now, Some(max), Some(rate)) {
                    Ok(()) => {
                        live[usize::from(n)] += 1;
                        admitted[usize::from(n)].push(now);
                    }
                    Err(Refused::Connections) => prop_assert_eq!(live[usize::from(n)], max),
                    Err(Refused::Rate) => {
                        // Refused only with a reason: the last `per` were not idle.
                        let last = admitted[usize::from(n)].last();
                        prop_assert!(last.is_some_and(|last| now - *last < rate.per));
                    }
                },
                Step::Release(n) if live[usize::from(n)] > 0 => {
                    live[usize::from(n)] -= 1;
                    table.release(source(n));
                }
                Step::Release(_) => {}
                Step::Wait(ms) => now += Duration::from_millis(ms.into()),
                Step::Expire => table.expire(now),
            }
            for n in 0..3 {
                prop_assert_eq!(table.live(source(n)), live[usize::from(n)]);
                prop_assert!(live[usize::from(n)] <= max);
            }
        }
        // A bucket of `count` that gets `count` in each `per`: in a window of any length no more than
        // the burst and what came meanwhile.
        for times in &admitted {
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let came = (*to - *from).as_nanos() * u128::from(count) / rate.per.as_nanos();
                    prop_assert!((last - first + 1) as u128 <= u128::from(count) + came);
                }
            }
        }
    }
}
