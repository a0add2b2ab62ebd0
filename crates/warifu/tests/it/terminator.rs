//! TLS in front of the server, with a certificate of its own: what some browser features ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::PublicKeyData as _;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Listens on a free port; forwards to a server once it runs.
pub struct Terminator {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    /// `https://localhost:PORT`
    pub origin: String,
    /// SHA-256 of the certificate's key, base64, as Chromium wants it.
    pub key_digest: String,
}

impl Terminator {
    pub async fn listen() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a certificate");
        let digest = Sha256::digest(made.signing_key.subject_public_key_info());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they fit");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            origin: format!("https://localhost:{port}"),
            key_digest: STANDARD.encode(digest),
        }
    }

    /// Forwards every connection to `http://localhost:PORT` until the test ends.
    pub fn forward(self, base: &str) {
        let to = base.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                let (acceptor, to) = (self.acceptor.clone(), to.clone());
                tokio::spawn(async move {
                    let Ok(mut browser) = acceptor.accept(stream).await else { return };
                    let Ok(mut server) = TcpStream::connect(&to).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut browser, &mut server).await;
                });
            }
        });
    }
}
