//! Signed notes and their Ed25519 keys (C2SP signed-note, tlog-cosignature).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};

/// Type byte of a plain Ed25519 signature.
const ED25519: u8 = 0x01;
/// Type byte of a timestamped Ed25519 witness cosignature.
const COSIGNATURE: u8 = 0x04;
/// The longest note that is read: the 16 signatures of 5 kB that the specification asks for, and
/// room to spare.
const MAX_NOTE: usize = 1 << 20;
/// The most signatures that are read.
const MAX_SIGNATURES: usize = 100;

/// Why a key text or name is refused. Never contains key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or with a space, a plus or a control character.
    #[error("a key name is not empty and has no spaces, plus signs or control characters")]
    Name,
    /// Not of the form `name+id+base64` or `PRIVATE+KEY+name+id+base64`.
    #[error("not a note key")]
    Format,
    /// The key ID does not belong to this name and key.
    #[error("the key ID does not fit the name and the key")]
    Id,
    /// Another type than Ed25519 (1) or Ed25519 cosignature (4).
    #[error("unsupported key type {0}")]
    Type(u8),
}

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note, or longer than 1 MiB, or with more than 100 signatures.
    #[error("not a signed note")]
    Format,
    /// A signature with the name and ID of a known key is wrong.
    #[error("the signature of {0} is wrong")]
    Invalid(String),
    /// No known key signed this note.
    #[error("no known key signed this note")]
    Unsigned,
}

/// `SHA-256(name || 0x0A || type || public key)[..4]`.
fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize();
    hash.iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte))
}

fn name_fits(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Splits `name+id+base64` and decodes the type byte and the 32 key bytes.
fn parse_key(text: &str) -> Result<(&str, u32, u8, [u8; 32]), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::Format)?;
    let (id, key) = rest.split_once('+').ok_or(KeyError::Format)?;
    if !name_fits(name) {
        return Err(KeyError::Name);
    }
    if id.len() != 8 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(KeyError::Format);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Format)?;
    let key = STANDARD.decode(key).map_err(|_| KeyError::Format)?;
    let (kind, key) = key.split_first().ok_or(KeyError::Format)?;
    if !matches!(*kind, ED25519 | COSIGNATURE) {
        return Err(KeyError::Type(*kind));
    }
    Ok((name, id, *kind, key.try_into().map_err(|_| KeyError::Format)?))
}

/// Writes `name+id+base64(type || key)`.
fn write_key(
    f: &mut impl fmt::Write,
    name: &str,
    id: u32,
    kind: u8,
    key: &[u8; 32],
) -> fmt::Result {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(key);
    write!(f, "{name}+{id:08x}+{}", STANDARD.encode(bytes))
}

/// A public key with its name: of a log, or of a witness (which signs with a time).
///
/// Text form (`Display`, `FromStr`): `name+hash+base64`, as Go's `sumdb/note` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    id: u32,
    kind: u8,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Name of the key; for a log it is the origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32-bit key ID in signature lines.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether this is the key of a witness (type 4) and not of a log (type 1).
    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.kind == COSIGNATURE
    }

    /// Checks one signature; for a witness the answer is the time of the cosignature, in seconds
    /// since 1970.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        if !self.is_witness() {
            let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
            return self.key.verify_strict(text.as_bytes(), &signature).ok().map(|()| None);
        }
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        let message = cosigned(text, time)?;
        self.key.verify_strict(message.as_bytes(), &signature).ok().map(|()| Some(time))
    }
}

/// The message of an Ed25519 cosignature; times beyond 2^63 − 1 are not allowed.
fn cosigned(text: &str, time: u64) -> Option<String> {
    i64::try_from(time).ok()?;
    Some(format!("cosignature/v1\ntime {time}\n{text}"))
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, self.id, self.kind, self.key.as_bytes())
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, kind, key) = parse_key(text)?;
        if id != key_id(name, kind, &key) {
            return Err(KeyError::Id);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| KeyError::Format)?;
        Ok(Self { name: name.into(), id, kind, key })
    }
}

/// A private key with its name. `Debug` does not show the key; [`SigningKey::to_text`] does.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    kind: u8,
    key: ed25519_dalek::SigningKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.name)
    }
}

