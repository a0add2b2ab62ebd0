//! Approval, the stop of the owner, the end, and what is done after the delay.

use super::{
    Held, action, approval_void, digest_of, gone, reference, refused, step, tell_watchers,
};
use crate::attachments::from_hex;
use crate::enrolment::{INVITATION, Invitation};
use crate::notices::notify;
use crate::sign_in::From;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use warifu_auth::{Token, credential_id, digest, equal};
use warifu_domain::PersonId;
use warifu_domain::access::{Actor, Denied, Permission};
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::verification::{Outcome, VOID, Verification, Wish, may_approve, void};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment, ProtectedAction, SessionRevoked};
use warifu_storage::{credentials, people, recovery, sessions, verifications as store};

/// What was done. The invitation is shown once, to be handed over.
pub struct Finished {
    pub invitation: Option<Invitation>,
}

/// What an approver agrees to: this check with exactly this content.
pub(super) fn protected(v: &Verification, digest: &str) -> Protected {
    Protected::new(Action::ApproveReset).with("verification", v.id).with("payload", digest)
}

/// Ends every session of somebody, for a stable reason, with its entry; gives how many.
pub(crate) async fn end_every_session(
    change: &mut Change<'_>,
    by: Option<&Actor>,
    owner: &warifu_domain::people::KnownPerson,
    reason: &str,
) -> Result<u64, AppError> {
    let at = change.at();
    let ended = sessions::end_all(&mut change.conn(), owner.id, at).await?;
    let body = SessionRevoked {
        person: owner.id.to_string(),
        revoked: None,
        reason: reason.into(),
        bound_to: None,
    };
    match by {
        Some(actor) => change.record(actor, Some(owner.organization), &body).await?,
        None => change.record_own(Some(owner.organization), &body).await?,
    };
    Ok(ended)
}

impl App {
    /// A second person agrees. What they agreed to is bound to their proof.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::StepUp`] without a proof for just this content;
    /// [`AppError::Conflict`] for somebody who has another part in it, or out of turn: the ledger says so.
    pub async fn approve_verification(
        &self,
        actor: &Actor,
        id: i64,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let mut held = self.held(&mut change, actor, id).await?;
        let now = change.at();
        let organization = Some(held.owner.organization);
        if !may_approve(actor, held.owner.organization, held.roles) {
            return Err(Denied(Permission::ApproveResets).into());
        }
        self.in_time(&held, now)?;
        if let Err(what) = held.v.approvable_by(actor.person) {
            let mut entry = step(&held.v, "approval", false);
            entry.approver = Some(actor.person.to_string());
            change.record(actor, organization, &entry).await?;
            change.commit().await?;
            return Err(refused(what));
        }
        let digest = digest_of(&held.v);
        spend(&mut change, actor, &protected(&held.v, &digest), proof).await?;
        held.v.approve(actor.person, digest, now).map_err(refused)?;
        store::update(&mut change.conn(), &held.v, now).await?;
        change.record(actor, organization, &step(&held.v, "approval", true)).await?;
        change.record(actor, organization, &action(&held.v, "approve_reset")).await?;
        let due = held.v.due(self.config.reset_delay.of(held.roles)).unwrap_or(now);
        let (check, due) = (reference(id), due.to_string());
        let details = [("check", check.as_str()), ("due", due.as_str())];
        notify(&mut change, held.owner.id, NoticeKind::ResetApproved, &details).await?;
        tell_watchers(&mut change, &held, NoticeKind::ResetOfOther, &due).await?;
        change.commit().await?;
        Ok(())
    }

    /// The desk ends a check without doing anything; `attack` says so to everybody whom it concerns.
    ///
    /// # Errors
    /// Denied, [`AppError::NotFound`], or [`AppError::Conflict`] when it has ended.
    pub async fn end_verification(
        &self,
        actor: &Actor,
        id: i64,
        attack: bool,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let held = self.held(&mut change, actor, id).await?;
        let how = if attack { Outcome::Attack } else { Outcome::Refused };
        self.ended(change, held, Some(actor), "", how).await
    }

