use std::time::Duration;

use proptest::prelude::*;

use super::*;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// An advertisement of VRID 51, priority 200, every second, and who sends it where.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) advert: Advert,
    pub(super) expected: Expected,
    endpoints: Endpoints,
    encoding: Encoding,
}

impl Case {
    fn new(version: Version, source: &str, destination: &str, address: &str, form: ChecksumForm) -> Self {
        let endpoints = Endpoints::new(source.parse().unwrap(), destination.parse().unwrap()).unwrap();
        let vrid = Vrid::try_from(51).unwrap();
        let interval = AdvertInterval::new(version, Duration::from_secs(1)).unwrap();
        let advert = Advert {
            vrid,
            priority: Some(Priority::try_from(200).unwrap()),
            interval,
            addresses: Addresses::new(vec![address.parse().unwrap()]).unwrap(),
        };
        let auth = AuthV2::None;
        let expected = Expected { version, vrid, interval, least_ttl: TTL, link_local_first: true, auth };
        let encoding = match version {
            Version::V2 => Encoding::V2 { auth },
            Version::V3 => Encoding::V3 { endpoints, checksum: form },
        };
        Self { advert, expected, endpoints, encoding }
    }

    pub(super) fn datagram<'a>(&self, payload: &'a [u8]) -> Datagram<'a> {
        Datagram { endpoints: self.endpoints, ttl: TTL, payload }
    }

    fn encode(&self) -> Vec<u8> {
        encode(&self.advert, self.encoding).unwrap()
    }

    fn decode<'a>(&self, payload: &'a [u8]) -> Result<Received<'a>, Rejected> {
        decode(&self.datagram(payload), &self.expected)
    }

    fn with_auth(mut self, auth: AuthV2) -> Self {
        self.expected.auth = auth;
        self.encoding = Encoding::V2 { auth };
        self
    }
}

pub(super) fn v3_v4() -> Case {
    Case::new(Version::V3, "198.51.100.10", "224.0.0.18", "192.0.2.100", ChecksumForm::MessageOnly)
}

fn v3_v4_pseudo(destination: &str) -> Case {
    Case::new(Version::V3, "198.51.100.10", destination, "192.0.2.100", ChecksumForm::PseudoHeader)
}

pub(super) fn v3_v6() -> Case {
    Case::new(Version::V3, "fe80::10", "ff02::12", "fe80::100", ChecksumForm::PseudoHeader)
}

fn v2() -> Case {
    Case::new(Version::V2, "198.51.100.10", "224.0.0.18", "192.0.2.100", ChecksumForm::MessageOnly)
}

fn v2_password(password: &str) -> Case {
    v2().with_auth(AuthV2::Password(Password::new(password.as_bytes()).unwrap()))
}

fn every_case() -> [Case; 6] {
    [v3_v4(), v3_v4_pseudo("224.0.0.18"), v3_v4_pseudo("192.0.2.10"), v2(), v2_password("1234"), v3_v6()]
}

#[test]
fn the_golden_vectors() {
    let message_only = Some(ChecksumForm::MessageOnly);
    let pseudo_header = Some(ChecksumForm::PseudoHeader);
    let bytes = [
        ("3133c8010064 4402 c0000264", message_only),
        ("3133c8010064 3935 c0000264", pseudo_header),
        ("3133c8010064 573d c0000264", pseudo_header),
        ("2133c8010001 5465 c0000264 0000000000000000", None),
        ("2133c8010101 eefe c0000264 3132333400000000", None),
        ("3133c8010064 08b8 fe800000000000000000000000000100", None),
    ];
    for (case, (golden, checksum)) in every_case().iter().zip(bytes) {
        let golden = hex(golden);
        assert_eq!(case.encode(), golden, "{case:?}");
        let received = case.decode(&golden).unwrap();
        assert_eq!(received.advert, case.advert);
        assert_eq!(received.checksum, checksum);
        assert_eq!(received.message, golden);
        assert_eq!(received.trailer, None);
    }
}

#[test]
fn priority_0_is_no_priority() {
    for mut case in every_case() {
        case.advert.priority = None;
        let packet = case.encode();
        assert_eq!(packet[2], 0);
        assert_eq!(case.decode(&packet).unwrap().advert.priority, None);
    }
}

/// Changes a packet and repairs its checksum.
fn rewrite(case: &Case, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut packet = case.encode();
    change(&mut packet);
    match case.endpoints.family() {
        Family::V4 => checksum::write(&[], &mut packet),
        Family::V6 => seal_ipv6(&mut packet, case.endpoints),
    }
    packet
}

#[test]
fn rfc_9568_7_1_must_verify_ttl_255() {
    for case in every_case() {
        let packet = case.encode();
        let datagram = Datagram { ttl: 254, ..case.datagram(&packet) };
        assert_eq!(decode(&datagram, &case.expected), Err(Rejected::Ttl(254)));
        let routed = Expected { least_ttl: 250, ..case.expected.clone() };
        assert!(decode(&datagram, &routed).is_ok());
    }
}

