//! X.509 client certificates (PIV, CAC): whether one holds, and what it is known by.
//!
//! The path is built and its signatures are checked by rustls-webpki. What Warifu asks for beyond that
//! is here: a purpose that is named, a key that may sign, a policy where one is demanded, revocation lists
//! that have not expired.
//! That its holder has the private key is shown by the TLS handshake before any of this is asked.

mod files;
mod policies;

pub use files::{CertificateError, Certificates};
pub use policies::{PolicyOid, PolicyOidError};

use crate::token::digest;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::time::Duration;
use warifu_domain::Timestamp;
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator,
    KeyPurposeId, KeyPurposeIdIter, RevocationOptionsBuilder,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Certificates of a chain beside the first; more than any card sends.
const CHAIN: usize = 8;
/// Longest certificate that is looked at, in bytes.
const LARGEST: usize = 16 << 10;
/// Longest name of a certificate that is kept, in characters.
const NAME: usize = 200;

/// `id-kp-clientAuth` (RFC 5280 §4.2.1.12), as DER writes it.
const CLIENT_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[43, 6, 1, 5, 5, 7, 3, 2]);
/// Microsoft's smart card logon, 1.3.6.1.4.1.311.20.2.2.
const CARD_LOGON: KeyPurposeId<'static> = KeyPurposeId::new(&[43, 6, 1, 4, 1, 130, 55, 20, 2, 2]);

/// What signs certificates and lists: no SHA-1, RSA from 2,048 bits.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::aws_lc_rs::ECDSA_P256_SHA256,
    webpki::aws_lc_rs::ECDSA_P256_SHA384,
    webpki::aws_lc_rs::ECDSA_P384_SHA256,
    webpki::aws_lc_rs::ECDSA_P384_SHA384,
    webpki::aws_lc_rs::ED25519,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
    webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    webpki::aws_lc_rs::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
];

/// Why a certificate does not hold. For the ledger and the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// The connection showed none.
    Missing,
    /// It cannot be read, or has what is not understood.
    Malformed,
    Expired,
    NotYetValid,
    /// Neither for client authentication nor for smart card logon, or its key may not sign.
    Purpose,
    /// None of the policies that are demanded, in itself or in an authority above it.
    Policy,
    /// No path to one of the authorities.
    UnknownIssuer,
    Revoked,
    /// Revocation lists are in use and none of them is for it, or the one that is has expired.
    RevocationUnknown,
    /// Signed with what is too weak.
    Algorithm,
    /// A signature or a rule of the path does not hold.
    NotVerified,
}

impl CertificateFault {
    /// Its stable name in the ledger.
    pub fn code(self) -> &'static str {
        match self {
            CertificateFault::Missing => "certificate_missing",
            CertificateFault::Malformed => "certificate_malformed",
            CertificateFault::Expired => "certificate_expired",
            CertificateFault::NotYetValid => "certificate_not_yet_valid",
            CertificateFault::Purpose => "certificate_purpose",
            CertificateFault::Policy => "certificate_policy",
            CertificateFault::UnknownIssuer => "certificate_issuer",
            CertificateFault::Revoked => "certificate_revoked",
            CertificateFault::RevocationUnknown => "certificate_revocation_unknown",
            CertificateFault::Algorithm => "certificate_algorithm",
            CertificateFault::NotVerified => "certificate_not_verified",
        }
    }
}

impl From<Error> for CertificateFault {
    fn from(e: Error) -> CertificateFault {
        match e {
            Error::CertExpired { .. } => CertificateFault::Expired,
            Error::CertNotValidYet { .. } => CertificateFault::NotYetValid,
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
                CertificateFault::Purpose
            }
            Error::UnknownIssuer => CertificateFault::UnknownIssuer,
            Error::CertRevoked => CertificateFault::Revoked,
            Error::UnknownRevocationStatus
            | Error::CrlExpired { .. }
            | Error::IssuerNotCrlSigner
            | Error::InvalidCrlSignatureForPublicKey => CertificateFault::RevocationUnknown,
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | Error::UnsupportedCrlSignatureAlgorithmContext(_)
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
                CertificateFault::Algorithm
            }
            Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => {
                CertificateFault::Malformed
            }
            _ => CertificateFault::NotVerified,
        }
    }
}

