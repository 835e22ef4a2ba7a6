use super::replay::Window;
use super::*;
use crate::vrrp::packet::tests::{hex, v3_v4, v3_v6};
use crate::vrrp::packet::{Datagram, Expected, decode, seal_ipv6};
use crate::vrrp::{AuthV2, Endpoints};

const IPV4: &str = "3133c80100644402c0000264 010100006800000080000000 1b84bc4e8e43892dc6d98448f8ee2265";
const IPV6: &str = "3133c8010064a2e9fe800000000000000000000000000100 \
                    010100006800000080000000 c8c56146ebfd66ee10ec4d8186461b78";
/// Where the trailer of [`IPV6`] starts.
const TRAILER: usize = 24;
/// What both vectors were signed at.
const SIGNED_AT: Duration = Duration::new(0x6800_0000, 500_000_000);

fn key(id: u8) -> Key {
    let secret: Vec<u8> = (0..32).map(|byte| byte + (id - 1)).collect();
    Key::new(KeyId::new(id).unwrap(), &secret).unwrap()
}

fn settings(mode: Mode, anti_replay: AntiReplay) -> Settings {
    let keys = Keyring::new(vec![key(1)], KeyId::new(1).unwrap()).unwrap();
    Settings { keys, mode, anti_replay }
}

fn monotonic() -> Authenticator {
    Authenticator::new(settings(Mode::Enforce, AntiReplay::Monotonic))
}

fn timed(seconds: u64) -> Authenticator {
    let window = Window::from_secs(seconds).unwrap();
    Authenticator::new(settings(Mode::Enforce, AntiReplay::Time(window)))
}

fn context(source: &str) -> Context {
    Context { version: Version::V3, vrid: Vrid::try_from(51).unwrap(), source: source.parse().unwrap() }
}

fn context6() -> Context {
    context("fe80::10")
}

/// A packet over IPv6 whose fields nobody has looked at yet.
fn unchecked(bytes: &[u8]) -> Received<'_> {
    let (message, trailer) = bytes.split_at(TRAILER);
    Received {
        advert: v3_v6().advert,
        checksum: None,
        message,
        trailer: (!trailer.is_empty()).then(|| trailer.try_into().unwrap()),
    }
}

fn verify(authenticator: &mut Authenticator, bytes: &[u8], wall: Duration) -> Result<Verdict, AuthRejected> {
    authenticator.verify(&context6(), &unchecked(bytes), wall)
}

fn signed(authenticator: &mut Authenticator, wall: Duration) -> Vec<u8> {
    let mut message = hex(IPV6)[..TRAILER].to_vec();
    authenticator.sign(&context6(), &mut message, wall);
    message
}

const AUTHENTIC: Result<Verdict, AuthRejected> = Ok(Verdict::Authentic { clock_ahead: 0 });

#[test]
fn the_vector_over_ipv4_is_authentic_and_is_what_we_sign() {
    let packet = hex(IPV4);
    let case = v3_v4();
    let received = decode(&case.datagram(&packet), &case.expected).unwrap();
    assert!(received.trailer.is_some());
    let context = context("198.51.100.10");
    assert_eq!(monotonic().verify(&context, &received, SIGNED_AT), AUTHENTIC);

    let mut ours = packet[..12].to_vec();
    monotonic().sign(&context, &mut ours, SIGNED_AT);
    assert_eq!(ours, packet);
}

#[test]
fn the_vector_over_ipv6_is_authentic_and_is_what_we_sign_and_seal() {
    let packet = hex(IPV6);
    let endpoints = Endpoints::new("fe80::10".parse().unwrap(), "fe80::20".parse().unwrap()).unwrap();
    let datagram = Datagram { endpoints, ttl: 255, payload: &packet };
    let expected = Expected { auth: AuthV2::None, ..v3_v6().expected };
    let received = decode(&datagram, &expected).unwrap();
    assert_eq!(monotonic().verify(&context6(), &received, SIGNED_AT), AUTHENTIC);

    let mut ours = packet[..TRAILER].to_vec();
    monotonic().sign(&context6(), &mut ours, SIGNED_AT);
    seal_ipv6(&mut ours, endpoints);
    assert_eq!(ours, packet);
}

