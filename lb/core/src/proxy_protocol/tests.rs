use proptest::prelude::*;

use super::*;

const SIGNATURE: [u8; 12] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn proxied(source: &str, destination: &str) -> Header {
    Header::Proxied { source: address(source), destination: address(destination) }
}

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &len, rest].concat()
}

/// 192.0.2.1:56324 to 192.0.2.2:443.
const INET: [u8; 12] = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb];

fn complete(header: Header, len: usize) -> Result<Parsed, HeaderError> {
    Ok(Parsed::Complete { header, len })
}

#[test]
fn the_lines_of_the_standard() {
    let longest_v4 = "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n";
    let longest_v6 = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
                      ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    let longest = longest_v6.replace("TCP6", "UNKNOWN");
    let all_ones = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    assert_eq!((longest_v4.len(), longest_v6.len(), longest.len()), (56, 104, 107));

    for (line, header) in [
        (
            "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
            proxied("192.168.0.1:56324", "192.168.0.11:443"),
        ),
        (longest_v4, proxied("255.255.255.255:65535", "255.255.255.255:65535")),
        (longest_v6, proxied(all_ones, all_ones)),
        ("PROXY UNKNOWN\r\n", Header::Local),
        (&longest, Header::Local),
    ] {
        let request = format!("{line}GET / HTTP/1.1\r\n");
        assert_eq!(parse(request.as_bytes()), complete(header, line.len()), "{line}");
    }
}

#[test]
fn lines_that_are_none() {
    for (line, error) in [
        ("GET / HTTP/1.1\r\n", HeaderError::Signature),
        ("PROXYTCP4", HeaderError::Signature),
        ("proxy TCP4 1.2.3.4 1.2.3.5 1 2\r\n", HeaderError::Signature),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n", HeaderError::LineEnd),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\rx", HeaderError::LineEnd),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n", HeaderError::Line),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n", HeaderError::Line),
        ("PROXY TCP4  1.2.3.4 1.2.3.5 1 2\r\n", HeaderError::Line),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n", HeaderError::Line),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 +1 2\r\n", HeaderError::Line),
        ("PROXY TCP4 1.2.3.4 1.2.3.5 1 65536\r\n", HeaderError::Line),
        ("PROXY TCP4 1.2.3.04 1.2.3.5 1 2\r\n", HeaderError::Line),
        ("PROXY TCP4 ::1 ::2 1 2\r\n", HeaderError::Line),
        ("PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n", HeaderError::Line),
        ("PROXY TCP6 fe80::1%1 ::2 1 2\r\n", HeaderError::Line),
        ("PROXY UDP4 1.2.3.4 1.2.3.5 1 2\r\n", HeaderError::Line),
        ("PROXY UNKNOWNS\r\n", HeaderError::Line),
        ("PROXY \r\n", HeaderError::Line),
    ] {
        assert_eq!(parse(line.as_bytes()), Err(error), "{line:?}");
    }
    let endless = "PROXY UNKNOWN ".bytes().chain(std::iter::repeat_n(b'x', 93)).collect::<Vec<_>>();
    assert_eq!(parse(&endless), Err(HeaderError::LineTooLong));
    assert_eq!(parse(&endless[..106]), Ok(Parsed::Incomplete));
    // A CR in the last place leaves no room for its LF.
    let line = [&endless[..106], b"\r"].concat();
    assert_eq!(parse(&line), Err(HeaderError::LineTooLong));
}

#[test]
fn the_bytes_of_version_2() {
    let inet = v2(0x21, 0x11, &INET);
    let inet6 = v2(
        0x21,
        0x21,
        &[
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, // source
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, // destination
            0xff, 0xff, 0x00, 0x50,
        ],
    );
    let local = v2(0x20, 0x00, &[]);
    for (bytes, header) in [
        (inet, proxied("192.0.2.1:56324", "192.0.2.2:443")),
        (inet6, proxied("[2001:db8::1]:65535", "[2001:db8::2]:80")),
        (local, Header::Local),
    ] {
        assert_eq!(encode(ProxyVersion::V2, &header), bytes);
        let followed = [&bytes[..], b"payload"].concat();
        assert_eq!(parse(&followed), complete(header, bytes.len()));
    }
}

#[test]
fn version_2_without_ip_endpoints_is_local() {
    let unix = [0x2f; 216];
    for (command, family, rest) in [
        (0x20, 0x11, &INET[..]),
        (0x20, 0xff, b"whatever a LOCAL carries"),
        (0x21, 0x00, b""),
        (0x21, 0x00, b"ignored"),
        (0x21, 0x10, b"ignored"),
        (0x21, 0x12, &INET),
        (0x21, 0x31, &unix),
        (0x21, 0x32, &unix),
    ] {
        let bytes = v2(command, family, rest);
        assert_eq!(parse(&bytes), complete(Header::Local, bytes.len()), "{command:#x} {family:#x}");
    }
}

