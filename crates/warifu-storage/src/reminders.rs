//! What ends soon, and who was told of it.

use crate::{Conn, StorageError};
use warifu_domain::{PersonId, Timestamp};

/// What ends, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub kind: Kind,
    pub id: i64,
    /// The owner of the certificate, or who made the account.
    pub person: PersonId,
    pub name: String,
    pub ends_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Certificate,
    Service,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Certificate => "certificate",
            Kind::Service => "service",
        }
    }
}

/// What has not ended at a time, ends at another, and of which nobody was told so many days before or
/// later; the soonest first, at most 100 of each kind.
///
/// # Errors
/// As every query.
pub async fn untold(
    c: &mut Conn<'_>,
    now: Timestamp,
    until: Timestamp,
    days: i64,
) -> Result<Vec<Ending>, StorageError> {
    type Row = (i64, i64, String, i64);
    let ending = |kind| {
        move |(id, person, name, ends): Row| Ending {
            kind,
            id,
            person: PersonId(person),
            name,
            ends_at: Timestamp(ends),
        }
    };
    let certificates = fetch_all!(c, Row:
        "SELECT id, person_id, name, expires_at FROM credentials k \
         WHERE revoked_at IS NULL AND expires_at IS NOT NULL AND expires_at > $1 AND expires_at <= $2 AND NOT EXISTS \
         (SELECT 1 FROM reminders r WHERE r.kind = 'certificate' AND r.id = k.id AND r.ends_at = k.expires_at AND r.days <= $3) \
         ORDER BY expires_at, id LIMIT 100", now.0, until.0, days)?;
    let services = fetch_all!(c, Row:
        "SELECT id, owner_id, name, expires_at FROM service_accounts s \
         WHERE revoked_at IS NULL AND expires_at > $1 AND expires_at <= $2 AND NOT EXISTS \
         (SELECT 1 FROM reminders r WHERE r.kind = 'service' AND r.id = s.id AND r.ends_at = s.expires_at AND r.days <= $3) \
         ORDER BY expires_at, id LIMIT 100", now.0, until.0, days)?;
    let mut all: Vec<Ending> = certificates.into_iter().map(ending(Kind::Certificate)).collect();
    all.extend(services.into_iter().map(ending(Kind::Service)));
    Ok(all)
}

/// Takes it on oneself to tell of an end; `false` when another node has.
///
/// # Errors
/// As every query.
pub async fn take(c: &mut Conn<'_>, of: &Ending, days: i64) -> Result<bool, StorageError> {
    let n = execute!(
        c,
        "INSERT INTO reminders (kind, id, ends_at, days) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        of.kind.key(),
        of.id,
        of.ends_at.0,
        days
    )?;
    Ok(n == 1)
}
