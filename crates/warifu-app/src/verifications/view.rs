//! Checks as those see them who may know of them.

use super::steps::vouched_for;
use super::{digest_of, gone};
use crate::{App, AppError};
use std::collections::HashMap;
use warifu_domain::access::{Actor, Denied, Permission, Roles};
use warifu_domain::people::KnownPerson;
use warifu_domain::protected::Protected;
use warifu_domain::verification::{
    Number, Outcome, Stage, Tally, Verification, Wish, may_approve, may_see,
};
use warifu_domain::{PersonId, Timestamp};
use warifu_storage::credentials::{self, Credential};
use warifu_storage::{organizations, people, verifications as store};

/// Checks shown at once.
const SHOWN: i64 = 100;

/// A check in a list.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: i64,
    pub person: PersonId,
    pub name: String,
    pub organization: String,
    pub roles: Roles,
    pub wish: Wish,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    pub expired: bool,
    pub requested_at: Timestamp,
    /// When the delay is over, once it is approved.
    pub due: Option<Timestamp>,
    /// Whether it waits for the actor's approval.
    pub waits_for_me: bool,
}

/// The agent's side of a tally.
#[derive(Clone, Debug)]
pub struct TallyShown {
    /// What the caller opens: `/verify/CODE`.
    pub code: String,
    /// The agent's half, to be said.
    pub half: String,
    pub opened: bool,
    pub agent_fits: bool,
    pub caller_fits: bool,
    pub tries: u32,
    pub lives: bool,
    pub ends_at: Timestamp,
}

/// One check.
#[derive(Clone, Debug)]
pub struct VerificationView {
    pub v: Verification,
    pub owner: KnownPerson,
    pub roles: Roles,
    pub organization: String,
    /// Names of everybody who has a part in it.
    pub names: HashMap<PersonId, String>,
    /// The numbers that may be called.
    pub numbers: Vec<Number>,
    /// The account's factors.
    pub factors: Vec<Credential>,
    /// For the agent who began it.
    pub tally: Option<TallyShown>,
    pub delay: i64,
    pub due: Option<Timestamp>,
    pub expired: bool,
    /// What a proof is bound to besides the number of the check.
    pub digest: String,
    /// Whether the actor may take the steps of the desk, approve, carry out.
    pub may_work: bool,
    pub may_approve: bool,
    pub may_finish: bool,
}

/// What a colleague is asked.
#[derive(Clone, Debug)]
pub struct Vouching {
    pub id: i64,
    pub name: String,
    pub agent: String,
    pub done: bool,
    /// What their key is asked for.
    pub asks: Protected,
}

