//! Help-desk verification: a new way into an account for somebody who has lost theirs. The rules are
//! in `warifu_domain::verification`; here each step gets its ledger entry and its notices.

mod decide;
mod steps;
mod view;

pub use decide::Finished;
pub(crate) use decide::end_every_session;
pub use steps::CallerSide;
pub use view::{Line, TallyShown, VerificationView, Vouching};

use crate::attachments::hex;
use crate::notices::notify;
use crate::{App, AppError, Change};
use std::collections::BTreeSet;
use warifu_auth::{Token, digest};
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::verification::{Channel, Payload, Stage, Verification, Wish, may_see};
use warifu_domain::{OrganizationId, PersonId, Refusal, Timestamp, refusal};
use warifu_ledger::body::{ProtectedAction, Verification as Verified};
use warifu_storage::{credentials, people, verifications as store};

/// How long a reset waits after its approval, in microseconds, so that its owner can stop it.
#[derive(Clone, Copy, Debug)]
pub struct ResetDelay {
    /// For people with a role; at least [`warifu_domain::verification::LEAST_DELAY`].
    pub roles: i64,
    /// For customers' users without one.
    pub users: i64,
}

impl ResetDelay {
    /// The delay for somebody with these roles.
    pub fn of(&self, roles: Roles) -> i64 {
        if roles.is_empty() { self.users } else { self.roles }
    }
}

/// What people call a check, such as `HD-12`.
pub fn reference(id: i64) -> String {
    format!("HD-{id}")
}

/// A check in the transaction of a step, and whose account it is about.
struct Held {
    v: Verification,
    owner: KnownPerson,
    roles: Roles,
}

fn gone() -> AppError {
    AppError::NotFound("verification")
}

/// SHA-256 of what is agreed to, hexadecimal.
fn digest_of(v: &Verification) -> String {
    hex(&digest(v.text().as_bytes()))
}

/// A refusal of a rule as an answer: the check is not in the state that was shown, or not for this
/// person.
fn refused(what: Refusal) -> AppError {
    match what.code() {
        "verify-text" => AppError::invalid("reason", what),
        "verify-number" => AppError::invalid("number", what),
        "verify-called-at" => AppError::invalid("at", what),
        "verify-seen" => AppError::invalid("seen", what),
        "verify-colleague" => AppError::invalid("colleague", what),
        _ => AppError::Conflict(what),
    }
}

/// The entry of a step about whose account it is.
fn step(v: &Verification, method: &str, passed: bool) -> Verified {
    Verified {
        person: v.payload.person.to_string(),
        method: method.into(),
        passed,
        approver: v.approved.as_ref().map(|a| a.by.to_string()),
    }
}

fn action(v: &Verification, action: &str) -> ProtectedAction {
    ProtectedAction {
        action: action.into(),
        target: Some(reference(v.id)),
        approver: v.approved.as_ref().map(|a| a.by.to_string()),
    }
}

/// Tells those who answer for an account that is not theirs: the super administrators of the vendor and
/// the administrators of its organization.
async fn tell_watchers(
    change: &mut Change<'_>,
    held: &Held,
    kind: NoticeKind,
    due: &str,
) -> Result<(), AppError> {
    let mut told: BTreeSet<PersonId> =
        people::holders(&mut change.conn(), Role::SuperAdministrator).await?.into_iter().collect();
    let own = people::holders(&mut change.conn(), Role::OrganizationAdministrator).await?;
    let own = people::find_many(&mut change.conn(), own).await?;
    let of_organization = own.iter().filter(|p| p.organization == held.owner.organization);
    told.extend(of_organization.map(|p| p.id));
    told.remove(&held.owner.id);
    let (name, check) = (held.owner.record.display_name(), reference(held.v.id));
    for person in told {
        notify(change, person, kind, &[("name", name), ("check", &check), ("due", due)]).await?;
    }
    Ok(())
}

/// An approval is void: the ledger says whose it was, and whoever asked and whoever approved hears of
/// it.
async fn approval_void(
    change: &mut Change<'_>,
    actor: &Actor,
    (v, organization): (&Verification, Option<OrganizationId>),
    (asked, approver): (Option<PersonId>, PersonId),
) -> Result<(), AppError> {
    let by = Some(approver.to_string());
    let void = Verified { approver: by.clone(), ..step(v, "approval_void", false) };
    change.record(actor, organization, &void).await?;
    let void = ProtectedAction { approver: by, ..action(v, "approval_void") };
    change.record(actor, organization, &void).await?;
    let check = reference(v.id);
    for person in BTreeSet::from_iter(asked.into_iter().chain([approver])) {
        notify(change, person, NoticeKind::ResetVoid, &[("check", &check)]).await?;
    }
    Ok(())
}

impl App {
    /// The check with its owner, for an actor who may know of it, in the transaction of a step.
    async fn held(
        &self,
        change: &mut Change<'_>,
        actor: &Actor,
        id: i64,
    ) -> Result<Held, AppError> {
        let held = self.held_by(change, id).await?;
        match may_see(actor, held.owner.organization, held.roles) {
            true => Ok(held),
            false => Err(gone()),
        }
    }

    async fn held_by(&self, change: &mut Change<'_>, id: i64) -> Result<Held, AppError> {
        let v = store::find(&mut change.conn(), id).await?.ok_or_else(gone)?;
        let owner = people::find(&mut change.conn(), v.payload.person).await?.ok_or_else(gone)?;
        let roles = people::roles(&mut change.conn(), owner.id).await?;
        Ok(Held { v, owner, roles })
    }

