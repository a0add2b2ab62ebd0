//! An authority that issues client certificates, and browsers that show them.

use crate::http::{Answer, Client};
use crate::server::Warifu;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

static SERIAL: AtomicU64 = AtomicU64::new(1_000);

/// An authority with its files: `ca.pem`, `crl.pem`, and the server's own certificate.
pub struct Authority {
    pub folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A client certificate with its key.
#[derive(Clone)]
pub struct Card {
    pub certificate: Vec<u8>,
    /// PKCS#8.
    pub key: Vec<u8>,
    pub serial: u64,
}

/// What a card is made of; the rest is as it should be.
pub struct Wish {
    pub subject: &'static str,
    pub purposes: Vec<ExtendedKeyUsagePurpose>,
    /// Years of its validity.
    pub years: (i32, i32),
    /// When it ends, in seconds since 1970, where the year is too coarse.
    pub until: Option<u64>,
    /// Of another card: a renewed certificate.
    pub key: Option<Vec<u8>>,
    /// RSA with 2,048 bits, as most cards have; P-256 otherwise.
    pub rsa: bool,
    /// The policies that it was issued under, as DER writes their list.
    pub policies: Option<&'static [u8]>,
}

impl Default for Wish {
    fn default() -> Self {
        let purposes = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Wish {
            subject: "Mori Aiko",
            purposes,
            years: (2020, 2090),
            until: None,
            key: None,
            rsa: false,
            policies: None,
        }
    }
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let folder = TempDir::with_prefix("warifu-ca-").unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        let authority = Authority { folder, issuer: Issuer::new(params, key) };
        authority.revoke(&[], 2090);
        let (site, key) = authority.site();
        std::fs::write(authority.file("site.pem"), site).unwrap();
        std::fs::write(authority.file("site.key"), key).unwrap();
        authority
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn site(&self) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub fn issue(&self, wish: Wish) -> Card {
        let (params, key, serial) = made(wish);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        Card { certificate, key: key.serialize_der(), serial }
    }

    /// Writes the revocation list anew.
    pub fn revoke(&self, cards: &[&Card], next_year: i32) {
        let revoked = |card: &&Card| RevokedCertParams {
            serial_number: SerialNumber::from(card.serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(next_year, 1, 1),
            crl_number: SerialNumber::from(SERIAL.fetch_add(1, Ordering::Relaxed)),
            issuing_distribution_point: None,
            revoked_certs: cards.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).unwrap().pem().unwrap();
        // Moved into place: the server never reads half of it.
        std::fs::write(self.file("crl.new"), list).unwrap();
        std::fs::rename(self.file("crl.new"), self.file("crl.pem")).unwrap();
    }

    /// Arguments of a server that takes this authority's cards.
    pub fn arguments(&self) -> Vec<String> {
        let path = |name: &str| self.file(name).display().to_string();
        [
            ["--tls-certificate".to_owned(), path("site.pem")],
            ["--tls-key".to_owned(), path("site.key")],
            ["--certificate-listen".to_owned(), "127.0.0.1:0".to_owned()],
            ["--client-ca".to_owned(), path("ca.pem")],
            ["--client-crl".to_owned(), path("crl.pem")],
        ]
        .concat()
    }
}

fn made(wish: Wish) -> (CertificateParams, KeyPair, u64) {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, wish.subject);
    params.extended_key_usages = wish.purposes;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.custom_extensions.extend(
        wish.policies.map(|p| CustomExtension::from_oid_content(&[2, 5, 29, 32], p.to_vec())),
    );
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(wish.years.0, 1, 1);
    params.not_after = match wish.until {
        Some(seconds) => date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds),
        None => date_time_ymd(wish.years.1, 1, 1),
    };
    let key = match wish.key {
        Some(der) => KeyPair::try_from(der).unwrap(),
        None if wish.rsa => KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap(),
        None => KeyPair::generate().unwrap(),
    };
    (params, key, serial)
}

impl Card {
    /// One that nobody vouches for.
    pub fn self_signed(wish: Wish) -> Card {
        let (params, key, serial) = made(wish);
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Card { certificate, key: key.serialize_der(), serial }
    }
}

fn connector(card: Option<&Card>) -> tokio_rustls::TlsConnector {
    #[derive(Debug)]
    struct Anybody(rustls::crypto::WebPkiSupportedAlgorithms);
    impl rustls::client::danger::ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            m: &[u8],
            c: &CertificateDer<'_>,
            s: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls12_signature(m, c, s, &self.0)
        }
        fn verify_tls13_signature(
            &self,
            m: &[u8],
            c: &CertificateDer<'_>,
            s: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            rustls::crypto::verify_tls13_signature(m, c, s, &self.0)
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.0.supported_schemes()
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(algorithms)));
    let config = match card {
        Some(card) => {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(card.key.clone()));
            builder.with_client_auth_cert(vec![card.certificate.clone().into()], key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    tokio_rustls::TlsConnector::from(Arc::new(config))
}

/// Sends a request over TLS with a card or without, with a client's cookies and headers.
pub async fn send(
    client: &Client,
    card: Option<&Card>,
    method: Method,
    url: &str,
    kind: Option<&str>,
    body: Bytes,
) -> Answer {
    let url: url::Url = url.parse().unwrap();
    let port = url.port_or_known_default().unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&client.announcement).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector(card).connect(name, stream).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, format!("localhost:{port}"));
    for (name, value) in &client.headers {
        request = request.header(name, value);
    }
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let pairs: Vec<_> = client.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
    if !pairs.is_empty() {
        request = request.header(header::COOKIE, pairs.join("; "));
    }
    let answer = sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body, url }
}

/// Shows a card, or none, at an address of the listener that asks for it.
pub async fn show(client: &Client, card: Option<&Card>, url: &str) -> Answer {
    send(client, card, Method::GET, url, None, Bytes::new()).await
}

/// Where the listener that asks for certificates is.
pub async fn listener(w: &Warifu) -> String {
    for _ in 0..100 {
        let log = w.log();
        if let Some(line) = log.lines().find_map(|l| l.strip_prefix("asking for certificates on "))
        {
            return line.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no listener for certificates:\n{}", w.log())
}

/// Begins a sign-in on the main origin: where the card is shown.
pub async fn ask(client: &mut Client) -> String {
    let page = client.get("/sign-in").await;
    let form = page.form("action", "/sign-in/certificate");
    let answer = client.submit(&form, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.location()
}

/// Signs in with a card.
pub async fn sign_in(client: &mut Client, card: &Card) {
    let url = ask(client).await;
    let judged = show(client, Some(card), &url).await;
    assert_eq!(judged.status, 303, "{}", judged.text());
    let done = client.get(&path_of(&judged)).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(client.cookies.contains_key(crate::sign_in::SESSION), "{}", done.location());
}

/// Path and query of where an answer of the listener points: the main origin.
pub fn path_of(answer: &Answer) -> String {
    let url: url::Url = answer.location().parse().unwrap();
    url[url::Position::BeforePath..].to_owned()
}

/// Registers a card beside a passkey.
pub async fn register(client: &mut Client, passkey: &mut crate::passkey::Passkey, card: &Card) {
    let page = client.get("/account/passkeys").await;
    let form = page.form("action", "/enrol/certificate");
    let form = client.step_up(form, passkey).await;
    let answer = client.submit(&form, &[("name", "my card")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let judged = show(client, Some(card), &answer.location()).await;
    assert_eq!(judged.status, 303, "{}", judged.text());
    let done = client.get(&path_of(&judged)).await;
    assert_eq!((done.status.as_u16(), done.location().as_str()), (303, "/account/passkeys"));
}
