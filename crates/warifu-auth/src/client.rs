//! Which address a request comes from, behind declared proxies or none.

use ipnetwork::IpNetwork;
use std::net::IpAddr;
use std::str::FromStr;

/// In which way the trusted proxies say for whom they speak. One, and declared: a proxy hands the header
/// that it does not know on as the client wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedBy {
    /// `X-Forwarded-For: client, proxy, proxy`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
    /// PROXY protocol v2, before the first byte of a connection ([`crate::Opening`])
    ProxyProtocol,
}

impl ForwardedBy {
    /// The header of a request, lower case as `http::HeaderMap` wants it; none where it is said before
    /// the first request.
    pub fn header(self) -> Option<&'static str> {
        match self {
            ForwardedBy::XForwardedFor => Some("x-forwarded-for"),
            ForwardedBy::Forwarded => Some("forwarded"),
            ForwardedBy::ProxyProtocol => None,
        }
    }
}

/// Something in a trusted proxy's header is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proxy's {0} header does not say which address the request comes from")]
pub struct Malformed(pub &'static str);

/// The proxies whose word is taken.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    trusted: Vec<IpNetwork>,
    by: ForwardedBy,
}

impl Proxies {
    pub fn new(trusted: Vec<IpNetwork>, by: ForwardedBy) -> Proxies {
        Proxies { trusted, by }
    }

    pub fn by(&self) -> ForwardedBy {
        self.by
    }

    /// Whether a request's `X-Forwarded-…` headers are a declared proxy's own. Not with the PROXY
    /// protocol: such a proxy need not look into a connection, and whatever stands there may be the
    /// client's.
    pub fn wrote_headers(&self, peer: IpAddr) -> bool {
        self.by.header().is_some() && self.trusts(peer)
    }

