//! 7 and 8 where proxies announce clients before the first byte of a connection (PROXY protocol v2).

use super::network::{HOME, asn_database};
use super::{entries, verified};
use crate::cards::{Authority, Card, Wish, ask, listener, path_of, register, send, show};
use crate::http::Client;
use crate::passkey::Passkey;
use crate::proxies::{Proxy, announced, announcement};
use crate::server::{Engine, Warifu};
use crate::sign_in::{SESSION, enter, invitation, who};
use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Of the same provider, and of another one.
const NEAR: &str = "2001:db8:1000::9";
const FAR: &str = "198.51.100.66";

/// A server that takes announcements of these proxies.
async fn told_by(w: &mut Warifu, proxies: &str, further: &[String]) {
    let path = w.data().join("asn.mmdb");
    asn_database(&path);
    let path = path.display().to_string();
    let asked = ["--trusted-proxy", proxies, "--forwarded-by", "proxy-protocol"];
    w.serve = asked.into_iter().chain(["--asn-database", &path]).map(str::to_owned).collect();
    w.serve.extend_from_slice(further);
    w.restart().await;
}

fn from(client: &Client, address: &str) -> Client {
    Client { announcement: announcement(address, 0), ..client.clone() }
}

/// A super administrator at home, and their key.
async fn administrator(w: &Warifu) -> (Client, Passkey) {
    let link = invitation(w, "owner@example.com", "super_administrator");
    let mut client = from(&w.client(), HOME);
    let passkey = enter(&mut client, w.base(), &link).await;
    (client, passkey)
}

async fn connect(w: &Warifu) -> TcpStream {
    let address = w.base().replace("http://localhost", "127.0.0.1");
    TcpStream::connect(address).await.unwrap()
}

/// What a connection is answered that begins so, and how long it took.
async fn answered(w: &Warifu, bytes: &[u8], ends: bool) -> (String, Duration) {
    let began = Instant::now();
    let mut socket = connect(w).await;
    // The server may be gone before everything is written.
    let _ = socket.write_all(bytes).await;
    if ends {
        let _ = socket.shutdown().await;
    }
    let mut said = Vec::new();
    let reading = socket.read_to_end(&mut said);
    let read = tokio::time::timeout(Duration::from_secs(30), reading).await;
    let _ = read.expect("the server closes the connection");
    (String::from_utf8_lossy(&said).into_owned(), began.elapsed())
}

const ASKED: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

