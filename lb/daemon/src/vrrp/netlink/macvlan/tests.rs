use std::io;

use nix::net::if_::if_nametoindex;
use pnet_base::MacAddr;

use super::Writer;
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output, soon};

const MAC: MacAddr = MacAddr(0, 0, 0x5e, 0, 1, 51);

fn left() -> u32 {
    if_nametoindex("left").unwrap()
}

#[test]
fn a_macvlan_is_made_switched_on_and_off_and_deleted() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        let link = writer.add_macvlan(left(), "vrrp.51.2", MAC).unwrap();
        let shown = |what: &str| ip_output(&format!("-details {what} show dev vrrp.51.2")).unwrap();
        let made = shown("link");
        assert!(made.contains(&format!("{link}: vrrp.51.2@left: ")), "{made}");
        assert!(made.contains("00:00:5e:00:01:33") && made.contains("group 177"), "{made}");
        assert!(made.contains("macvlan mode bridge") && !made.contains("UP"), "{made}");
        writer.switch_on(link).unwrap();
        soon("it carries packets", || shown("link").contains("state UP"));
        writer.switch_off(link).unwrap();
        assert!(!shown("link").contains("UP"));
        writer.delete_link(link).unwrap();
        assert!(if_nametoindex("vrrp.51.2").is_err());
        writer.delete_link(link).unwrap();
        writer.switch_off(link).unwrap();
        let error = writer.switch_on(link).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV), "{error}");
    });
}

#[test]
fn a_macvlan_has_no_address_that_its_mac_address_makes() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        ip("link add other link left address 00:00:5e:00:02:34 type macvlan mode bridge");
        ip("link set other up");
        let link = writer.add_macvlan(left(), "vrrp6.51.2", MacAddr(0, 0, 0x5e, 0, 2, 51)).unwrap();
        writer.switch_on(link).unwrap();
        soon("it carries packets", || ip_output("link show vrrp6.51.2").unwrap().contains("state UP"));
        // as any other link gets
        soon("another has one", || ip_output("address show dev other").unwrap().contains("fe80::"));
        assert_eq!(ip_output("-6 address show dev vrrp6.51.2").unwrap(), "");
    });
}

#[test]
fn what_cannot_be_is_said() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        let link = writer.add_macvlan(left(), "vrrp.51.2", MAC).unwrap();
        let error = writer.add_macvlan(left(), "vrrp.51.2", MAC).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
        let error = writer.add_macvlan(4711, "vrrp.51.4711", MAC).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV), "{error}");
        ip("link add other link left address 00:00:5e:00:01:33 type macvlan mode bridge");
        ip("link set other up");
        let error = writer.switch_on(link).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
    });
}
