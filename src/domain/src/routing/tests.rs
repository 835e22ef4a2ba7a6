use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::rank::{distance, draw};
use super::*;
use crate::{MessageText, Number, Submission};

fn number(digits: &str) -> Number {
    digits.parse().unwrap()
}

fn carrier_of(segments: &Segments, digits: &str) -> Option<String> {
    segments.carrier(&number(digits)).map(ToString::to_string)
}

fn message(id: &str, to: &str, class: &str) -> Submission {
    Submission {
        uaop_id: id.parse().unwrap(),
        empi_id: "bank-1".parse().unwrap(),
        class: class.parse().unwrap(),
        account: None,
        to: number(to),
        extension: String::new(),
        text: MessageText("hi".to_owned()),
        report: true,
        priority: 0,
        not_after: None,
    }
}

fn target(gateway: &str, weight: u16, priority: u8) -> Target {
    Target { gateway: gateway.parse().unwrap(), account: None, weight, priority }
}

fn router(targets: &[Target]) -> Router {
    let key = ("mobile".parse().unwrap(), None);
    Router { segments: Segments::default(), routes: Routes::from([(key, targets.to_vec())]) }
}

fn order(router: &Router, id: &str) -> Vec<String> {
    let message = message(id, "13800138000", "notice");
    router.candidates(&message).unwrap().iter().map(|target| target.gateway.to_string()).collect()
}

#[test]
fn a_number_is_of_the_carrier_that_has_its_segment() {
    let segments = Segments::default();
    for (digits, carrier) in [
        ("13400000000", Some("mobile")),
        ("13490000000", Some("telecom")),
        ("13800138000", Some("mobile")),
        ("8613800138000", Some("mobile")),
        ("13000000000", Some("unicom")),
        ("16500000000", Some("mobile")),
        ("17000000000", Some("telecom")),
        ("17030000000", Some("mobile")),
        ("17040000000", Some("unicom")),
        ("17090000000", Some("unicom")),
        ("17400000000", Some("telecom")),
        ("19200000000", Some("broadnet")),
        ("19900000000", Some("telecom")),
        ("15400000000", None),
        ("12345678901", None),
        ("10086", None),
        ("138", None),
        ("138001380001", None),
        ("85212345678", None),
    ] {
        assert_eq!(carrier_of(&segments, digits).as_deref(), carrier, "{digits}");
    }
}

#[test]
fn an_own_prefix_wins_against_a_public_one_that_is_not_longer() {
    let carrier = |name: &str| name.parse().unwrap();
    let segments = Segments::default()
        .with(&number("13800138000"), carrier("unicom"))
        .with(&number("+8613800138001"), carrier("telecom"))
        .with(&number("17"), carrier("mobile"))
        .with(&number("139"), carrier("broadnet"))
        .with(&number("852"), carrier("abroad"));
    assert_eq!(carrier_of(&segments, "8613800138000").unwrap(), "unicom");
    assert_eq!(carrier_of(&segments, "13800138001").unwrap(), "telecom");
    assert_eq!(carrier_of(&segments, "13800138002").unwrap(), "mobile");
    assert_eq!(carrier_of(&segments, "17040000000").unwrap(), "unicom");
    assert_eq!(carrier_of(&segments, "17900000000").unwrap(), "mobile");
    assert_eq!(carrier_of(&segments, "13900000000").unwrap(), "broadnet");
    assert_eq!(carrier_of(&segments, "85212345678").unwrap(), "abroad");
    assert!(segments.carriers().any(|carrier| carrier.as_str() == "abroad"));
}

#[test]
fn a_class_has_its_own_route_or_that_of_all() {
    let mut router = router(&[target("cm-1", 100, 1)]);
    let key = ("mobile".parse().unwrap(), Some("verification".parse().unwrap()));
    router.routes.insert(key, vec![target("cm-fast", 100, 1)]);
    let of =
        |class: &str| router.candidates(&message("m", "13800138000", class)).unwrap()[0].gateway.to_string();
    assert_eq!(of("verification"), "cm-fast");
    assert_eq!(of("notice"), "cm-1");
}