#[test]
fn rfc_9568_7_1_must_verify_the_version() {
    for case in every_case() {
        let packet = rewrite(&case, |packet| packet[0] = 0x41);
        assert_eq!(case.decode(&packet), Err(Rejected::Version(4)));
    }
    assert_eq!(v3_v4().decode(&v2().encode()), Err(Rejected::Version(2)));
    assert_eq!(v2().decode(&v3_v4().encode()), Err(Rejected::Version(3)));
}

#[test]
fn rfc_9568_7_1_must_verify_the_type() {
    for case in every_case() {
        let packet = rewrite(&case, |packet| packet[0] = packet[0] & 0xf0 | 2);
        assert_eq!(case.decode(&packet), Err(Rejected::Type(2)));
    }
}

#[test]
fn rfc_9568_7_1_must_verify_that_the_packet_is_complete() {
    for case in every_case() {
        let packet = case.encode();
        for len in 0..packet.len() {
            assert_eq!(case.decode(&packet[..len]), Err(Rejected::Length(len)));
        }
        let packet = rewrite(&case, |packet| packet[3] = 2);
        assert_eq!(case.decode(&packet), Err(Rejected::Length(packet.len())));
    }
}

#[test]
fn the_padding_of_a_short_frame_is_tolerated_and_no_other() {
    // 46 bytes that a frame has to carry, less VLAN tags, less the IPv4 header.
    for (case, padded) in [(v3_v4(), &[14, 18, 22, 26][..]), (v2(), &[22, 26]), (v3_v6(), &[])] {
        let packet = case.encode();
        for len in packet.len()..80 {
            let mut longer = packet.clone();
            longer.resize(len, 0);
            let tolerated = len == packet.len() || padded.contains(&len) || len == packet.len() + 28;
            match case.decode(&longer) {
                Ok(received) => assert!(tolerated && received.message == packet, "{len}"),
                // Over IPv6 the checksum covers what follows.
                Err(Rejected::Checksum) => assert!(tolerated && case.endpoints.family() == Family::V6),
                Err(rejected) => {
                    assert_eq!((tolerated, rejected), (false, Rejected::Length(len)));
                }
            }
        }
    }
}

#[test]
fn rfc_9568_7_1_must_verify_the_checksum() {
    for case in every_case() {
        let mut packet = case.encode();
        packet[6] ^= 0x40;
        assert_eq!(case.decode(&packet), Err(Rejected::Checksum));
    }
    // Another destination than the one in the pseudo header.
    let elsewhere = v3_v4_pseudo("224.0.0.18");
    assert_eq!(elsewhere.decode(&v3_v4_pseudo("192.0.2.10").encode()), Err(Rejected::Checksum));
}

#[test]
fn rfc_9568_7_1_must_verify_the_vrid() {
    for case in every_case() {
        for other in [0, 52] {
            let packet = rewrite(&case, |packet| packet[1] = other);
            assert_eq!(case.decode(&packet), Err(Rejected::Vrid(other)));
            assert_eq!(vrid(&packet), Vrid::try_from(other).ok());
        }
    }
}

#[test]
fn erratum_8299_no_address_is_ignored() {
    for case in every_case() {
        let packet = rewrite(&case, |packet| packet[3] = 0);
        assert_eq!(case.decode(&packet), Err(Rejected::Count));
    }
}

#[test]
fn erratum_8301_an_interval_of_0_is_refused() {
    for case in [v3_v4(), v3_v6(), v2()] {
        let packet = rewrite(&case, |packet| packet[5] = 0);
        assert_eq!(case.decode(&packet), Err(Rejected::Interval(0)));
    }
}

#[test]
fn erratum_8300_the_first_ipv6_address_is_link_local() {
    let mut case = v3_v6();
    case.advert.addresses =
        Addresses::new(vec!["2001:db8::100".parse().unwrap(), "fe80::100".parse().unwrap()]).unwrap();
    let packet = case.encode();
    assert_eq!(case.decode(&packet), Err(Rejected::FirstAddress));
    case.expected.link_local_first = false;
    assert_eq!(case.decode(&packet).unwrap().advert, case.advert);
}

#[test]
fn rfc_3768_7_1_another_interval_is_refused_in_v2_and_told_in_v3() {
    let packet = rewrite(&v2(), |packet| packet[5] = 2);
    assert_eq!(v2().decode(&packet), Err(Rejected::Interval(2)));
    let packet = rewrite(&v3_v4(), |packet| packet[5] = 200);
    let received = v3_v4();
    let received = received.decode(&packet).unwrap();
    assert_eq!(received.advert.interval.get(), Duration::from_secs(2));
}

#[test]
fn rfc_9568_5_2_6_reserved_bits_are_ignored() {
    let packet = rewrite(&v3_v4(), |packet| packet[4] |= 0xf0);
    assert_eq!(v3_v4().decode(&packet).unwrap().advert, v3_v4().advert);
}