/// A certificate that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCertificate {
    /// SHA-256 of its SubjectPublicKeyInfo: what it is registered by.
    pub key: [u8; 32],
    /// SHA-256 of the certificate, as RFC 8705 binds tokens to it.
    pub thumbprint: [u8; 32],
    /// Who it says its holder is, shortened; for people to read only.
    pub subject: String,
    pub not_after: Timestamp,
}

/// Authorities and revocation lists, read at one time.
#[derive(Debug, Default)]
pub struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    lists: Vec<CertRevocationList<'static>>,
    /// One of them has to be carried, where there are any.
    policies: Vec<PolicyOid>,
}

/// At least one of the purposes where any is named; authorities often name none.
struct Purposes;

impl ExtendedKeyUsageValidator for Purposes {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut any = false;
        for purpose in purposes {
            let purpose = purpose?;
            if purpose == CLIENT_AUTH || purpose == CARD_LOGON {
                return Ok(());
            }
            any = true;
        }
        if any { Err(Error::EmptyEkuExtension) } else { Ok(()) }
    }
}

impl Trust {
    pub fn new(
        anchors: Vec<TrustAnchor<'static>>,
        lists: Vec<CertRevocationList<'static>>,
        policies: Vec<PolicyOid>,
    ) -> Trust {
        Trust { anchors, lists, policies }
    }

    /// Judges the chain that a connection showed, its holder's own certificate first.
    ///
    /// The work is bounded: at most nine certificates of 16 KiB each, and rustls-webpki's own limits
    /// on signatures and paths.
    ///
    /// # Errors
    /// Why it does not hold at this time.
    pub fn judge(
        &self,
        chain: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<HeldCertificate, CertificateFault> {
        let Some((own, others)) = chain.split_first() else {
            return Err(CertificateFault::Missing);
        };
        if others.len() > CHAIN || chain.iter().any(|c| c.len() > LARGEST) {
            return Err(CertificateFault::Malformed);
        }
        let seconds = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let der = CertificateDer::from(own.as_slice());
        let others: Vec<_> = others.iter().map(|c| CertificateDer::from(c.as_slice())).collect();
        let lists: Vec<&CertRevocationList<'_>> = self.lists.iter().collect();
        // Where lists are in use, every certificate of the path needs one that has not expired.
        let revocation = RevocationOptionsBuilder::new(&lists).ok();
        let revocation =
            revocation.map(|r| r.with_expiration_policy(ExpirationPolicy::Enforce).build());
        let known = EndEntityCert::try_from(&der)?;
        let path = known.verify_for_usage(
            ALGORITHMS,
            &self.anchors,
            &others,
            time,
            Purposes,
            revocation,
            None,
        )?;
        let parsed = parsed(own)?;
        may_sign_in(&parsed)?;
        let above: Vec<CertificateDer<'_>> =
            path.intermediate_certificates().map(|c| c.der()).collect();
        let above = above.iter().map(|der| self::parsed(der)).collect::<Result<Vec<_>, _>>()?;
        policies::demanded(&self.policies, &parsed, &above)?;
        let subject: String =
            parsed.subject().to_string().chars().filter(|c| !c.is_control()).take(NAME).collect();
        Ok(HeldCertificate {
            key: digest(parsed.public_key().raw),
            thumbprint: digest(own),
            subject,
            not_after: Timestamp(parsed.validity().not_after.timestamp().saturating_mul(1_000_000)),
        })
    }
}

fn parsed(der: &[u8]) -> Result<X509Certificate<'_>, CertificateFault> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateFault::Malformed),
    }
}

/// The holder's own certificate names its purpose, and where key usage is named the key may sign.
fn may_sign_in(certificate: &X509Certificate<'_>) -> Result<(), CertificateFault> {
    let malformed = |_| CertificateFault::Malformed;
    let purposes = certificate.extended_key_usage().map_err(malformed)?;
    let named = purposes.is_some_and(|p| {
        let logon = p.value.other.iter().any(|o| o.to_id_string() == "1.3.6.1.4.1.311.20.2.2");
        p.value.client_auth || logon
    });
    let usage = certificate.key_usage().map_err(malformed)?;
    let signs = usage.is_none_or(|u| u.value.digital_signature());
    if named && signs { Ok(()) } else { Err(CertificateFault::Purpose) }
}

#[cfg(test)]
mod tests;
