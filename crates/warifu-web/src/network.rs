//! The client's network as it may be recorded: a prefix, never the whole address.
//!
//! The address is the socket's. No header is believed: behind a proxy every client has the
//! proxy's network until trusted proxies can be declared.

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The /24 of an IPv4 address, the /48 of an IPv6 one; `loopback` for this machine, whose browsers
/// use both kinds of address in turn.
pub fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        a if a.is_loopback() => "loopback".into(),
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// The network of a request; `loopback` where there is no socket (a test that calls the router).
pub fn of(extensions: &Extensions) -> String {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    prefix(peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |c| c.0.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let of = |text: &str| text.parse().map(prefix).unwrap_or_default();
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(of("127.0.0.1"), "loopback");
        assert_eq!(of("::1"), "loopback");
    }
}