    /// Refuses what comes too late.
    fn in_time(&self, held: &Held, now: Timestamp) -> Result<(), AppError> {
        match held.v.expired(now, self.config.reset_delay.of(held.roles)) {
            true => Err(refused(refusal!(
                "verify-expired",
                "too much time has passed; begin a new check"
            ))),
            false => Ok(()),
        }
    }

    /// Whether the account, the factor and the channel can be what a check is about.
    async fn payload_fits(
        &self,
        change: &mut Change<'_>,
        payload: &Payload,
        but: i64,
    ) -> Result<KnownPerson, AppError> {
        let owner = people::find(&mut change.conn(), payload.person).await?.filter(|p| p.active);
        let owner = owner.ok_or(AppError::NotFound("person"))?;
        if payload.channel == Channel::RecoveryCode {
            let what = refusal!("verify-channel", "say how the request reached the desk");
            return Err(AppError::invalid("channel", what));
        }
        self.factor_fits(change, payload).await?;
        if self.open_check(change, owner.id).await?.is_some_and(|id| id != but) {
            return Err(AppError::Conflict(refusal!(
                "verify-open",
                "a check of this account is open already; go on with it or end it"
            )));
        }
        Ok(owner)
    }

    /// The factor to be removed is theirs, and not the last.
    async fn factor_fits(&self, change: &mut Change<'_>, p: &Payload) -> Result<(), AppError> {
        let Wish::RemoveFactor(factor) = p.wish else { return Ok(()) };
        let own = credentials::of_person(&mut change.conn(), p.person).await?;
        if own.len() > 1 && own.iter().any(|f| f.id == factor) {
            return Ok(());
        }
        let what = refusal!(
            "verify-factor",
            "this is none of their factors or the last; reset all instead"
        );
        Err(AppError::invalid("factor", what))
    }

    /// The open check of an account.
    pub(crate) async fn open_check(
        &self,
        change: &mut Change<'_>,
        person: PersonId,
    ) -> Result<Option<i64>, AppError> {
        let now = change.at();
        let delay = self.config.reset_delay.of(people::roles(&mut change.conn(), person).await?);
        let known = store::list(&mut change.conn(), None, Some(person), 20).await?;
        let open = |v: &&Verification| v.stage() != Stage::Ended && !v.expired(now, delay);
        Ok(known.iter().find(open).map(|v| v.id))
    }

    /// Opens a check: somebody called who wants a new way into an account.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`] for an account that is not there; [`AppError::Invalid`] for a text or
    /// factor that does not do; [`AppError::Conflict`] for one's own account or one with an open check.
    pub async fn request_verification(
        &self,
        actor: &Actor,
        payload: Payload,
    ) -> Result<i64, AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let owner = self.payload_fits(&mut change, &payload, 0).await?;
        let id = change.conn().take_ids("verifications", 1).await?;
        let v =
            Verification::open(id, payload, Some(actor.person), change.at()).map_err(refused)?;
        store::insert(&mut change.conn(), &v).await?;
        change.record(actor, Some(owner.organization), &step(&v, "request", true)).await?;
        change.record(actor, Some(owner.organization), &action(&v, v.payload.wish.key())).await?;
        let check = reference(id);
        notify(&mut change, owner.id, NoticeKind::ResetAsked, &[("check", &check)]).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Changes what a check is about. An approval is void then; of another account nothing is kept.
    ///
    /// # Errors
    /// As [`App::request_verification`].
    pub async fn change_verification(
        &self,
        actor: &Actor,
        id: i64,
        payload: Payload,
    ) -> Result<(), AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let Held { mut v, owner: before, .. } = self.held(&mut change, actor, id).await?;
        let now = change.at();
        // What a recovery code opened keeps its channel.
        let channel = payload.channel;
        let same = channel == Channel::RecoveryCode && v.payload.channel == channel;
        let looked_at =
            Payload { channel: if same { Channel::Phone } else { channel }, ..payload.clone() };
        let owner = self.payload_fits(&mut change, &looked_at, id).await?;
        let payload = payload.checked().map_err(refused)?;
        if payload == v.payload {
            return Ok(());
        }
        let (asked, approver) = (v.requested.by, v.approved.as_ref().map(|a| a.by));
        let voided = v.change(actor.person, payload, now).map_err(refused)?;
        store::update(&mut change.conn(), &v, now).await?;
        let organization = Some(owner.organization);
        change.record(actor, organization, &step(&v, "changed", true)).await?;
        if let Some(approver) = approver.filter(|_| voided) {
            approval_void(&mut change, actor, (&v, organization), (asked, approver)).await?;
        }
        let check = reference(id);
        if before.id != owner.id {
            notify(&mut change, before.id, NoticeKind::ResetStopped, &[("check", &check)]).await?;
            notify(&mut change, owner.id, NoticeKind::ResetAsked, &[("check", &check)]).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// What stops a reset without a session, for the notice that leaves the system: derived from the
    /// installation's key and kept nowhere.
    pub fn stop_token(&self, id: i64) -> Token {
        Token::from_random(self.keys.for_purpose(&format!("stop verification {id}")))
    }

    /// The path of that link.
    pub fn stop_path(&self, id: i64) -> String {
        format!("/verify/stop/{id}/{}", self.stop_token(id).text())
    }

    /// The names of a person's factors of every kind, for whoever opens a check.
    ///
    /// # Errors
    /// Denied, or when the database fails.
    pub async fn factors_of(
        &self,
        actor: &Actor,
        person: PersonId,
    ) -> Result<Vec<(i64, Factor, String)>, AppError> {
        actor.require(Permission::VerifyCallers)?;
        let own = credentials::of_person(&mut self.db.read().await?.conn(), person).await?;
        Ok(own.into_iter().map(|f| (f.id.0, f.kind, f.name)).collect())
    }
}