#[test]
fn rfc_3768_7_1_authentication_must_be_ours() {
    assert_eq!(v2().decode(&v2_password("1234").encode()), Err(Rejected::AuthType(1)));
    assert_eq!(v2_password("1234").decode(&v2().encode()), Err(Rejected::AuthType(0)));
    assert_eq!(v2_password("1234").decode(&v2_password("12345").encode()), Err(Rejected::Password));
    let packet = rewrite(&v2(), |packet| packet[4] = 2);
    assert_eq!(v2().decode(&packet), Err(Rejected::AuthType(2)));
    // RFC 3768 5.3.10: without authentication the data is ignored.
    let packet = rewrite(&v2(), |packet| packet[19] = 7);
    assert_eq!(v2().decode(&packet).unwrap().advert, v2().advert);
}

#[test]
fn a_password_has_8_bytes_at_most_and_is_not_printed() {
    assert!(Password::new(b"12345678").is_some());
    assert!(Password::new(b"123456789").is_none());
    assert!(!format!("{:?}", v2_password("secret").encoding).contains("secret"));
}

#[test]
fn version_2_is_ipv4_only() {
    let six = v3_v6();
    let packet = rewrite(&six, |packet| packet[0] = 0x21);
    let datagram = six.datagram(&packet);
    let expected = Expected { version: Version::V2, ..six.expected };
    assert_eq!(decode(&datagram, &expected), Err(Rejected::Family));
    assert_eq!(encode(&six.advert, v2().encoding), Err(EncodeError::Family));
    assert_eq!(encode(&six.advert, v3_v4().encoding), Err(EncodeError::Family));
}

#[test]
fn a_version_refuses_an_interval_that_it_cannot_say() {
    let interval = |version, millis| AdvertInterval::new(version, Duration::from_millis(millis)).unwrap();
    let short = interval(Version::V3, 100);
    let advert = Advert { interval: short, ..v2().advert };
    assert_eq!(encode(&advert, v2().encoding), Err(EncodeError::Interval(short)));
    let long = interval(Version::V2, 41_000);
    let advert = Advert { interval: long, ..v3_v4().advert };
    assert_eq!(encode(&advert, v3_v4().encoding), Err(EncodeError::Interval(long)));
}

#[test]
fn labels_are_words() {
    for label in [Rejected::Ttl(1).label(), Rejected::FirstAddress.label(), Rejected::AuthType(2).label()] {
        assert!(label.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{label}");
    }
}

fn any_advert(version: Version, family: Family) -> impl Strategy<Value = Advert> {
    let address = match family {
        Family::V4 => any::<[u8; 4]>().prop_map(std::net::IpAddr::from).boxed(),
        Family::V6 => any::<[u8; 16]>().prop_map(std::net::IpAddr::from).boxed(),
    };
    let millis = match version {
        Version::V2 => (1_u64..=255).prop_map(|seconds| seconds * 1000).boxed(),
        Version::V3 => (1_u64..=4095).prop_map(|centis| centis * 10).boxed(),
    };
    (1..=255_u8, any::<u8>(), millis, prop::collection::vec(address, 1..20)).prop_map(
        move |(vrid, priority, millis, addresses)| Advert {
            vrid: Vrid::try_from(vrid).unwrap(),
            priority: Priority::from_wire(priority),
            interval: AdvertInterval::new(version, Duration::from_millis(millis)).unwrap(),
            addresses: Addresses::new(addresses).unwrap(),
        },
    )
}

/// Any of the cases, about any advertisement.
fn any_case() -> impl Strategy<Value = Case> {
    prop::sample::select(every_case().to_vec()).prop_flat_map(|case| {
        any_advert(case.expected.version, case.endpoints.family()).prop_map(move |advert| {
            let expected = Expected {
                vrid: advert.vrid,
                interval: advert.interval,
                link_local_first: false,
                ..case.expected.clone()
            };
            Case { advert, expected, ..case.clone() }
        })
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(case in any_case()) {
        let packet = case.encode();
        let received = case.decode(&packet).unwrap();
        prop_assert_eq!(received.advert, case.advert);
        prop_assert_eq!(received.message, &packet[..]);
    }

    #[test]
    fn any_flipped_bit_is_rejected_or_seen(case in any_case(), bit in any::<prop::sample::Index>()) {
        let packet = case.encode();
        let bit = bit.index(packet.len() * 8);
        let mut flipped = packet.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(received) = case.decode(&flipped) {
            let whole = case.decode(&packet).unwrap();
            prop_assert_ne!((received.advert, received.checksum), (whole.advert, whole.checksum));
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(
        case in any_case(),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        start in 0..9_usize,
    ) {
        let _ = case.decode(&bytes);
        // With a header that passes the first checks.
        let mut packet = case.encode();
        packet.truncate(start);
        packet.extend(&bytes);
        let _ = case.decode(&packet);
    }
}