#[test]
fn version_2_that_is_none() {
    let with = |tlvs: &[u8]| [&INET[..], tlvs].concat();
    for (bytes, error) in [
        (v2(0x11, 0x11, &INET), HeaderError::Command(0x11)),
        (v2(0x22, 0x11, &INET), HeaderError::Command(0x22)),
        (v2(0x21, 0x41, &INET), HeaderError::Family(0x41)),
        (v2(0x21, 0x13, &INET), HeaderError::Family(0x13)),
        (v2(0x21, 0x11, &INET[..11]), HeaderError::TooShort),
        (v2(0x21, 0x21, &INET), HeaderError::TooShort),
        (v2(0x21, 0x31, &INET), HeaderError::TooShort),
        (v2(0x21, 0x11, &with(&[0x04, 0x00])), HeaderError::Tlv),
        (v2(0x21, 0x11, &with(&[0x04, 0x00, 0x02, 0x00])), HeaderError::Tlv),
        (v2(0x21, 0x11, &with(&[0x03, 0x00, 0x01, 0x00])), HeaderError::Tlv),
        (v2(0x21, 0x11, &with(&[0x03, 0x00, 0x04, 1, 2, 3, 4])), HeaderError::Checksum),
        (v2(0x21, 0x11, &vec![0; MAX_LEN - 15]), HeaderError::TooLong(MAX_LEN + 1)),
    ] {
        assert_eq!(parse(&bytes), Err(error));
    }
    assert_eq!(parse(b"\r\n\r\n\0\r\nQUIX"), Err(HeaderError::Signature));
}

#[test]
fn tlvs_are_skipped_and_a_checksum_verified() {
    // ALPN "h2", NOOP, CRC32C; the checksum was computed with an independent program.
    let tlvs = [0x01, 0, 2, b'h', b'2', 0x04, 0, 0, 0x03, 0, 4, 0x0d, 0xb9, 0xfb, 0x4b];
    let mut bytes = v2(0x21, 0x11, &[&INET[..], &tlvs].concat());
    assert_eq!(parse(&bytes), complete(proxied("192.0.2.1:56324", "192.0.2.2:443"), bytes.len()));
    bytes[16] ^= 1;
    assert_eq!(parse(&bytes), Err(HeaderError::Checksum));
}

#[test]
fn mixed_families_become_ipv6_and_mapped_addresses_ipv4() {
    let mixed = proxied("192.0.2.1:1", "[2001:db8::2]:2");
    assert_eq!(encode(ProxyVersion::V1, &mixed), b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n");
    assert_eq!(encode(ProxyVersion::V2, &mixed)[12..16], [0x21, 0x21, 0, 36]);

    let dual_stack = proxied("[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2");
    assert_eq!(encode(ProxyVersion::V1, &dual_stack), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    assert_eq!(encode(ProxyVersion::V1, &Header::Local), b"PROXY UNKNOWN\r\n");
}

fn any_version() -> impl Strategy<Value = ProxyVersion> {
    prop_oneof![Just(ProxyVersion::V1), Just(ProxyVersion::V2)]
}

fn any_header() -> impl Strategy<Value = Header> {
    let proxied = |(source, destination)| Header::Proxied {
        source: canonical(source),
        destination: canonical(destination),
    };
    prop_oneof![Just(Header::Local), any::<(SocketAddr, SocketAddr)>().prop_map(proxied)]
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed(version in any_version(), header in any_header(), payload: Vec<u8>) {
        let encoded = encode(version, &header);
        let bytes = [&encoded[..], &payload].concat();
        prop_assert_eq!(parse(&bytes), complete(header, encoded.len()));
    }

    #[test]
    fn every_shorter_piece_is_incomplete(version in any_version(), header in any_header()) {
        let encoded = encode(version, &header);
        for len in 0..encoded.len() {
            prop_assert_eq!(parse(&encoded[..len]), Ok(Parsed::Incomplete), "{} bytes", len);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_line_panics(line in "PROXY [A-Z0-9.: \r\n]{0,120}") {
        let _ = parse(line.as_bytes());
    }

    #[test]
    fn no_version_2_bytes_panic(command in 0x20u8..=0x21, family: u8, rest: Vec<u8>) {
        let bytes = v2(command, family, &rest);
        match parse(&bytes) {
            Ok(Parsed::Complete { len, .. }) => prop_assert_eq!(len, bytes.len()),
            Ok(Parsed::Incomplete) => prop_assert!(false, "the whole header is there"),
            Err(_) => {}
        }
    }
}
