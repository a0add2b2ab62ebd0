//! Certificate policies (RFC 5280 §4.2.1.4): under which rules a certificate was issued, such as those
//! of PIV cards.

use super::CertificateFault;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::OID_X509_EXT_CERTIFICATE_POLICIES;

/// `anyPolicy`, 2.5.29.32.0, as DER writes it.
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0x00];
/// Longest identifier that is read, in characters.
const LONGEST: usize = 200;

/// Why a text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyOidError {
    #[error("write an object identifier such as 2.16.840.1.101.3.2.1.3.13")]
    Format,
    #[error("this is every policy; leave the option out")]
    Any,
}

/// A certificate policy by its object identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyOid(Vec<u8>);

impl std::fmt::Debug for PolicyOid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let oid = x509_parser::der_parser::oid::Oid::new(self.0.as_slice().into());
        write!(f, "PolicyOid({oid})")
    }
}

impl PolicyOid {
    /// Reads an identifier in its dotted form.
    ///
    /// # Errors
    /// When it is none (X.660: 0, 1 or 2, below the first two 0 to 39), or `anyPolicy`.
    pub fn parse(text: &str) -> Result<PolicyOid, PolicyOidError> {
        let bad = PolicyOidError::Format;
        if text.len() > LONGEST {
            return Err(bad);
        }
        let arcs: Vec<u64> = text.split('.').map(arc).collect::<Option<_>>().ok_or(bad)?;
        let [first, second, rest @ ..] = arcs.as_slice() else { return Err(bad) };
        if *first > 2 || (*first < 2 && *second > 39) {
            return Err(bad);
        }
        let mut der = Vec::new();
        write_arc(&mut der, second.checked_add(first * 40).ok_or(bad)?);
        rest.iter().for_each(|arc| write_arc(&mut der, *arc));
        if der == ANY { Err(PolicyOidError::Any) } else { Ok(PolicyOid(der)) }
    }
}

/// A number as it is written, without a sign and without leading zeros.
fn arc(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    plain.then(|| text.parse().ok()).flatten()
}

/// Base 128, the highest digit first (X.690 §8.19.2).
fn write_arc(der: &mut Vec<u8>, arc: u64) {
    let digits = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    for digit in (0..digits).rev() {
        let more = if digit == 0 { 0 } else { 0x80 };
        der.push((arc >> (7 * digit)) as u8 & 0x7f | more);
    }
}

/// Whether a certificate names a policy.
fn carried(certificate: &X509Certificate<'_>, policy: &[u8]) -> Result<bool, CertificateFault> {
    let extension = certificate
        .get_extension_unique(&OID_X509_EXT_CERTIFICATE_POLICIES)
        .map_err(|_| CertificateFault::Malformed)?;
    match extension.map(|e| e.parsed_extension()) {
        None => Ok(false),
        Some(ParsedExtension::CertificatePolicies(all)) => {
            Ok(all.iter().any(|p| p.policy_id.as_bytes() == policy))
        }
        Some(_) => Err(CertificateFault::Malformed),
    }
}

/// Checks that a certificate carries one of the demanded policies, and that every authority between it
/// and the root was itself issued under that policy or under every one. Policies are not translated
/// (`policyMappings`).
///
/// # Errors
/// [`CertificateFault::Policy`] where none of them holds.
pub fn demanded(
    policies: &[PolicyOid],
    own: &X509Certificate<'_>,
    above: &[X509Certificate<'_>],
) -> Result<(), CertificateFault> {
    let holds = |policy: &PolicyOid| -> Result<bool, CertificateFault> {
        let mut held = carried(own, &policy.0)?;
        for authority in above {
            held = held && (carried(authority, &policy.0)? || carried(authority, ANY)?);
        }
        Ok(held)
    };
    if policies.is_empty() {
        return Ok(());
    }
    for policy in policies {
        if holds(policy)? {
            return Ok(());
        }
    }
    Err(CertificateFault::Policy)
}