    /// The owner stops what goes on with their account.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for what is not about the actor's own account; [`AppError::Conflict`] when it
    /// has ended.
    pub async fn stop_verification(&self, actor: &Actor, id: i64) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let held = self.held_by(&mut change, id).await?;
        match held.owner.id == actor.person {
            true => self.ended(change, held, Some(actor), "", Outcome::Stopped).await,
            false => Err(gone()),
        }
    }

    /// The same with the link of a notice. It can do nothing else.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a link that is none; [`AppError::Conflict`] when it has ended.
    pub async fn stop_by_link(&self, id: i64, token: &str, from: From<'_>) -> Result<(), AppError> {
        if !self.is_stop_link(id, token) {
            return Err(gone());
        }
        let mut change = self.change().await?;
        let held = self.held_by(&mut change, id).await?;
        self.ended(change, held, None, from.network, Outcome::Stopped).await
    }

    /// Whether a link stops a check.
    pub fn is_stop_link(&self, id: i64, token: &str) -> bool {
        equal(token, &self.stop_token(id).text())
    }

    /// Ends the open check of somebody who is switched off, in the transaction of that.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn end_check_of(
        &self,
        change: &mut Change<'_>,
        actor: &Actor,
        person: PersonId,
    ) -> Result<(), AppError> {
        let Some(id) = self.open_check(change, person).await? else { return Ok(()) };
        let held = self.held_by(change, id).await?;
        self.end_in(change, held, Some(actor), "", Outcome::Refused).await
    }

    async fn ended(
        &self,
        mut change: Change<'_>,
        held: Held,
        actor: Option<&Actor>,
        network: &str,
        how: Outcome,
    ) -> Result<(), AppError> {
        self.end_in(&mut change, held, actor, network, how).await?;
        change.commit().await?;
        Ok(())
    }

    async fn end_in(
        &self,
        change: &mut Change<'_>,
        mut held: Held,
        actor: Option<&Actor>,
        network: &str,
        how: Outcome,
    ) -> Result<(), AppError> {
        let now = change.at();
        let organization = Some(held.owner.organization);
        held.v.end(how, actor.map(|a| a.person), now).map_err(refused)?;
        store::update(&mut change.conn(), &held.v, now).await?;
        let method = match how {
            Outcome::Stopped => "stopped",
            Outcome::Attack => "attack",
            Outcome::Done | Outcome::Refused => "refused",
        };
        let (entry, act) = (step(&held.v, method, false), action(&held.v, method));
        match actor {
            Some(actor) => {
                change.record(actor, organization, &entry).await?;
                change.record(actor, organization, &act).await?
            }
            None => {
                change.record_stranger(network, &entry).await?;
                change.record_stranger(network, &act).await?
            }
        };
        let check = reference(held.v.id);
        let own = [("check", check.as_str())];
        notify(change, held.owner.id, NoticeKind::ResetStopped, &own).await?;
        if how == Outcome::Attack || how == Outcome::Stopped {
            tell_watchers(change, &held, NoticeKind::ResetOfOtherStopped, "").await?;
        }
        Ok(())
    }

    /// Does what was approved, when its delay is over: old factors are revoked, every session ends, and
    /// there is an invitation for whoever has none left.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::Conflict`] when a step is missing, the delay is not over,
    /// or what was approved has changed: the ledger says so, and it waits for another approval.
    pub async fn finish_verification(&self, actor: &Actor, id: i64) -> Result<Finished, AppError> {
        actor.require(Permission::VerifyCallers)?;
        let mut change = self.change().await?;
        let mut held = self.held(&mut change, actor, id).await?;
        let now = change.at();
        let organization = Some(held.owner.organization);
        let delay = self.config.reset_delay.of(held.roles);
        let agreed = match self.approver_still_may(&mut change, &held).await? {
            true => held.v.finish(actor.person, &digest_of(&held.v), delay, now),
            false => Err(void()),
        };
        let approver = match agreed {
            Ok(approver) => approver.to_string(),
            Err(what) => {
                change.record(actor, organization, &step(&held.v, "carried_out", false)).await?;
                if what.code() == VOID
                    && let Some(approver) = held.v.void()
                {
                    store::update(&mut change.conn(), &held.v, now).await?;
                    let (about, asked) = ((&held.v, organization), held.v.requested.by);
                    approval_void(&mut change, actor, about, (asked, approver)).await?;
                }
                change.commit().await?;
                return Err(refused(what));
            }
        };
        self.factor_fits(&mut change, &held.v.payload).await?;
        store::update(&mut change.conn(), &held.v, now).await?;
        change.record(actor, organization, &step(&held.v, "carried_out", true)).await?;
        let body = |name: &str| ProtectedAction {
            action: name.into(),
            target: Some(held.owner.id.to_string()),
            approver: Some(approver.clone()),
        };
        change.record(actor, organization, &body(held.v.payload.wish.key())).await?;
        self.revoke_factors(&mut change, actor, &held).await?;
        end_every_session(&mut change, Some(actor), &held.owner, "reset").await?;
        credentials::end_enrolments(&mut change.conn(), held.owner.id, now).await?;
        let mut invitation = None;
        if held.v.payload.wish == Wish::ResetFactors {
            recovery::replace(&mut change.conn(), held.owner.id, &[], now).await?;
            let token = Token::from_random(self.random_bytes());
            let (person, expires_at) = (held.owner.id, now.plus(INVITATION));
            let hash = token.hash();
            let by = actor.person;
            credentials::insert_enrolment(&mut change.conn(), &hash, person, by, now, expires_at)
                .await?;
            // Not for whoever carries it out, nor for whoever has their session: it opens where the
            // caller compared the halves.
            let tally = held.v.tally.as_ref();
            let browser = tally.and_then(|t| t.browser.as_deref()).and_then(from_hex);
            let browser =
                browser.ok_or_else(|| AppError::Internal("a check without a caller".into()))?;
            credentials::bind_enrolment(&mut change.conn(), &hash, &browser).await?;
            change.record(actor, organization, &body("invite")).await?;
            invitation = Some(Invitation { person, token, expires_at });
        }
        let check = reference(id);
        let own = [("check", check.as_str())];
        notify(&mut change, held.owner.id, NoticeKind::ResetDone, &own).await?;
        tell_watchers(&mut change, &held, NoticeKind::ResetOfOtherDone, "").await?;
        change.commit().await?;
        Ok(Finished { invitation })
    }

    /// Whether whoever approved it might approve it now: neither they nor the account are more or less
    /// than they were.
    async fn approver_still_may(
        &self,
        change: &mut Change<'_>,
        held: &Held,
    ) -> Result<bool, AppError> {
        // Without an approval the rule says what is missing.
        let Some(approval) = &held.v.approved else { return Ok(true) };
        let found = people::find(&mut change.conn(), approval.by).await?.filter(|p| p.active);
        let Some(person) = found else { return Ok(false) };
        let approver = Actor {
            person: person.id,
            name: String::new(),
            organization: person.organization,
            roles: people::roles(&mut change.conn(), person.id).await?,
            session: None,
            network: String::new(),
        };
        Ok(may_approve(&approver, held.owner.organization, held.roles))
    }

    async fn revoke_factors(
        &self,
        change: &mut Change<'_>,
        actor: &Actor,
        held: &Held,
    ) -> Result<(), AppError> {
        let at = change.at();
        for factor in credentials::of_person(&mut change.conn(), held.owner.id).await? {
            let wanted = match held.v.payload.wish {
                Wish::ResetFactors => true,
                Wish::RemoveFactor(id) => factor.id == id,
            };
            if wanted
                && credentials::revoke(&mut change.conn(), held.owner.id, factor.id, at).await?
            {
                let named = match factor.kind {
                    Factor::Passkey => credential_id(&factor.verifier),
                    _ => factor.verifier.into_bytes(),
                };
                let body = Enrolment {
                    person: held.owner.id.to_string(),
                    factor: factor.kind.key().into(),
                    credential: Hash(digest(&named)),
                    change: Done::Removed,
                };
                change.record(actor, Some(held.owner.organization), &body).await?;
            }
        }
        Ok(())
    }
}
