//! The steps of a check: who may take which, and when.

use super::tally::TALLIES;
use super::{
    Approval, Called, Done, End, Look, Number, ON_RECORD, Outcome, Payload, Seen, Stage, Tally,
    Verification,
};
use crate::access::{Actor, Permission, Role, Roles};
use crate::time::{DAY, MINUTE};
use crate::{OrganizationId, PersonId, Refusal, Timestamp, refusal};

/// The code of [`void`].
pub const VOID: &str = "verify-void";

/// What was approved is not what stands here, or its approver may not approve it any more.
pub fn void() -> Refusal {
    refusal!("verify-void", "what was approved has changed; it has to be approved anew")
}

/// Whether a check of an account exists for the actor.
pub fn may_see(actor: &Actor, owner: OrganizationId, owner_roles: Roles) -> bool {
    let may = |p| actor.roles.allow(p);
    if actor.is_staff() {
        return may(Permission::VerifyCallers) || may(Permission::ApproveResets);
    }
    may(Permission::ApproveResets) && actor.organization == owner && owner_roles.is_empty()
}

/// Whether the actor's roles are enough to approve for an account. An organization's administrator
/// approves for people of their own who have no role; only a super administrator for another one, so
/// that nobody becomes more than they are by approving.
pub fn may_approve(actor: &Actor, owner: OrganizationId, owner_roles: Roles) -> bool {
    let above = Role::SuperAdministrator;
    actor.roles.allow(Permission::ApproveResets)
        && may_see(actor, owner, owner_roles)
        && (!owner_roles.has(above) || actor.roles.has(above))
}