on_both! {
    async fn attack_08_an_announced_client_is_bound_to_its_network(mut w: Warifu) {
        told_by(&mut w, "127.0.0.0/8", &[]).await;
        let (mut owner, _) = administrator(&w).await;
        let signed_in = entries(&mut owner, "sign_in").await;
        assert_eq!(signed_in[0]["network"], json!({ "asn": 64496, "prefix": "203.0.113.0/24" }));
        // Addresses of one provider, of both families, with whatever else a proxy tells.
        for (address, further) in [(NEAR, 0), ("203.0.112.9", 3_000), ("::ffff:203.0.113.10", 7)] {
            let mut client = owner.clone();
            client.announcement = announcement(address, further);
            assert_eq!(who(&mut client).await.status, 200, "{address}");
        }
        // What the client writes itself is not read, not even by a declared address.
        for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            let said = if header == "forwarded" { "for=198.51.100.66" } else { FAR };
            assert_eq!(who(&mut owner.clone().header(header, said)).await.status, 200, "{header}");
        }
        // Nor may it name an application: the proxy need not have looked into the connection.
        let mut forged = owner.clone().header("x-forwarded-host", "app.example.com").header("x-forwarded-proto", "https");
        assert_eq!(forged.get("/auth/verify").await.status, 403);
        forged.announcement = announced(0x20, 0, &[]);
        assert_eq!(forged.get("/auth/verify").await.status, 403);
        // The proxy's own look at the server, with or without addresses.
        for rest in [&[][..], &[0; 12], &[7; 4_096]] {
            let own = [&announced(0x20, 0x11, rest), ASKED].concat();
            assert!(answered(&w, &own, false).await.0.ends_with("ok\n"));
        }

        let thief = from(&owner, FAR);
        assert_eq!(who(&mut thief.clone()).await.status, 401);
        assert_eq!(who(&mut owner).await.status, 401, "it goes on where it was opened");
        let link = invitation(&w, "second@example.com", "super_administrator");
        let mut second = from(&w.client(), NEAR);
        enter(&mut second, w.base(), &link).await;
        let told = entries(&mut second, "session_revoked").await;
        assert_eq!((told.len(), &told[0]["body"]["reason"]), (1, &json!("other_network")));
        assert_eq!(told[0]["network"], json!({ "asn": 64497, "prefix": "198.51.100.0/24" }));
        assert_eq!(told[0]["body"]["bound_to"], json!({ "asn": 64496, "prefix": "203.0.113.0/24" }));
        verified(&w);
    }

    async fn attack_08_what_a_proxy_announces_wrongly_is_refused(mut w: Warifu) {
        told_by(&mut w, "127.0.0.0/8", &[]).await;
        let (mut owner, _) = administrator(&w).await;
        let home = announcement(HOME, 0);
        let (v4, v6) = ([203, 0, 113, 10, 192, 0, 2, 1, 0, 1, 0, 80], [0x20; 36]);
        let mut third = home.clone();
        third[12] = 0x31;
        let mut longer = home.clone();
        longer[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        for (name, begins) in [
            ("nothing", Vec::new()),
            ("no header", Vec::from(b"    ")),
            ("version 1", b"PROXY TCP4 203.0.113.10 192.0.2.1 4711 443\r\n".to_vec()),
            ("version 1, unknown", b"PROXY UNKNOWN\r\n".to_vec()),
            ("version 3", third),
            ("an unknown command", announced(0x22, 0x11, &v4)),
            ("no family", announced(0x21, 0, &[])),
            ("no family, addresses", announced(0x21, 0, &v4)),
            ("datagrams", announced(0x21, 0x12, &v4)),
            ("datagrams, IPv6", announced(0x21, 0x22, &v6)),
            ("a path", announced(0x21, 0x31, &[b'/'; 216])),
            ("half an address", announced(0x21, 0x11, &v4[..3])),
            ("IPv6 in the room of IPv4", announced(0x21, 0x21, &v4)),
            ("too long", announced(0x21, 0x11, &[1; 4_097])),
            ("too long by its word", longer),
            ("much too long", announced(0x20, 0, &[1; 65_535])),
        ] {
            let (said, _) = answered(&w, &[&begins[..], ASKED].concat(), false).await;
            assert_eq!(said, "", "{name}");
        }
        // Cut off in the middle, at every byte of it.
        for end in 0..home.len() {
            assert_eq!(answered(&w, &home[..end], true).await.0, "", "{end} bytes");
        }
        // Slow ones: refused in a few seconds, and nobody waits for them.
        let slow = [&home[..0], &home[..5], &home[..20]].map(|part| answered(&w, part, false));
        let slow = futures_util::future::join_all(slow);
        let others = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let began = Instant::now();
            assert_eq!(who(&mut from(&owner, NEAR)).await.status, 200);
            assert!(began.elapsed() < Duration::from_secs(3), "it waited for others");
        };
        for (said, took) in tokio::join!(slow, others).0 {
            assert_eq!(said, "");
            assert!(took < Duration::from_secs(15), "{took:?}");
        }
        // What comes after one header is the client's: a second one is no request.
        let far = announcement(FAR, 0);
        let v1 = b"PROXY TCP4 198.51.100.66 192.0.2.1 1 2\r\n".to_vec();
        let within = announcement(HOME, u16::try_from(far.len()).unwrap());
        let within = [&within[..within.len() - far.len()], &far].concat();
        for (name, second) in [("version 2", &far), ("version 1", &v1)] {
            let (said, _) = answered(&w, &[&home[..], second, ASKED].concat(), false).await;
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{name}: {said}");
        }
        let mut twice = owner.clone();
        twice.announcement = within;
        assert_eq!(who(&mut twice).await.status, 200, "one within the other's bytes is skipped");
        assert_eq!(who(&mut owner).await.status, 200, "the server goes on, and so does the session");
        assert!(entries(&mut owner, "session_revoked").await.is_empty());
        assert_eq!(w.log().matches("a connection was refused").count(), 1, "{}", w.log());
        assert!(!w.log().contains("panicked"), "{}", w.log());
        verified(&w);
    }

    async fn attack_07_nobody_but_a_declared_proxy_is_listened_to(mut w: Warifu) {
        told_by(&mut w, "10.0.0.1", &[]).await;
        for begins in [announcement(HOME, 0), announced(0x20, 0, &[]), Vec::new()] {
            for _ in 0..3 {
                assert_eq!(answered(&w, &[&begins[..], ASKED].concat(), false).await.0, "");
            }
        }
        let (said, took) = answered(&w, &[], false).await;
        assert_eq!(said, "");
        assert!(took < Duration::from_secs(4), "not one byte was waited for: {took:?}");
        let warned = w.log().matches("it is no declared proxy").count();
        assert_eq!(warned, 1, "strangers fill no log: {}", w.log());
        told_by(&mut w, "127.0.0.1", &[]).await;
        let (mut owner, _) = administrator(&w).await;
        assert_eq!(entries(&mut owner, "sign_in").await.len(), 1);
        verified(&w);
    }

    async fn attack_08_with_tls_the_announcement_comes_first(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let further = [ca.arguments(), ["--tls-listen", "127.0.0.1:0"].map(str::to_owned).into()].concat();
        told_by(&mut w, "127.0.0.0/8", &further).await;
        let (mut owner, mut passkey) = administrator(&w).await;
        let card = ca.issue(Wish::default());
        register(&mut owner, &mut passkey, &card).await;
        let asking = listener(&w).await;

        through_tls(&w, &owner, &card, &tls(&w), &asking).await;
        // Without one, with two, and within the handshake: no connection.
        let first = tls(&w);
        for origin in [&first, &asking] {
            let port = origin.rsplit(':').next().unwrap();
            for begins in [Vec::new(), [announcement(HOME, 0), announcement(FAR, 0)].concat()] {
                let mut socket = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
                socket.write_all(&begins).await.unwrap();
                let hello = b"\x16\x03\x01\x00\x05hello and good morning to everybody";
                let _ = socket.write_all(hello).await;
                let mut said = Vec::new();
                let _ = socket.read_to_end(&mut said).await;
                assert!(said.is_empty() || said[0] == 0x15, "an alert at most: {said:?}");
            }
        }
        assert_eq!(who(&mut owner).await.status, 200);
        verified(&w);
    }

    async fn attack_08_behind_haproxy_the_client_s_own_address_counts(mut w: Warifu) {
        let ca = Authority::new("Warifu Test CA");
        let further = [ca.arguments(), ["--tls-listen", "127.0.0.1:0"].map(str::to_owned).into()].concat();
        told_by(&mut w, "127.0.0.0/8", &further).await;
        let (mut owner, mut passkey) = administrator(&w).await;
        let card = ca.issue(Wish::default());
        register(&mut owner, &mut passkey, &card).await;
        let port = |origin: &str| origin.rsplit(':').next().unwrap().parse::<u16>().unwrap();
        let (proxy, asking) = Proxy::haproxy(port(&tls(&w)), port(&listener(&w).await)).await;
        // Long enough for several of its own looks: a server that failed them would get no connection.
        tokio::time::sleep(Duration::from_secs(2)).await;
        through_tls(&w, &owner, &card, &proxy.base, &format!("https://localhost:{asking}")).await;
        verified(&w);
    }
}

