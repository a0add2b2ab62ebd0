//! Keys of devices that sessions are bound to, and the challenges that they sign. Only SHA-256 digests
//! of cookies and challenges are kept.

use crate::{Conn, StorageError};
use warifu_domain::Timestamp;
use warifu_domain::devices::DeviceKind;

/// The key of a session's device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub kind: DeviceKind,
    /// The point on P-256, uncompressed.
    pub public_key: Vec<u8>,
    pub bound_at: Timestamp,
    /// SHA-256 of the short cookie, and when it ends.
    pub cookie: (Vec<u8>, Timestamp),
    /// The same of the one before it.
    pub old_cookie: (Vec<u8>, Timestamp),
}

impl Device {
    pub(crate) fn kind(key: &str) -> Result<DeviceKind, StorageError> {
        let unknown =
            || StorageError::Corrupt { what: "the kind of a device", detail: key.to_owned() };
        DeviceKind::from_key(key).ok_or_else(unknown)
    }
}

/// Keeps the key of a session's device; `false` where it has one. Only a browser's own key takes the
/// place of another, and only that of a script's.
///
/// # Errors
/// As every query.
pub async fn bind(c: &mut Conn<'_>, id: &[u8], device: &Device) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "INSERT INTO devices (id, kind, public_key, bound_at, cookie, cookie_ends, old_cookie, old_ends) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, \
         public_key = excluded.public_key, bound_at = excluded.bound_at, cookie = excluded.cookie, \
         cookie_ends = excluded.cookie_ends WHERE devices.kind = 'script_key' AND excluded.kind = 'device'",
        id,
        device.kind.key(),
        &device.public_key,
        device.bound_at.0,
        &device.cookie.0,
        device.cookie.1.0,
        &device.old_cookie.0,
        device.old_cookie.1.0
    )?;
    Ok(n == 1)
}

/// Gives a device its next cookie; the one before ends at a time.
///
/// # Errors
/// As every query.
pub async fn rotate(
    c: &mut Conn<'_>,
    id: &[u8],
    cookie: &[u8],
    ends: Timestamp,
    old_ends: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "UPDATE devices SET old_cookie = cookie, old_ends = $4, cookie = $2, cookie_ends = $3 WHERE id = $1",
        id,
        cookie,
        ends.0,
        old_ends.0
    )?;
    Ok(())
}

/// Keeps a challenge, and forgets those that have expired.
///
/// # Errors
/// As every query.
pub async fn insert_challenge(
    c: &mut Conn<'_>,
    challenge: &[u8],
    device: &[u8],
    purpose: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM device_challenges WHERE expires_at <= $1", now.0)?;
    execute!(
        c,
        "INSERT INTO device_challenges (token_hash, device, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        challenge,
        device,
        purpose,
        expires_at.0
    )?;
    Ok(())
}

/// Takes a challenge out; `false` when it was not made for this device and purpose, was answered before
/// or has expired.
///
/// # Errors
/// As every query.
pub async fn take_challenge(
    c: &mut Conn<'_>,
    challenge: &[u8],
    device: &[u8],
    purpose: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "DELETE FROM device_challenges WHERE token_hash = $1 AND device = $2 AND purpose = $3 AND expires_at > $4",
        challenge,
        device,
        purpose,
        now.0
    )?;
    Ok(n == 1)
}