#[test]
fn what_cannot_be_routed_says_why_and_hides_the_number() {
    let router = router(&[target("cm-1", 100, 1)]);
    let unknown = router.candidates(&message("m", "15400138000", "notice")).unwrap_err();
    assert_eq!(unknown.to_string(), "no carrier has the number 154****8000");
    let missing = router.candidates(&message("m", "13000000000", "notice")).unwrap_err();
    assert_eq!(missing.to_string(), "there is no route to the carrier unicom for messages of class notice");
}

#[test]
fn the_hash_is_the_one_that_is_written_down() {
    assert_eq!(draw("cm-1", "m-1"), 0x5121_476d_c7c7_a0e0);
    assert_eq!(distance(u64::MAX), 1);
    assert_eq!(distance(1 << 63), 1 << 32);
    assert_eq!(distance(1), 64 << 32);
    // log₂ 3 = 1.584 962 500 7…
    assert_eq!(distance(3 << 62), (1 << 32) - 2_512_394_809);
}

#[test]
fn a_lower_tier_comes_after_every_target_of_a_higher_one() {
    let router = router(&[target("b", 1000, 2), target("a", 1, 1), target("c", 1, 1)]);
    for id in 0..100 {
        let order = order(&router, &format!("m-{id}"));
        assert_eq!(order[2], "b", "{order:?}");
    }
}

#[test]
fn shares_follow_weights() {
    let router = router(&[target("a", 100, 1), target("b", 300, 1), target("c", 600, 1)]);
    let mut firsts = BTreeMap::<String, usize>::new();
    let all = 20_000_usize;
    for id in 0..all {
        *firsts.entry(order(&router, &format!("m-{id}")).remove(0)).or_default() += 1;
    }
    for (gateway, percent) in [("a", 10), ("b", 30), ("c", 60)] {
        let (expected, got) = (all * percent / 100, firsts[gateway]);
        assert!(got.abs_diff(expected) < all / 50, "{gateway}: {got} of {all}, not {expected}");
    }
}

fn targets() -> impl Strategy<Value = Vec<Target>> {
    let names = prop::collection::btree_set("[a-z]{1,4}-[0-9]{1,2}", 1..8);
    let figures = prop::collection::vec((1_u16..=1000, 1_u8..=3), 8);
    (names, figures).prop_map(|(names, figures)| {
        names.iter().zip(figures).map(|(name, (weight, priority))| target(name, weight, priority)).collect()
    })
}

proptest! {
    #[test]
    fn every_host_has_the_same_order_however_its_file_is_sorted(targets in targets(), id in "[a-z2-7]{26}") {
        let sorted = order(&router(&targets), &id);
        let mut reversed = targets.clone();
        reversed.reverse();
        prop_assert_eq!(&sorted, &order(&router(&reversed), &id));
        let names: BTreeSet<_> = sorted.iter().collect();
        prop_assert_eq!(names.len(), targets.len());
    }

    #[test]
    fn a_target_that_goes_away_leaves_the_order_of_the_others(targets in targets(), gone in 0_usize..8, id in "[a-z2-7]{26}") {
        let mut expected = order(&router(&targets), &id);
        let mut fewer = targets;
        let gone = fewer.remove(gone % fewer.len()).gateway.to_string();
        prop_assume!(!fewer.is_empty());
        expected.retain(|gateway| *gateway != gone);
        prop_assert_eq!(order(&router(&fewer), &id), expected);
    }

    #[test]
    fn the_distance_is_the_logarithm(draw in 1_u64..) {
        #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
        let (exact, got) = (64.0 - (draw as f64).log2(), distance(draw) as f64 / 2_f64.powi(32));
        prop_assert!((exact - got).abs() < 1e-9, "{} {}", exact, got);
    }
}
