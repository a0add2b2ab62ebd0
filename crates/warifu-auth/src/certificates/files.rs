//! Authorities and revocation lists from files of the operator's, read again when they change.

use super::{PolicyOid, Trust};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};

/// Largest file that is read, in bytes: revocation lists of large authorities have some MiB.
const LARGEST: u64 = 64 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{0}: {1}; check the path and its rights")]
    File(PathBuf, std::io::Error),
    #[error("{0} has more than {LARGEST} bytes; is it the right file?")]
    TooLarge(PathBuf),
    #[error("{0}: {1}; write certificates and revocation lists in PEM, a list also in DER")]
    Format(PathBuf, String),
}

/// What tells that a file was replaced.
type Stamp = (Option<SystemTime>, u64);

struct Loaded {
    trust: Arc<Trust>,
    /// Subjects of the authorities, DER without the outer sequence: a browser offers certificates of theirs only.
    subjects: Arc<Vec<Vec<u8>>>,
    stamps: Vec<Stamp>,
}

/// Whose client certificates are taken.
pub struct Certificates {
    authorities: PathBuf,
    lists: Vec<PathBuf>,
    policies: Vec<PolicyOid>,
    loaded: RwLock<Arc<Loaded>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificates").field(&self.authorities).field(&self.lists).finish()
    }
}

impl Certificates {
    /// Reads the authorities' certificates and the revocation lists. With policies, a certificate has to
    /// carry one of them.
    ///
    /// # Errors
    /// When a file cannot be read, or holds nothing of the kind.
    pub fn open(
        authorities: &Path,
        lists: &[PathBuf],
        policies: Vec<PolicyOid>,
    ) -> Result<Certificates, CertificateError> {
        let loaded = load(authorities, lists, &policies)?;
        Ok(Certificates {
            authorities: authorities.to_owned(),
            lists: lists.to_owned(),
            policies,
            loaded: RwLock::new(Arc::new(loaded)),
        })
    }

    /// What holds now. Files that were replaced are read first; where they cannot be, what was read
    /// before stays in use, and a revocation list expires in time.
    ///
    /// # Errors
    /// None: the second value says why a replaced file was not taken.
    pub fn trust(&self) -> (Arc<Trust>, Option<CertificateError>) {
        let trouble = self.reload().err();
        (self.current().trust.clone(), trouble)
    }

    /// Reads the files again if one was replaced, and says whether it was.
    ///
    /// # Errors
    /// As [`Certificates::open`].
    pub fn reload(&self) -> Result<bool, CertificateError> {
        if stamps(&self.authorities, &self.lists)? == self.current().stamps {
            return Ok(false);
        }
        let loaded = Arc::new(load(&self.authorities, &self.lists, &self.policies)?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// Subjects of the authorities, DER without the outer sequence.
    pub fn subjects(&self) -> Arc<Vec<Vec<u8>>> {
        self.current().subjects.clone()
    }

    fn current(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn stamp(path: &Path) -> Result<Stamp, CertificateError> {
    let about = std::fs::metadata(path).map_err(|e| CertificateError::File(path.to_owned(), e))?;
    Ok((about.modified().ok(), about.len()))
}

fn stamps(authorities: &Path, lists: &[PathBuf]) -> Result<Vec<Stamp>, CertificateError> {
    std::iter::once(authorities).chain(lists.iter().map(PathBuf::as_path)).map(stamp).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let file = |e| CertificateError::File(path.to_owned(), e);
    if std::fs::metadata(path).map_err(file)?.len() > LARGEST {
        return Err(CertificateError::TooLarge(path.to_owned()));
    }
    std::fs::read(path).map_err(file)
}

fn load(
    authorities: &Path,
    lists: &[PathBuf],
    policies: &[PolicyOid],
) -> Result<Loaded, CertificateError> {
    // Before the content: a file that is replaced meanwhile is then read once more.
    let stamps = stamps(authorities, lists)?;
    let bytes = read(authorities)?;
    let format = |path: &Path, why: String| CertificateError::Format(path.to_owned(), why);
    let (mut anchors, mut subjects) = (Vec::new(), Vec::new());
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|e| format(authorities, e.to_string()))?;
        let anchor = anchor_from_trusted_cert(&certificate)
            .map_err(|e| format(authorities, e.to_string()))?;
        subjects.push(anchor.subject.as_ref().to_owned());
        anchors.push(anchor.to_owned());
    }
    if anchors.is_empty() {
        return Err(format(authorities, "there is no certificate in it".into()));
    }
    let mut known = Vec::new();
    for path in lists {
        let bytes = read(path)?;
        let own = |der: &[u8]| {
            let list = OwnedCertRevocationList::from_der(der);
            list.map(CertRevocationList::from).map_err(|e| format(path, e.to_string()))
        };
        let mut found = 0;
        if bytes.starts_with(&[0x30]) {
            known.push(own(&bytes)?);
            continue;
        }
        for list in CertificateRevocationListDer::pem_slice_iter(&bytes) {
            let list = list.map_err(|e| format(path, e.to_string()))?;
            known.push(own(&list)?);
            found += 1;
        }
        if found == 0 {
            return Err(format(path, "there is no revocation list in it".into()));
        }
    }
    let trust = Arc::new(Trust::new(anchors, known, policies.to_owned()));
    Ok(Loaded { trust, subjects: Arc::new(subjects), stamps })
}