impl SigningKey {
    /// A log's key from 32 bytes of a cryptographic random source.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::build(name, ED25519, seed)
    }

    /// A witness's key from 32 bytes of a cryptographic random source. Use it for nothing else:
    /// a cosignature does not bind the name.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn witness_from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Self::build(name, COSIGNATURE, seed)
    }

    fn build(name: &str, kind: u8, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !name_fits(name) {
            return Err(KeyError::Name);
        }
        Ok(Self { name: name.into(), kind, key: ed25519_dalek::SigningKey::from_bytes(seed) })
    }

    /// Parses `PRIVATE+KEY+name+hash+base64`.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Format)?;
        let (name, id, kind, seed) = parse_key(rest)?;
        let key = Self::build(name, kind, &seed)?;
        if key.verifying_key().id == id { Ok(key) } else { Err(KeyError::Id) }
    }

    /// The secret text form `PRIVATE+KEY+name+hash+base64`, as Go's `sumdb/note` writes it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::from("PRIVATE+KEY+");
        // Writing to a String cannot fail.
        let id = self.verifying_key().id;
        let _ = write_key(&mut out, &self.name, id, self.kind, self.key.as_bytes());
        out
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        let key = self.key.verifying_key();
        let id = key_id(&self.name, self.kind, key.as_bytes());
        VerifyingKey { name: self.name.clone(), id, kind: self.kind, key }
    }

    /// Signs a note text with a log's key. `None` for a witness's key, which needs a time.
    #[must_use]
    pub fn sign(&self, text: &str) -> Option<NoteSignature> {
        (self.kind == ED25519)
            .then(|| self.signature(self.key.sign(text.as_bytes()).to_bytes().into()))
    }

    /// Cosigns a checkpoint's text at a time in seconds since 1970. `None` for a log's key and
    /// for a time beyond 2^63 − 1. Whether the checkpoint is consistent with the last one that
    /// this witness signed is for the caller to check first.
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> Option<NoteSignature> {
        if self.kind != COSIGNATURE {
            return None;
        }
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.key.sign(cosigned(text, time)?.as_bytes()).to_bytes());
        Some(self.signature(bytes))
    }

    fn signature(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.name.clone(), id: self.verifying_key().id, bytes }
    }
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// ID of the key.
    pub id: u32,
    /// The signature proper, without the ID.
    pub bytes: Vec<u8>,
}

/// A signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBy {
    /// Name of the key.
    pub name: String,
    /// ID of the key.
    pub id: u32,
    /// For a witness: when it cosigned, in seconds since 1970.
    pub witnessed_at: Option<u64>,
}

/// A signed note: a text and signatures, not yet checked. `Display` writes it out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, ending in a newline.
    pub text: String,
    /// The signature lines in their order, known or not.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Parses a note without checking a signature.
    ///
    /// # Errors
    /// [`NoteError::Format`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Format)?;
        if note.len() > MAX_NOTE || note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Format);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Format)?;
        let (text, rest) = note.split_at_checked(split + 1).ok_or(NoteError::Format)?;
        let lines = rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let signatures = lines
            .ok_or(NoteError::Format)?
            .split('\n')
            .map(Self::parse_signature)
            .collect::<Option<Vec<_>>>()
            .ok_or(NoteError::Format)?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Format);
        }
        Ok(Self { text: text.into(), signatures })
    }

    fn parse_signature(line: &str) -> Option<NoteSignature> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        if !name_fits(name) || signature.is_empty() {
            return None;
        }
        Some(NoteSignature {
            name: name.into(),
            id: u32::from_be_bytes(*id),
            bytes: signature.into(),
        })
    }

    /// Checks every signature whose key is known; others are ignored, as the specification says.
    ///
    /// # Errors
    /// [`NoteError::Invalid`] if a known key's signature is wrong, [`NoteError::Unsigned`] if no
    /// known key signed.
    pub fn verify(&self, keys: &[VerifyingKey]) -> Result<Vec<VerifiedBy>, NoteError> {
        let mut verified: Vec<VerifiedBy> = Vec::new();
        for signature in &self.signatures {
            let known = keys.iter().find(|k| k.id == signature.id && k.name == signature.name);
            let Some(key) = known else { continue };
            let Some(witnessed_at) = key.check(&self.text, &signature.bytes) else {
                return Err(NoteError::Invalid(signature.name.clone()));
            };
            // A key that signed twice counts once.
            if !verified.iter().any(|v| v.id == key.id && v.name == key.name) {
                verified.push(VerifiedBy { name: key.name.clone(), id: key.id, witnessed_at });
            }
        }
        if verified.is_empty() { Err(NoteError::Unsigned) } else { Ok(verified) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { name, id, bytes } in &self.signatures {
            let mut signature = id.to_be_bytes().to_vec();
            signature.extend_from_slice(bytes);
            writeln!(f, "\u{2014} {name} {}", STANDARD.encode(signature))?;
        }
        Ok(())
    }
}
