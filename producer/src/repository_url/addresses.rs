//! Which hosts and addresses belong to the public internet.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

use super::Access;

/// Every range of IPv4 that is not for the public, as `(network, prefix length)`.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // between a carrier and its customers; also some clouds' metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local; most clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments; a cloud's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // name server anycast
    (Ipv4Addr::new(192, 52, 193, 0), 24), // multicast relays
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays into IPv6
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),     // multicast, reserved, broadcast
];

/// The one range of IPv6 that is handed out to the public; loopback, private, mapped and translated ones lie outside.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The special ranges inside [`PUBLIC_V6`].
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, tunnels
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // IPv4 in disguise
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // name server anycast
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Endings of names that resolve inside a machine, a cluster, a cloud or a company, never on the public internet.
const INTERNAL_SUFFIXES: [&str; 14] = [
    "cluster",
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "svc",
    "test",
];

/// Whether `ip` belongs to the public internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4.iter().any(|range| contains_v4(*range, ip)),
        IpAddr::V6(ip) => contains_v6(PUBLIC_V6, ip) && !SPECIAL_V6.iter().any(|range| contains_v6(*range, ip)),
    }
}

/// Whether `ip` is this machine. An IPv4 address dressed as IPv6 is not taken for one.
pub(super) fn is_loopback(ip: IpAddr) -> bool {
    ip.is_loopback()
}

/// Checks a host before it is resolved; says whether it is this very machine.
pub(super) fn check_host(host: &Host<String>, access: Access) -> Result<bool, Cow<'static, str>> {
    let ip = match host {
        Host::Domain(name) if name == "localhost" && access.allow_local => return Ok(true),
        Host::Domain(name) => return check_name(name).map(|()| false),
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => IpAddr::V6(*ip),
    };
    match (is_loopback(ip) && access.allow_local, is_public(ip)) {
        (true, _) => Ok(true),
        (false, true) => Ok(false),
        (false, false) => Err(format!("{ip} is not a public address").into()),
    }
}

fn check_name(name: &str) -> Result<(), Cow<'static, str>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err("write the host as a plain name, without a last dot".into());
    }
    let is_internal =
        |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if !name.contains('.') || INTERNAL_SUFFIXES.iter().any(|suffix| is_internal(suffix)) {
        return Err("its host is an internal name; use one that the public internet knows".into());
    }
    Ok(())
}

fn contains_v4((network, prefix): (Ipv4Addr, u32), ip: Ipv4Addr) -> bool {
    (network.to_bits() ^ ip.to_bits()).leading_zeros() >= prefix
}

fn contains_v6((network, prefix): (Ipv6Addr, u32), ip: Ipv6Addr) -> bool {
    (network.to_bits() ^ ip.to_bits()).leading_zeros() >= prefix
}
