//! Where requests come from, and the networks and addresses that people declare.

use ppp::v2::{Addresses, Command, Header, Protocol};
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};
use url::Url;
use warifu_auth::applications::{Place, application_origin, client_addresses, header_text};
use warifu_auth::{
    Announced, DeclaredNetworks, ForwardedBy, IpNetwork, Network, OPENING, Opening, Proxies,
    is_member, one_group, same_network,
};
use warifu_fuzz::{Input, fuzz, inputs};

fn trusted() -> Vec<IpNetwork> {
    ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|n| n.parse().unwrap()).to_vec()
}

/// An address with a port or without, as the standard library reads them.
fn node(text: &str) -> Option<IpAddr> {
    if text.contains('%') {
        return None;
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).filter(|t| t.contains(':'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|a| a.to_canonical())
}

fn hop(by: ForwardedBy, text: &str) -> Option<IpAddr> {
    if by == ForwardedBy::XForwardedFor {
        return node(text);
    }
    for pair in text.split(';') {
        let Some(at) = pair.find('=') else { continue };
        if pair[..at].trim().eq_ignore_ascii_case("for") {
            let value = pair[at + 1..].trim();
            let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
            return node(if quoted { &value[1..value.len() - 1] } else { value });
        }
    }
    None
}

#[test]
fn fuzzed_forwarded_headers() {
    let valid = [
        "198.51.100.7",
        "203.0.113.9, 198.51.100.7:4711, 10.1.1.1",
        "[2001:db8::1]:80",
        "10.2.2.2,10.1.1.1",
        "for=192.0.2.43;proto=https, for=\"[2001:db8:cafe::17]:4711\";by=_x",
        "for=10.0.0.9",
        "::ffff:10.0.0.1",
    ];
    let words = [
        "for=",
        "For = ",
        ", ",
        ";",
        "\"",
        "10.0.0.1",
        "2001:db8:ffff::1",
        "unknown",
        ":80",
        "[::]",
        "%1",
    ];
    let values = prop::collection::vec(inputs(&valid, &words), 0..3);
    let peers =
        prop::sample::select(vec!["10.0.0.1", "::ffff:10.9.9.9", "192.0.2.1", "2001:db8::1"]);
    fuzz("forwarded headers", (values, peers, any::<bool>()), |(values, peer, standard)| {
        let by = if standard { ForwardedBy::Forwarded } else { ForwardedBy::XForwardedFor };
        let proxies = Proxies::new(trusted(), by);
        let peer: IpAddr = peer.parse::<IpAddr>().unwrap().to_canonical();
        let said = proxies.client(peer, values.iter().map(|v| v.0.as_slice()));
        // A proxy that says nothing speaks for nobody.
        let silent = values.is_empty() && proxies.trusts(peer);
        let mut expected = Some(peer).filter(|_| !silent);
        for value in values.iter().rev().filter(|_| proxies.trusts(peer)) {
            let Some(text) = std::str::from_utf8(&value.0).ok() else {
                expected = None;
                break;
            };
            let hops: Vec<&str> = text.split(',').collect();
            for text in hops.into_iter().rev() {
                expected = hop(by, text.trim());
                if expected.is_none_or(|a| !proxies.trusts(a)) {
                    break;
                }
            }
            if expected.is_none_or(|a| !proxies.trusts(a)) {
                break;
            }
        }
        assert_eq!(said.ok(), expected, "{by:?} from {peer}");
        // Whatever a client wrote: what the proxy wrote behind it counts.
        let Some(Ok(text)) = values.first().map(|v| std::str::from_utf8(&v.0)) else { return };
        let written = match by {
            ForwardedBy::Forwarded => format!("{text}, for=198.51.100.66"),
            _ => format!("{text}, 198.51.100.66"),
        };
        let counted = proxies.client(IpAddr::from([10, 0, 0, 1]), [written.as_bytes()].into_iter());
        assert_eq!(counted, Ok(IpAddr::from([198, 51, 100, 66])));
    });
}

#[test]
fn fuzzed_proxy_headers() {
    let header = |command: u8, family: u8, rest: &[u8]| {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&b"\r\n\r\n\0\r\nQUIT\n"[..], &[command, family], &length, rest].concat()
    };
    let v4 = [203, 0, 113, 10, 192, 0, 2, 1, 1, 2, 1, 187];
    let tlv = [&v4[..], &[2, 0, 7], b"example", &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
    let valid = [
        header(0x21, 0x11, &v4),
        header(0x21, 0x21, &[0x20; 36]),
        header(0x21, 0x11, &tlv),
        header(0x20, 0, &[]),
        header(0x20, 0x11, &v4),
        header(0x21, 0x31, &[b'/'; 216]),
        header(0x21, 0x12, &v4),
        header(0x21, 0x11, &[1; 4_096]),
        b"PROXY TCP4 203.0.113.10 192.0.2.1 4711 443\r\nGET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    fuzz("PROXY headers", inputs(&valid, &["\r\n\r\n\0\r\nQUIT\n", "PROXY "]), |Input(bytes)| {
        let said = bytes.split_first_chunk::<OPENING>().and_then(|(head, rest)| {
            let opening = Opening::read(head).ok()?;
            assert!(opening.rest() <= 4_096);
            opening.announced(rest.get(..opening.rest())?).ok()
        });
        // Another reader of the same format.
        let theirs = Header::try_from(bytes.as_slice()).ok().filter(|h| h.length() <= 4_096);
        let theirs =
            theirs.and_then(|header| match (header.command, header.protocol, &header.addresses) {
                (Command::Local, ..) => Some(Announced::Own),
                (_, Protocol::Stream, Addresses::IPv4(a)) => {
                    Some(Announced::Of(SocketAddr::new(a.source_address.into(), a.source_port)))
                }
                (_, Protocol::Stream, Addresses::IPv6(a)) => {
                    let address = IpAddr::from(a.source_address).to_canonical();
                    Some(Announced::Of(SocketAddr::new(address, a.source_port)))
                }
                _ => None,
            });
        // A proxy's own connection has no addresses that would have to make sense.
        if said != Some(Announced::Own) || theirs.is_some() {
            assert_eq!(said, theirs);
        }
    });
}