/// Where the server speaks TLS.
fn tls(w: &Warifu) -> String {
    let log = w.log();
    let line = log.lines().find_map(|line| line.strip_prefix("with TLS on "));
    line.expect("it speaks TLS").to_owned()
}

/// A card signs in from the owner's provider, and the session holds there and nowhere else, at the origins
/// of the two TLS listeners.
async fn through_tls(w: &Warifu, owner: &Client, card: &Card, main: &str, asking: &str) {
    let mut reader = owner.clone();
    let visit = async |client: &Client, path: &str| {
        let client = client.clone().header("accept", "application/json");
        send(&client, None, Method::GET, &format!("{main}{path}"), None, Bytes::new()).await
    };
    assert_eq!(visit(&from(&w.client(), FAR), "/healthz").await.status, 200);
    let mut person = from(&w.client(), NEAR);
    let shown = |url: String| {
        let url: url::Url = url.parse().unwrap();
        format!("{asking}{}", &url[url::Position::BeforePath..])
    };
    // A card that nobody knows, from elsewhere: its network is in the ledger.
    let mut thief = from(&w.client(), FAR);
    let url = shown(ask(&mut thief).await);
    let answer = show(&thief.clone().header("accept", "application/json"), None, &url).await;
    assert_eq!(answer.status, 403);
    let told = entries(&mut reader, "sign_in_refused").await;
    assert_eq!(told[0]["body"]["reason"], "certificate_missing");
    assert_eq!(told[0]["network"], json!({ "asn": 64497, "prefix": "198.51.100.0/24" }));

    let url = shown(ask(&mut person).await);
    let judged = show(&person, Some(card), &url).await;
    assert_eq!(judged.status, 303, "{}", judged.text());
    assert_eq!(person.get(&path_of(&judged)).await.location(), "/cases");
    assert!(person.cookies.contains_key(SESSION));
    let told = entries(&mut reader, "sign_in").await;
    assert_eq!(told[0]["network"], json!({ "asn": 64496, "prefix": "2001:db8:1000::/48" }));
    assert_eq!(visit(&from(&person, HOME), "/account/passkeys").await.status, 200);
    assert_eq!(visit(&from(&person, FAR), "/account/passkeys").await.status, 401);
    assert_eq!(visit(&person, "/account/passkeys").await.status, 401, "dead everywhere");
    let told = entries(&mut reader, "session_revoked").await;
    assert_eq!(told[0]["network"], json!({ "asn": 64497, "prefix": "198.51.100.0/24" }));
}

#[test]
fn what_would_let_nobody_in_is_said_in_one_line() {
    let w = Warifu::stopped(Engine::Sqlite);
    let output = w.run("serve", &["--listen", "127.0.0.1:0", "--forwarded-by", "proxy-protocol"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("--trusted-proxy"), "{said}");
}
