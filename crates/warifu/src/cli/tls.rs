//! TLS that is spoken by the server itself: rustls with aws-lc-rs, nothing older than TLS 1.2, and
//! certificates that are read again when their files change.

use super::CliError;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use warifu_auth::Certificates;

type Stamps = [Option<SystemTime>; 2];

/// The server's own certificate with its key.
pub struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    loaded: RwLock<(Arc<CertifiedKey>, Stamps)>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.certificate).finish()
    }
}

impl Identity {
    /// Reads a chain and its key in PEM.
    ///
    /// # Errors
    /// When a file cannot be read, or the key is not the certificate's.
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Identity>, CliError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let loaded = load(certificate, key, &provider)?;
        Ok(Arc::new(Identity {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            provider,
            loaded: RwLock::new(loaded),
        }))
    }

    /// Reads the files again if one was replaced, and says whether it was.
    ///
    /// # Errors
    /// As [`Identity::open`]; what was read before stays in use.
    pub fn reload(&self) -> Result<bool, CliError> {
        let before = self.loaded.read().unwrap_or_else(PoisonError::into_inner).1;
        if stamps(&self.certificate, &self.key) == before {
            return Ok(false);
        }
        let loaded = load(&self.certificate, &self.key, &self.provider)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// How the main router is served.
    ///
    /// # Errors
    /// When the library refuses its own defaults.
    pub fn plain(self: &Arc<Self>) -> Result<ServerConfig, CliError> {
        let config = self.builder()?.with_no_client_auth().with_cert_resolver(self.clone());
        Ok(http1(config))
    }

    /// How the listener that asks for certificates is served: every connection shows its certificate
    /// and proves its key anew; none is resumed.
    ///
    /// # Errors
    /// As [`Identity::plain`].
    pub fn asking(
        self: &Arc<Self>,
        authorities: Arc<Certificates>,
    ) -> Result<ServerConfig, CliError> {
        let algorithms = self.provider.signature_verification_algorithms;
        let hints =
            authorities.subjects().iter().map(|s| DistinguishedName::in_sequence(s)).collect();
        let verifier = Arc::new(Possession { algorithms, hints });
        let builder = self.builder()?.with_client_cert_verifier(verifier);
        let mut config = http1(builder.with_cert_resolver(self.clone()));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    fn builder(
        &self,
    ) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, CliError> {
        ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| CliError::Said(format!("TLS: {e}")))
    }
}

fn http1(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.loaded.read().unwrap_or_else(PoisonError::into_inner).0.clone())
    }
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
}

fn load(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<(Arc<CertifiedKey>, Stamps), CliError> {
    // Before the content: a file that is replaced meanwhile is then read once more.
    let stamps = stamps(certificate, key);
    let said = |path: &Path, e: &dyn std::fmt::Display| {
        CliError::Said(format!("{}: {e}; write certificate and key in PEM", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| said(certificate, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| said(key, &e))?;
    let made =
        CertifiedKey::from_der(chain, private, provider).map_err(|e| said(certificate, &e))?;
    Ok((Arc::new(made), stamps))
}

/// Has the other side prove that it holds the key of the certificate that it shows, and takes every
/// certificate, or none. Whether it holds is asked by the one page of this listener, which can answer
/// in words and write the ledger; a handshake could only break off.
#[derive(Debug)]
struct Possession {
    algorithms: WebPkiSupportedAlgorithms,
    hints: Vec<DistinguishedName>,
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
