//! The addresses from which a chat server asks.

use std::net::IpAddr;

use crate::error::{Error, Result, address, shortened};

/// An IP address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads an address, or a network as RFC 4632 §3.1 writes it.
    pub(super) fn new(text: &str) -> Result<Self> {
        let (ip, bits) = text.split_once('/').map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let network = ip.parse().ok().and_then(|first: IpAddr| {
            let most = if first.is_ipv4() { 32 } else { 128 };
            let is_number = |bits: &&str| bits.bytes().all(|byte| byte.is_ascii_digit());
            let bits = match bits {
                Some(bits) => Some(bits).filter(is_number)?.parse().ok().filter(|bits| *bits <= most)?,
                None => most,
            };
            Some(Self { first, bits })
        });
        network.ok_or_else(|| {
            let shown = shortened(&address(text), 60);
            Error::config(
                "addresses",
                format!("{shown} is no IP address: write one like 10.0.0.5, or a network like 10.0.0.0/24"),
            )
        })
    }

    pub(super) fn has(self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                let differing = first.to_bits() ^ ip.to_bits();
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                let differing = first.to_bits() ^ ip.to_bits();
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// The address as it is compared: `::ffff:10.0.0.5` is `10.0.0.5`, and a zone (`%eth0`) does not count.
pub(super) fn read_ip(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches(['[', ']']);
    let text = text.split_once('%').map_or(text, |(ip, _)| ip);
    text.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_their_addresses_and_no_other() {
        for (network, ip, is_in) in [
            ("10.0.0.5", "10.0.0.5", true),
            ("10.0.0.5", "10.0.0.4", false),
            ("10.0.0.5", "::ffff:10.0.0.5", true),
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.7/24", "10.0.0.1", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.0/31", "10.0.0.2", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.5", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("fe80::1", "fe80::1%eth0", true),
            ("::1", "[::1]", true),
        ] {
            let network = Network::new(network).unwrap();
            assert_eq!(network.has(read_ip(ip).unwrap()), is_in, "{network:?} {ip}");
        }
        for no_ip in ["", "localhost", "10.0.0", "10.0.0.5:80", "unix:", "10.0.0.0/24"] {
            assert_eq!(read_ip(no_ip), None, "{no_ip}");
        }
        for wrong in
            ["", "chat.example.org", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1"]
        {
            assert!(Network::new(wrong).is_err(), "{wrong}");
        }
    }
}