#[test]
fn fuzzed_declared_networks_and_addresses() {
    let own = Url::parse("https://support.example.com").unwrap();
    let valid = [
        "192.0.2.0/24, 2001:db8::/48\nAS64496",
        "AS64496",
        "203.0.113.0/24",
        "2001:db8::/32",
        "AS64496 203.0.113.0/24",
        "loopback",
        "https://app.example.com:8443/",
        "https://b.example/cb https://c.example/x?y",
        "app.example.com:443",
        "[::1]:80",
        "http://127.0.0.1:81",
        "Müller & 世界 100%",
    ];
    let words = [
        "AS",
        "/0",
        "/24",
        "https://",
        "@",
        "support.example.com",
        "\\",
        "*",
        "#",
        "%41",
        "\u{3002}",
        "0",
    ];
    fuzz(
        "declared networks and addresses",
        (inputs(&valid, &words), any::<[u8; 4]>()),
        |(input, ip)| {
            let text = input.text();
            let ip = IpAddr::from(ip);
            if let Ok(list) = DeclaredNetworks::parse(&text) {
                assert_eq!(DeclaredNetworks::parse(&list.to_string()).as_ref(), Ok(&list));
                let items =
                    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|i| !i.is_empty());
                let within =
                    items.filter_map(|i| i.parse::<IpNetwork>().ok()).any(|n| n.contains(ip));
                assert_eq!(list.contain(ip, None), within, "{ip}");
            }
            if is_member(&text) {
                let wide = text.parse::<IpNetwork>().ok();
                assert!(wide.is_none_or(|n| n.prefix() >= 16 && n.network() == n.ip()));
                let same = [text.clone()];
                let asn = format!("{text} 192.0.2.0/24");
                let member = if wide.is_some() { &text } else { &asn };
                assert!(one_group(&same, member, member));
            }
            assert!(same_network(&text, &text));
            assert!(same_network(&Network::of_text(&text).to_string(), &text));
            for scheme in ["http", "https", text.as_str()] {
                if let Some(origin) = (Place { scheme, host: &text }).origin() {
                    assert_eq!(Url::parse(&origin).unwrap().origin().ascii_serialization(), origin);
                }
            }
            if let Ok(origin) = application_origin(&text, &own) {
                let url = Url::parse(&origin).unwrap();
                assert!(url.host() != own.host() && url.path() == "/" && url.username().is_empty());
                assert_eq!(application_origin(&origin, &own), Ok(origin));
            }
            if let Ok(all) = client_addresses(&text, &own) {
                assert!(all.iter().all(|a| Url::parse(a).is_ok_and(|u| u.host() != own.host())));
            }
            let written = header_text(&text);
            assert!(written.bytes().all(|b| (b' '..=b'~').contains(&b)));
            let mut read = Vec::new();
            let mut rest = written.as_bytes();
            while let Some((first, after)) = rest.split_first() {
                rest = after;
                read.push(match first {
                    b'%' => {
                        let (digits, after) = rest.split_at(2);
                        rest = after;
                        u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
                    }
                    byte => *byte,
                });
            }
            assert_eq!(read, text.as_bytes());
        },
    );
}