#[test]
fn every_flipped_field_has_its_verdict() {
    let table = [
        ("priority", 2, Err(AuthRejected::BadHmac)),
        ("interval", 5, Err(AuthRejected::BadHmac)),
        ("checksum", 6, AUTHENTIC),
        ("address", 23, Err(AuthRejected::BadHmac)),
        ("type", TRAILER, Err(AuthRejected::Malformed)),
        ("key id", TRAILER + 1, Err(AuthRejected::UnknownKey(0))),
        ("reserved", TRAILER + 2, Err(AuthRejected::Malformed)),
        ("reserved", TRAILER + 3, Err(AuthRejected::Malformed)),
        ("seconds", TRAILER + 4, Err(AuthRejected::BadHmac)),
        ("fraction", TRAILER + 8, Err(AuthRejected::BadHmac)),
        ("counter", TRAILER + 10, Err(AuthRejected::BadHmac)),
        ("hmac", TRAILER + 12, Err(AuthRejected::BadHmac)),
        ("hmac", TRAILER + 27, Err(AuthRejected::BadHmac)),
    ];
    for (field, offset, expected) in table {
        let mut packet = hex(IPV6);
        packet[offset] ^= 1;
        assert_eq!(verify(&mut monotonic(), &packet, SIGNED_AT), expected, "{field}");
    }
}

#[test]
fn a_signature_is_good_for_one_source_router_and_version() {
    let packet = hex(IPV6);
    let good = context6();
    for other in [
        Context { source: "fe80::20".parse().unwrap(), ..good },
        Context { vrid: Vrid::try_from(52).unwrap(), ..good },
        Context { version: Version::V2, ..good },
    ] {
        let verdict = monotonic().verify(&other, &unchecked(&packet), SIGNED_AT);
        assert_eq!(verdict, Err(AuthRejected::BadHmac), "{other:?}");
    }
}

#[test]
fn a_packet_is_authentic_once_per_receiver() {
    let packet = hex(IPV6);
    let mut receiver = monotonic();
    assert_eq!(verify(&mut receiver, &packet, SIGNED_AT), AUTHENTIC);
    assert_eq!(verify(&mut receiver, &packet, SIGNED_AT), Err(AuthRejected::Replay));
    assert_eq!(verify(&mut monotonic(), &packet, SIGNED_AT), AUTHENTIC, "at a second peer");
}

#[test]
fn what_is_forged_moves_no_mark() {
    let mut receiver = monotonic();
    let mut forged = hex(IPV6);
    forged[TRAILER + 4] = 0x69;
    assert_eq!(verify(&mut receiver, &forged, SIGNED_AT), Err(AuthRejected::BadHmac));
    assert_eq!(verify(&mut receiver, &hex(IPV6), SIGNED_AT), AUTHENTIC);
}

#[test]
fn out_of_the_window_is_stale_before_any_digest() {
    let mut packet = hex(IPV6);
    packet[TRAILER + 27] ^= 1;
    for (seconds, expected) in [
        (-6, AuthRejected::Stale { clock_ahead: -6 }),
        (-5, AuthRejected::BadHmac),
        (5, AuthRejected::BadHmac),
        (6, AuthRejected::Stale { clock_ahead: 6 }),
    ] {
        let wall = Duration::from_secs(SIGNED_AT.as_secs().checked_add_signed(seconds).unwrap());
        assert_eq!(verify(&mut timed(5), &packet, wall), Err(expected), "{seconds}");
    }
}

#[test]
fn an_authentic_packet_tells_the_clocks_apart() {
    let wall = SIGNED_AT + Duration::from_secs(3);
    let verdict = verify(&mut timed(5), &hex(IPV6), wall);
    assert_eq!(verdict, Ok(Verdict::Authentic { clock_ahead: 3 }));
}

#[test]
fn packets_of_one_instant_are_told_apart_by_their_counter() {
    let (mut sender, mut receiver) = (timed(5), timed(5));
    for _ in 0..3 {
        let packet = signed(&mut sender, SIGNED_AT);
        assert_eq!(verify(&mut receiver, &packet, SIGNED_AT), AUTHENTIC);
    }
}

#[test]
fn a_clock_that_is_put_back_restarts_the_sequence_in_time_mode() {
    let (mut sender, mut receiver) = (timed(5), timed(5));
    let hour = Duration::from_secs(3600);
    let ahead = signed(&mut sender, SIGNED_AT + hour);
    assert_eq!(verify(&mut receiver, &ahead, SIGNED_AT + hour), AUTHENTIC);
    let right = signed(&mut sender, SIGNED_AT);
    assert_eq!(verify(&mut receiver, &right, SIGNED_AT), AUTHENTIC, "the mark has expired");
    assert_eq!(verify(&mut receiver, &right, SIGNED_AT), Err(AuthRejected::Replay));
}