impl App {
    async fn line(&self, actor: &Actor, v: Verification) -> Result<Option<Line>, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let Some(owner) = people::find(&mut conn, v.payload.person).await? else { return Ok(None) };
        let roles = people::roles(&mut conn, owner.id).await?;
        let own = owner.id == actor.person;
        if !own && !may_see(actor, owner.organization, roles) {
            return Ok(None);
        }
        let organization = organizations::find(&mut conn, owner.organization).await?;
        let (now, delay) = (self.now(), self.config.reset_delay.of(roles));
        let expired = v.expired(now, delay);
        let waits_for_me = !expired
            && may_approve(actor, owner.organization, roles)
            && v.approvable_by(actor.person).is_ok();
        Ok(Some(Line {
            id: v.id,
            person: owner.id,
            name: owner.record.display_name().to_owned(),
            organization: organization.map(|o| o.name).unwrap_or_default(),
            roles,
            wish: v.payload.wish,
            stage: v.stage(),
            outcome: v.end.map(|e| e.how),
            expired,
            requested_at: v.requested.at,
            due: v.due(delay),
            waits_for_me,
        }))
    }

    async fn lines(&self, actor: &Actor, found: Vec<Verification>) -> Result<Vec<Line>, AppError> {
        let mut lines = Vec::with_capacity(found.len());
        for v in found {
            lines.extend(self.line(actor, v).await?);
        }
        Ok(lines)
    }

    /// The checks that exist for the actor, newest first; at most 100.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for those to whom the list does not exist.
    pub async fn verifications(&self, actor: &Actor) -> Result<Vec<Line>, AppError> {
        let may = |p| actor.roles.allow(p);
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = match actor.is_staff() {
            true if may(Permission::VerifyCallers) || may(Permission::ApproveResets) => {
                store::list(&mut conn, None, None, SHOWN).await?
            }
            true => return Err(Denied(Permission::VerifyCallers).into()),
            false if may(Permission::ApproveResets) => {
                store::of_organization(&mut conn, actor.organization, SHOWN).await?
            }
            false => return Err(gone()),
        };
        drop(reader);
        self.lines(actor, found).await
    }

    /// What goes on with the actor's own account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn own_verifications(&self, actor: &Actor) -> Result<Vec<Line>, AppError> {
        let mut reader = self.db.read().await?;
        let found = store::list(&mut reader.conn(), None, Some(actor.person), SHOWN).await?;
        drop(reader);
        let lines = self.lines(actor, found).await?;
        Ok(lines.into_iter().filter(|l| l.stage != Stage::Ended && !l.expired).collect())
    }

    /// How many checks wait for the actor's approval, of the newest that wait for one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions(&self, actor: &Actor) -> Result<i64, AppError> {
        if !actor.roles.allow(Permission::ApproveResets) {
            return Ok(0);
        }
        let mut reader = self.db.read().await?;
        let waiting = store::list(&mut reader.conn(), Some(Stage::Approval), None, SHOWN).await?;
        drop(reader);
        let lines = self.lines(actor, waiting).await?;
        Ok(lines.iter().filter(|l| l.waits_for_me).count() as i64)
    }

    /// One check.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it does not exist for the actor.
    pub async fn verification(&self, actor: &Actor, id: i64) -> Result<VerificationView, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let v = store::find(&mut conn, id).await?.ok_or_else(gone)?;
        let owner = people::find(&mut conn, v.payload.person).await?.ok_or_else(gone)?;
        let roles = people::roles(&mut conn, owner.id).await?;
        if !may_see(actor, owner.organization, roles) {
            return Err(gone());
        }
        let organization = organizations::find(&mut conn, owner.organization).await?;
        let parts = v.involved().chain(v.approved.as_ref().map(|a| a.by));
        let parts = parts.chain(v.end.and_then(|e| e.by)).collect::<Vec<_>>();
        let names = people::names(&mut conn, parts).await?.into_iter().collect();
        let now = self.now();
        let may_work = actor.roles.allow(Permission::VerifyCallers) && owner.id != actor.person;
        let mut numbers = Vec::new();
        if may_work && v.stage() == Stage::CallBack {
            let record = &owner.record;
            let known = [&record.phone, &record.mobile].into_iter().flatten();
            let known: Vec<&str> = known.map(String::as_str).collect();
            numbers = store::numbers(&mut conn, owner.id, &known).await?;
            numbers.retain(|n| n.qualifies(now));
        }
        let factors = credentials::of_person(&mut conn, owner.id).await?;
        let tally = v.tally.as_ref().filter(|t| t.by == actor.person);
        let tally = tally.map(|t| self.tally_shown(&v, t, now));
        let delay = self.config.reset_delay.of(roles);
        let (due, expired) = (v.due(delay), v.expired(now, delay));
        let open = v.stage() != Stage::Ended && !expired;
        let approver = v.approved.as_ref().map(|a| a.by);
        Ok(VerificationView {
            may_work: may_work && open,
            may_approve: open
                && may_approve(actor, owner.organization, roles)
                && v.approvable_by(actor.person).is_ok(),
            may_finish: open
                && may_work
                && approver != Some(actor.person)
                && due.is_some_and(|due| due <= now),
            digest: digest_of(&v),
            organization: organization.map(|o| o.name).unwrap_or_default(),
            owner,
            roles,
            names,
            numbers,
            factors,
            tally,
            delay,
            due,
            expired,
            v,
        })
    }

    fn tally_shown(&self, v: &Verification, t: &Tally, now: Timestamp) -> TallyShown {
        let (code, half) = self.agent_side(v, t);
        TallyShown {
            code,
            half,
            opened: t.browser.is_some(),
            agent_fits: t.agent_fits,
            caller_fits: t.caller_fits,
            tries: t.tries(),
            lives: t.lives(now),
            ends_at: t.ends_at(),
        }
    }

    /// What the colleague who was named is asked.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for everybody else.
    pub async fn vouching(&self, actor: &Actor, id: i64) -> Result<Vouching, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let v = store::find(&mut conn, id).await?.ok_or_else(gone)?;
        let look = v.looked.filter(|l| l.colleague == Some(actor.person)).ok_or_else(gone)?;
        let names = people::names(&mut conn, [v.payload.person, look.by]).await?;
        let names: HashMap<PersonId, String> = names.into_iter().collect();
        let name = |id: PersonId| names.get(&id).cloned().unwrap_or_default();
        Ok(Vouching {
            id,
            name: name(v.payload.person),
            agent: name(look.by),
            done: v.stage() != Stage::Look,
            asks: vouched_for(&v),
        })
    }
}
