use std::net::Ipv4Addr;

use super::*;
use crate::testing::{TestClock, config};

const BODY: &[u8] = b"{}";

fn request(source: Ipv4Addr) -> Request<'static> {
    Request { method: "POST", target: "/v1/messages", body: BODY, source: source.into() }
}

fn admit(door: &Door, time: u64, nonce: &str) -> Result<(), Code> {
    let signer = Signer::new(&Secret("0123456789abcdef0123456789abcdef".to_owned())).unwrap();
    let time_text = time.to_string();
    let signed = Signed { method: "POST", target: "/v1/messages", time: &time_text, nonce, body: BODY };
    let signature = signer.sign(&signed);
    let claim = Claim::Signed { key: "core-1", time: &time_text, millis: time, nonce, signature: &signature };
    door.admit(&claim, &request(Ipv4Addr::LOCALHOST)).map(drop).map_err(|problem| problem.code)
}

fn door() -> (Door, Arc<TestClock>) {
    let clock = Arc::new(TestClock::new());
    (Door::new(&config(""), clock.clone()).unwrap(), clock)
}

#[tokio::test]
async fn a_request_counts_within_five_minutes_and_once() {
    let (door, clock) = door();
    let start = TestClock::START;
    assert_eq!(admit(&door, start, "nonce-01"), Ok(()));
    assert_eq!(admit(&door, start, "nonce-01"), Err(Code::Replayed));
    assert_eq!(admit(&door, start + 1, "nonce-01"), Ok(()));
    assert_eq!(admit(&door, start - 299_000, "nonce-02"), Ok(()));
    assert_eq!(admit(&door, start - 301_000, "nonce-03"), Err(Code::ClockSkew));
    assert_eq!(admit(&door, start + 310_000, "nonce-04"), Err(Code::ClockSkew));
    // our clock goes on: what was replayed is now too old
    clock.set(start + 400_000);
    assert_eq!(admit(&door, start, "nonce-01"), Err(Code::ClockSkew));
}

#[tokio::test]
async fn unknown_and_forged_are_answered_alike() {
    let (door, _) = door();
    let claim = |key, signature| Claim::Signed { key, time: "1", millis: 1, nonce: "nonce-01", signature };
    let source = request(Ipv4Addr::LOCALHOST);
    let problem = |claim: Claim<'_>| door.admit(&claim, &source).map(drop).unwrap_err();
    let unknown = problem(claim("nobody", "AAAA"));
    assert_eq!(unknown.code, Code::Unauthenticated);
    assert_eq!(problem(claim("core-1", "AAAA")), unknown);
    assert_eq!(problem(Claim::Token("no token of anybody")), unknown);
}

#[tokio::test]
async fn a_skewed_clock_is_told_ours() {
    let (door, _) = door();
    let signer = Signer::new(&Secret("0123456789abcdef0123456789abcdef".to_owned())).unwrap();
    let signed = Signed { method: "POST", target: "/v1/messages", time: "1", nonce: "nonce-01", body: BODY };
    let signature = signer.sign(&signed);
    let claim =
        Claim::Signed { key: "core-1", time: "1", millis: 1, nonce: "nonce-01", signature: &signature };
    let problem = door.admit(&claim, &request(Ipv4Addr::LOCALHOST)).map(drop).unwrap_err();
    assert!(problem.message.contains(&TestClock::START.to_string()[..8]), "{}", problem.message);
}

#[tokio::test]
async fn requests_beyond_the_rate_are_refused_with_when_to_try_again() {
    let (door, _) = door();
    let claim = Claim::Token("the-token-of-small");
    let source = request(Ipv4Addr::LOCALHOST);
    let refused = (0..2000).find_map(|_| door.admit(&claim, &source).err()).unwrap();
    assert_eq!(refused.code, Code::RateExceeded);
    assert!(refused.retry_after.is_some_and(|seconds| seconds >= 1));
    // another bank does not notice
    assert_eq!(admit(&door, TestClock::START, "nonce-01"), Ok(()));
}