#[test]
fn monotonic_mode_keeps_growing_and_keeps_its_mark() {
    let (mut sender, mut receiver) = (monotonic(), monotonic());
    let hour = Duration::from_secs(3600);
    let ahead = signed(&mut sender, SIGNED_AT + hour);
    let next = signed(&mut sender, SIGNED_AT);
    assert_eq!(next[TRAILER + 4..TRAILER + 8], ahead[TRAILER + 4..TRAILER + 8]);
    assert!(verify(&mut receiver, &next, SIGNED_AT).is_ok());
    assert_eq!(verify(&mut receiver, &ahead, SIGNED_AT), Err(AuthRejected::Replay));
    let restarted = signed(&mut monotonic(), SIGNED_AT);
    assert_eq!(verify(&mut receiver, &restarted, SIGNED_AT), Err(AuthRejected::Replay));
}

#[test]
fn the_sequence_survives_the_wrap_of_its_seconds() {
    let (mut sender, mut receiver) = (timed(5), timed(5));
    let last = Duration::from_secs(u64::from(u32::MAX));
    for wall in [last, last + Duration::from_secs(1), last + Duration::from_secs(2)] {
        let packet = signed(&mut sender, wall);
        assert_eq!(verify(&mut receiver, &packet, wall), AUTHENTIC, "{wall:?}");
    }
}

#[test]
fn a_roll_out_interrupts_nobody() {
    let anti_replay = AntiReplay::Time(Window::for_interval(Duration::from_secs(1)));
    let with = |mode| Authenticator::new(settings(mode, anti_replay));
    let steps = [Mode::ReceiveOnly, Mode::Permissive, Mode::Enforce];
    for (index, sender) in steps.into_iter().enumerate() {
        for receiver in &steps[index.saturating_sub(1)..(index + 2).min(3)] {
            let packet = signed(&mut with(sender), SIGNED_AT);
            let verdict = verify(&mut with(*receiver), &packet, SIGNED_AT);
            assert!(verdict.is_ok(), "{sender:?} to {receiver:?}: {verdict:?}");
        }
    }
    let unsigned = signed(&mut with(Mode::ReceiveOnly), SIGNED_AT);
    assert_eq!(unsigned.len(), TRAILER);
    assert_eq!(verify(&mut with(Mode::Permissive), &unsigned, SIGNED_AT), Ok(Verdict::Unsigned));
    assert_eq!(verify(&mut with(Mode::Enforce), &unsigned, SIGNED_AT), Err(AuthRejected::Missing));
}

#[test]
fn a_new_key_is_accepted_before_it_signs() {
    let ring = |active| Keyring::new(vec![key(1), key(2)], KeyId::new(active).unwrap()).unwrap();
    let with = |active| {
        Authenticator::new(Settings { keys: ring(active), ..settings(Mode::Enforce, AntiReplay::Monotonic) })
    };
    let packet = signed(&mut with(2), SIGNED_AT);
    assert_eq!(verify(&mut with(1), &packet, SIGNED_AT), AUTHENTIC);
    assert_eq!(verify(&mut monotonic(), &packet, SIGNED_AT), Err(AuthRejected::UnknownKey(2)));
}

#[test]
fn marks_of_many_senders_are_bounded_and_the_latest_stay() {
    let mut marks = Marks::default();
    let source = |number: u8| IpAddr::from([192, 0, 2, number]);
    let sequence = Sequence::from_bytes([1; 8]);
    let mut advance = |number| marks.advance(source(number), sequence, AntiReplay::Monotonic, SIGNED_AT);
    assert!((0..17).all(&mut advance));
    assert!(!advance(1));
    assert!(advance(0), "pushed out by the seventeenth");
}

#[test]
fn bad_keys_rings_and_windows_are_refused() {
    let id = |number| KeyId::new(number).unwrap();
    for (len, good) in [(31, false), (32, true), (64, true), (65, false)] {
        assert_eq!(Key::new(id(1), &vec![7; len]).is_ok(), good, "{len}");
    }
    assert_eq!(Keyring::new(vec![key(1), key(1)], id(1)).unwrap_err(), KeyError::Twice(id(1)));
    assert_eq!(Keyring::new(vec![key(1)], id(2)).unwrap_err(), KeyError::NoActive(id(2)));
    for (seconds, good) in [(0, false), (1, true), (300, true), (301, false), (u64::MAX, false)] {
        assert_eq!(Window::from_secs(seconds).is_ok(), good, "{seconds}");
    }
}

#[test]
fn no_secret_is_printed() {
    assert_eq!(format!("{:?}", key(1)), "Key(1, ..)");
}