impl Verification {
    /// The call to a number that was on record.
    ///
    /// # Errors
    /// When it is not the step that comes now, the number does not qualify, or the call was at no
    /// time since the request.
    pub fn call_back(
        &mut self,
        by: PersonId,
        number: &str,
        numbers: &[Number],
        called_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::CallBack)?;
        let known = numbers.iter().find(|n| n.text == number && n.qualifies(now));
        let known = known.ok_or_else(|| {
            refusal!(
                "verify-number",
                "this number has not stood in the record for {days} days",
                days = ON_RECORD / DAY
            )
        })?;
        // What is typed has whole minutes.
        if called_at.plus(MINUTE) <= self.requested.at || called_at > now {
            return Err(refusal!(
                "verify-called-at",
                "the call was after the request and before now"
            ));
        }
        let (number, since) = (known.text.clone(), known.since);
        self.called = Some(Called { by, at: called_at, number, since });
        Ok(())
    }

    /// The look at the caller, against the photo on record or with a colleague who vouches.
    ///
    /// # Errors
    /// When it is not the step that comes now, one answer is no, or the colleague has a part already.
    pub fn look(
        &mut self,
        by: PersonId,
        seen: Seen,
        colleague: Option<PersonId>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::Look)?;
        if !(seen.same_person && seen.moved && seen.unhurried) {
            return Err(refusal!("verify-seen", "an answer is no; end the check"));
        }
        let taken = |c: PersonId| {
            c == by
                || c == self.payload.person
                || self.requested.by == Some(c)
                || self.called.as_ref().is_some_and(|called| called.by == c)
        };
        if colleague.is_some_and(taken) {
            return Err(refusal!(
                "verify-colleague",
                "this person cannot vouch here; name another colleague"
            ));
        }
        self.looked = Some(Look { by, at: now, colleague, vouched_at: None });
        Ok(())
    }

    /// The colleague says that it is them.
    ///
    /// # Errors
    /// When nobody waits for it.
    pub fn vouch(&mut self, by: PersonId, now: Timestamp) -> Result<(), Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::Look)?;
        match &mut self.looked {
            Some(look) if look.colleague == Some(by) => {
                look.vouched_at = Some(now);
                Ok(())
            }
            _ => Err(refusal!("verify-vouch", "nobody waits for your word here")),
        }
    }

    /// Begins a tally; one that was begun before is void.
    ///
    /// # Errors
    /// When it is not the step that comes now, or there were too many.
    pub fn begin_tally(&mut self, by: PersonId, now: Timestamp) -> Result<u32, Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::Tally)?;
        if self.tallies >= TALLIES {
            return Err(refusal!("verify-tallies", "the codes of this check are used up; end it"));
        }
        self.tallies += 1;
        self.tally = Some(Tally {
            number: self.tallies,
            by,
            at: now,
            browser: None,
            agent_fits: false,
            caller_fits: false,
            wrong: 0,
        });
        Ok(self.tallies)
    }

    /// A half that a side typed: `fits` says whether it is the other's. `by`: the agent; `None`: the
    /// caller. Gives whether both fit now.
    ///
    /// # Errors
    /// When there is no tally that lives, or it is another agent's. Whoever keeps the check keeps a
    /// wrong try too: it counts.
    pub fn half(
        &mut self,
        by: Option<PersonId>,
        fits: bool,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        self.at_stage(Stage::Tally)?;
        let gone =
            || refusal!("verify-tally-gone", "this code is used up or over; begin a new one");
        let tally = self.tally.as_mut().filter(|t| t.lives(now)).ok_or_else(gone)?;
        if by.is_some_and(|by| by != tally.by) {
            return Err(gone());
        }
        match (fits, by) {
            (false, _) => tally.wrong += 1,
            (true, Some(_)) => tally.agent_fits = true,
            (true, None) => tally.caller_fits = true,
        }
        Ok(tally.passed())
    }

    /// Another payload: whatever was agreed to is void, and gives whether there was an approval. What
    /// was shown about one account says nothing about another.
    ///
    /// # Errors
    /// When the check has ended, the new text does not do, or somebody changes it to their own.
    pub fn change(
        &mut self,
        by: PersonId,
        payload: Payload,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let payload = payload.checked()?;
        if self.end.is_some() {
            return self.at_stage(Stage::CallBack).map(|()| false);
        }
        self.not_own(by)?;
        let other = payload.person != self.payload.person;
        let before = std::mem::replace(&mut self.payload, payload);
        if let Err(own) = self.not_own(by) {
            self.payload = before;
            return Err(own);
        }
        self.changed_by = Some(by);
        if other {
            (self.called, self.looked, self.tally) = (None, None, None);
            // Whoever asked for the other account may be the one whom it is about now.
            self.requested = Done { by: Some(by), at: now };
        }
        Ok(self.approved.take().is_some())
    }

    /// What was agreed to holds no more, and waits for an approval anew. Gives whose it was.
    pub fn void(&mut self) -> Option<PersonId> {
        match self.end {
            None => self.approved.take().map(|approval| approval.by),
            Some(_) => None,
        }
    }

    /// Whether this person has no other part in the check.
    ///
    /// # Errors
    /// When they have one, or it is not the step that comes now.
    pub fn approvable_by(&self, by: PersonId) -> Result<(), Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::Approval)?;
        match self.involved().any(|p| p == by) {
            true => Err(refusal!(
                "verify-two-parts",
                "you have a part in this check already; a second person approves it"
            )),
            false => Ok(()),
        }
    }

    /// The approval of a second person for exactly this text.
    ///
    /// # Errors
    /// As [`Verification::approvable_by`].
    pub fn approve(&mut self, by: PersonId, digest: String, now: Timestamp) -> Result<(), Refusal> {
        self.approvable_by(by)?;
        self.approved = Some(Approval { by, at: now, digest });
        Ok(())
    }

    /// Ends it without doing anything.
    ///
    /// # Errors
    /// When it has ended.
    pub fn end(
        &mut self,
        how: Outcome,
        by: Option<PersonId>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.end.is_some() {
            return self.at_stage(Stage::CallBack);
        }
        self.end = Some(End { how, by, at: now });
        Ok(())
    }

    /// What was approved is done now. `digest` is that of its present text.
    ///
    /// # Errors
    /// When a step is missing, the delay is not over, too much time has passed, or what was approved
    /// is not what stands here.
    pub fn finish(
        &mut self,
        by: PersonId,
        digest: &str,
        delay: i64,
        now: Timestamp,
    ) -> Result<PersonId, Refusal> {
        self.not_own(by)?;
        self.at_stage(Stage::Approved)?;
        let Some(approval) = self.approved.clone() else {
            return self.at_stage(Stage::Approval).map(|()| by);
        };
        if approval.by == by {
            return Err(refusal!(
                "verify-approved-by-you",
                "you approved this; somebody else of the desk carries it out"
            ));
        }
        if approval.digest != digest {
            return Err(void());
        }
        let due = approval.at.plus(delay.max(0));
        if now < due {
            return Err(refusal!(
                "verify-delay",
                "the delay runs until {time}; its owner can stop it until then",
                time = due.to_string()
            ));
        }
        if self.expired(now, delay) {
            return Err(refusal!("verify-expired", "too much time has passed; begin a new check"));
        }
        self.end = Some(End { how: Outcome::Done, by: Some(by), at: now });
        Ok(approval.by)
    }
}