    /// Whether a peer's word about a request is taken.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The client's address: the connection's, or where a trusted proxy speaks, the rightmost address
    /// that is not itself a trusted proxy's. What stands left of it may have been written by anybody.
    ///
    /// # Errors
    /// [`Malformed`] when something that is no address comes before it, or a trusted proxy says nothing at
    /// all: the request is refused then, because a session cannot be held against an unknown network, nor
    /// everybody's against the proxy's own.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        values: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Result<IpAddr, Malformed> {
        let mut client = peer.to_canonical();
        let Some(header) = self.by.header().filter(|_| self.trusts(client)) else {
            return Ok(client);
        };
        let malformed = || Malformed(header);
        let mut values = values.rev().peekable();
        values.peek().ok_or_else(malformed)?;
        for value in values {
            let value = std::str::from_utf8(value).map_err(|_| malformed())?;
            for hop in value.rsplit(',') {
                client = self.address(hop.trim()).ok_or_else(malformed)?.to_canonical();
                if !self.trusts(client) {
                    return Ok(client);
                }
            }
        }
        Ok(client)
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        match self.by {
            ForwardedBy::ProxyProtocol => None,
            ForwardedBy::XForwardedFor => node(hop),
            ForwardedBy::Forwarded => {
                // Parameters are separated by semicolons; names know no case (RFC 7239, section 4).
                let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
                let value = value.trim();
                let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                node(quoted.unwrap_or(value))
            }
        }
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return fits.then(|| address.parse::<std::net::Ipv6Addr>().ok()).flatten().map(IpAddr::V6);
    }
    if let Ok(address) = IpAddr::from_str(text) {
        return Some(address);
    }
    let (address, port) = text.rsplit_once(':')?;
    is_port(port).then(|| address.parse::<std::net::Ipv4Addr>().ok()).flatten().map(IpAddr::V4)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies(by: ForwardedBy) -> Proxies {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|n| n.parse().unwrap());
        Proxies::new(trusted.to_vec(), by)
    }

    fn client(by: ForwardedBy, peer: &str, values: &[&str]) -> Result<IpAddr, Malformed> {
        proxies(by).client(ip(peer), values.iter().map(|v| v.as_bytes()))
    }

    #[test]
    fn nobody_else_s_word_is_taken() {
        let by = ForwardedBy::XForwardedFor;
        assert_eq!(client(by, "192.0.2.1", &["198.51.100.7"]), Ok(ip("192.0.2.1")));
        assert_eq!(client(by, "192.0.2.1", &["no address"]), Ok(ip("192.0.2.1")));
    }

    #[test]
    fn with_the_proxy_protocol_no_header_is_read() {
        let by = ForwardedBy::ProxyProtocol;
        assert_eq!(client(by, "198.51.100.7", &["203.0.113.9"]), Ok(ip("198.51.100.7")));
        assert_eq!(client(by, "10.0.0.1", &["203.0.113.9"]), Ok(ip("10.0.0.1")), "its own check");
        assert!(!proxies(by).wrote_headers(ip("10.0.0.1")));
        assert!(proxies(ForwardedBy::Forwarded).wrote_headers(ip("10.0.0.1")));
        assert!(!proxies(ForwardedBy::Forwarded).wrote_headers(ip("198.51.100.7")));
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_counts() {
        let by = ForwardedBy::XForwardedFor;
        for (values, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.9", "198.51.100.7, 10.1.1.1"], "198.51.100.7"),
            (&["garbage, 198.51.100.7:4711 , 10.1.1.1"], "198.51.100.7"),
            (&["[2001:db8::1]:80"], "2001:db8::1"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        ] {
            assert_eq!(client(by, "10.0.0.1", values), Ok(ip(expected)), "{values:?}");
        }
        let mapped = client(by, "::ffff:10.0.0.1", &["198.51.100.7"]);
        assert_eq!(mapped, Ok(ip("198.51.100.7")), "the proxy's own address is one");
    }

    #[test]
    fn a_proxy_that_says_nothing_is_refused() {
        for by in [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded] {
            assert!(client(by, "10.0.0.1", &[]).is_err());
            assert_eq!(client(by, "192.0.2.1", &[]), Ok(ip("192.0.2.1")), "nobody speaks for it");
        }
        assert_eq!(client(ForwardedBy::ProxyProtocol, "10.0.0.1", &[]), Ok(ip("10.0.0.1")));
    }

    #[test]
    fn forwarded_is_read_as_the_standard_writes_it() {
        for (value, expected) in [
            ("for=198.51.100.7;proto=https;by=203.0.113.43", "198.51.100.7"),
            ("proto=https; For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.43, for=198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client(ForwardedBy::Forwarded, "10.0.0.1", &[value]), Ok(ip(expected)));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for value in [
            "unknown",
            "",
            "198.51.100.7,",
            "198.51.100.7:x",
            "198.51.100.7:+1",
            "[::1",
            "1.2.3",
            "fe80::1%2",
        ] {
            assert!(client(ForwardedBy::XForwardedFor, "10.0.0.1", &[value]).is_err(), "{value}");
        }
        for value in ["for=_hidden", "for=unknown", "proto=https", "198.51.100.7"] {
            assert!(client(ForwardedBy::Forwarded, "10.0.0.1", &[value]).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_a_client_a_proxy(value in any::<Vec<u8>>(), peer in any::<[u8; 4]>()) {
            let peer = IpAddr::from(peer);
            for by in [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded] {
                let found = proxies(by).client(peer, std::iter::once(&*value));
                if peer.to_canonical() != ip("10.0.0.0") && !proxies(by).trusts(peer) {
                    prop_assert_eq!(found, Ok(peer));
                }
            }
        }

        #[test]
        fn bytes_of_any_kind_do_no_harm(values in prop::collection::vec("[0-9a-f.:,;=\"\\[\\] for]{0,40}", 0..4)) {
            for by in [ForwardedBy::XForwardedFor, ForwardedBy::Forwarded] {
                let _ = proxies(by).client(ip("10.0.0.1"), values.iter().map(|v| v.as_bytes()));
            }
        }
    }
}
