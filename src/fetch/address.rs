//! Which IP addresses belong to the public internet.
//!
//! Invariant: default deny. IPv4 is public unless a special-purpose registry, multicast or a cloud's own wire
//! server claims it; IPv6 is public only inside `2000::/3` less the carved-out blocks. Mapped, NAT64 and 6to4
//! forms lie outside and so are refused, whatever they embed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Network, prefix length: IANA IPv4 special-purpose registry, multicast, reserved, and 168.63.129.16 (Azure).
const DENIED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only IPv6 block that is given out: global unicast.
const ALLOWED_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is carved out of it: IETF protocol assignments (Teredo among them), documentation, 6to4.
const DENIED_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn in_v4(ip: Ipv4Addr, (net, prefix): (Ipv4Addr, u32)) -> bool {
    (ip.to_bits() ^ net.to_bits()) >> (32 - prefix) == 0
}

fn in_v6(ip: Ipv6Addr, (net, prefix): (Ipv6Addr, u32)) -> bool {
    (ip.to_bits() ^ net.to_bits()) >> (128 - prefix) == 0
}

/// Whether `ip` may be connected to on the public network.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !DENIED_V4.iter().any(|net| in_v4(ip, *net)),
        IpAddr::V6(ip) => in_v6(ip, ALLOWED_V6) && !DENIED_V6.iter().any(|net| in_v6(ip, *net)),
    }
}

/// Vets the answers to one DNS question. One denied address rejects the name, so that a mixed answer cannot be
/// used to rebind; an empty answer is a rejection too.
///
/// # Errors
/// The first denied address, or `None` for an empty answer.
pub fn vet_answers(answers: &[IpAddr]) -> Result<&[IpAddr], Option<IpAddr>> {
    match answers.iter().find(|ip| !is_public(**ip)) {
        Some(denied) => Err(Some(*denied)),
        None if answers.is_empty() => Err(None),
        None => Ok(answers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("test addresses are valid")
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 \
            168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1 192.31.196.1 \
            192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 \
            224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 \
            64:ff9b::808:808 64:ff9b::7f00:1 64:ff9b:1::1 100::1 1fff:: 2001::1 2001:1ff:: 2001:10::1 2001:20::1 \
            2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 3fff:fff::1 4000:: 5f00::1 fc00::1 fd00:ec2::254 \
            fe80::1 fec0::1 ff02::1"
            .split_whitespace()
        {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn neighbours_of_special_blocks_are_public() {
        for text in "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
            168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 \
            192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 \
            2000:: 2001:200:: 2001:db7:ffff:: 2001:db9:: 2003:: 2606:4700::1111 2a00:1450::1 3ffe:: 3fff:1000::"
            .split_whitespace()
        {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn one_denied_address_rejects_the_name() {
        assert_eq!(vet_answers(&[ip("93.184.216.34"), ip("10.0.0.1")]), Err(Some(ip("10.0.0.1"))));
        assert_eq!(vet_answers(&[]), Err(None));
        assert!(vet_answers(&[ip("93.184.216.34"), ip("2a00:1450::1")]).is_ok());
    }
}
