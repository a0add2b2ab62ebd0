//! The sessions that hold, seen by their owner or by an administrator, and ending them.

use crate::notices::notify;
use crate::sessions::OpenSession;
use crate::sign_in::subject_of;
use crate::{App, AppError};
use std::collections::{HashMap, HashSet};
use warifu_auth::digest;
use warifu_domain::access::{Actor, Permission, Roles};
use warifu_domain::devices::DeviceKind;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::policy::LONGEST_IDLE;
use warifu_domain::{PersonId, Timestamp};
use warifu_ledger::Hash;
use warifu_ledger::body::SessionRevoked;
use warifu_storage::sessions::Active;
pub use warifu_storage::sessions::Whose;
use warifu_storage::{organizations, people, sessions};

/// A session as it is shown: nothing of it can be used as one.
#[derive(Clone, Debug)]
pub struct ActiveSession {
    /// SHA-256 of the stored token hash, hexadecimal: what the ledger calls it, too.
    pub name: String,
    pub person: PersonId,
    pub person_name: String,
    pub roles: Roles,
    pub network: String,
    /// `User-Agent`, shortened.
    pub agent: String,
    /// What opened it, and what the owner calls that.
    pub factor: Factor,
    pub key: String,
    /// Where the key of the device is that it is bound to.
    pub device: Option<DeviceKind>,
    pub opened_at: Timestamp,
    /// Microseconds until it is over, and since it was used.
    pub left: i64,
    pub idle: i64,
}

/// Sessions shown at once.
const SHOWN: i64 = 200;

fn name(token_hash: &[u8]) -> String {
    crate::attachments::hex(&digest(token_hash))
}

impl OpenSession {
    /// What the ledger and the list of sessions call it.
    pub fn name(&self) -> String {
        name(&self.token_hash)
    }
}

impl App {
    /// Sessions that are open now, the last used first; at most 200. Everybody sees their own, and an
    /// organization's administrators those of its people.
    ///
    /// # Errors
    /// Denied for everybody's without [`Permission::ManageSessions`]; [`AppError::NotFound`] for somebody
    /// else's and another organization's.
    pub async fn active_sessions(
        &self,
        actor: &Actor,
        whose: Whose,
    ) -> Result<Vec<ActiveSession>, AppError> {
        match whose {
            Whose::Everybody => actor.require(Permission::ManageSessions)?,
            Whose::Organization(id) if !actor.may_for(id, Permission::ManageSessions) => {
                return Err(AppError::NotFound("organization"));
            }
            Whose::Person(id) if id != actor.person => return Err(AppError::NotFound("person")),
            Whose::Organization(_) | Whose::Person(_) => {}
        }
        let (now, policies) = (self.now(), self.policies().await?);
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let used_since = now.plus(-LONGEST_IDLE);
        let found = sessions::active(&mut conn, whose, now, used_since, SHOWN).await?;
        if let Whose::Organization(id) = whose
            && organizations::find(&mut conn, id).await?.is_none()
        {
            return Err(AppError::NotFound("organization"));
        }
        let mut known = HashMap::new();
        let owners: HashSet<PersonId> = found.iter().map(|s| s.person).collect();
        for person in owners {
            let Some(found) = people::find(&mut conn, person).await? else { continue };
            let Some(organization) = organizations::find(&mut conn, found.organization).await?
            else {
                continue;
            };
            let roles = people::roles(&mut conn, person).await?;
            let subject = subject_of(&found, roles, &organization);
            let name = found.record.display_name().to_owned();
            known.insert(person, (name, roles, policies.effective(subject)));
        }
        let shown = |s: Active| {
            let (person_name, roles, limits) = known.get(&s.person)?;
            let left = s.ends_at.min(s.created_at.plus(limits.lifetime)).0 - now.0;
            let idle = (now.0 - s.used_at.0).max(0);
            (left > 0 && idle <= limits.idle).then(|| ActiveSession {
                name: name(&s.token_hash),
                person: s.person,
                person_name: person_name.clone(),
                roles: *roles,
                network: s.network,
                agent: s.agent,
                factor: s.factor,
                key: s.key,
                device: s.device,
                opened_at: s.created_at,
                left,
                idle,
            })
        };
        Ok(found.into_iter().filter_map(shown).collect())
    }

    /// Ends a session of the actor's, with [`Permission::ManageSessions`] anybody's, and for an
    /// organization's administrator one of its people's. It holds for every request that starts after
    /// this returns.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such session, or it is not the actor's to end.
    pub async fn end_session(
        &self,
        actor: &Actor,
        person: PersonId,
        session: &str,
    ) -> Result<(), AppError> {
        match self.end(actor, person, |hash| name(hash) == session).await? {
            0 => Err(AppError::NotFound("session")),
            _ => Ok(()),
        }
    }

    /// Ends every session of a person, but not the one in which this is asked. Gives how many.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when they are not the actor's to end.
    pub async fn end_sessions(
        &self,
        session: &OpenSession,
        person: PersonId,
    ) -> Result<usize, AppError> {
        self.end(&session.actor, person, |hash| hash != session.token_hash).await
    }

    async fn end(
        &self,
        actor: &Actor,
        person: PersonId,
        which: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<usize, AppError> {
        let own = person == actor.person;
        let mut change = self.change().await?;
        let at = change.at();
        let owner = people::find(&mut change.conn(), person).await?;
        let organization = owner.map(|p| p.organization);
        let may = |o| actor.may_for(o, Permission::ManageSessions);
        if !own && !organization.is_some_and(may) {
            return Err(AppError::NotFound("session"));
        }
        let open = sessions::of_person(&mut change.conn(), person, at).await?;
        let mut ended = 0;
        for hash in open.iter().filter(|hash| which(hash)) {
            if !sessions::end(&mut change.conn(), hash, at).await? {
                continue;
            }
            let body = SessionRevoked {
                person: person.to_string(),
                revoked: Some(Hash(digest(hash))),
                reason: if own { "owner" } else { "administrator" }.into(),
                bound_to: None,
            };
            change.record(actor, organization, &body).await?;
            if !own {
                notify(&mut change, person, NoticeKind::SessionEnded, &[]).await?;
            }
            ended += 1;
        }
        match ended {
            0 => change.unchanged().await?,
            _ => drop(change.commit().await?),
        }
        Ok(ended)
    }
}
