//! Somebody's way in: what they have now, and switching them off and on again.

use crate::enrolment::{protected_action, reachable};
use crate::notices::notify;
use crate::step_up::spend;
use crate::verifications::end_every_session;
use crate::{App, AppError, Change};
use warifu_domain::access::{Actor, Permission, Role};
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::{PersonId, Timestamp, refusal};
use warifu_ledger::Count;
use warifu_ledger::body::PersonChange;
use warifu_storage::{credentials, people, services};

/// What somebody can come in with, for those who let people in and out.
#[derive(Clone, Debug)]
pub struct WayIn {
    /// `false` when they are switched off.
    pub active: bool,
    /// Factors that are not revoked.
    pub factors: usize,
    /// When one of them was last used.
    pub used_at: Option<Timestamp>,
    /// Whether they have or had a factor: then only a check of the help desk gives a new way in.
    pub ever: bool,
    pub invitation: Option<OpenInvitation>,
    /// Whether the actor may do anything about it: not about whoever is above them, or a program.
    pub may: bool,
}

/// A one-time link that may still be used.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    /// Who made it; empty for the console.
    pub by: String,
    pub expires_at: Timestamp,
    /// Whether a browser has opened it, so that no other can.
    pub opened: bool,
}

impl App {
    /// What a person can come in with.
    ///
    /// # Errors
    /// Denied without [`Permission::Invite`]; [`AppError::NotFound`] when there is no such person.
    pub async fn way_in(&self, actor: &Actor, id: PersonId) -> Result<WayIn, AppError> {
        actor.require(Permission::Invite)?;
        let now = self.now();
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let person = people::find(&mut conn, id).await?.ok_or(AppError::NotFound("person"))?;
        let roles = people::roles(&mut conn, id).await?;
        let own = credentials::of_person(&mut conn, id).await?;
        let open = credentials::open_enrolment(&mut conn, id, now).await?;
        let invitation = match open.filter(|_| person.active) {
            Some(open) => {
                let by = people::names(&mut conn, [open.by]).await?.pop();
                let by = by.map(|(_, name)| name).unwrap_or_default();
                Some(OpenInvitation { by, expires_at: open.expires_at, opened: open.opened })
            }
            None => None,
        };
        Ok(WayIn {
            active: person.active,
            factors: own.len(),
            used_at: own.iter().filter_map(|f| f.last_used_at).max(),
            ever: credentials::ever(&mut conn, id).await?,
            invitation,
            may: !actor.roles.below(roles) && !services::is_account(&mut conn, id).await?,
        })
    }

    /// Switches somebody off or on again. Off ends whatever they have open, and holds for every request that
    /// starts after this returns; what is so already stays so.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::StepUp`] without a proof for just this;
    /// [`AppError::Conflict`] for oneself and for the last super administrator who is not switched off.
    pub async fn switch_person(
        &self,
        actor: &Actor,
        id: PersonId,
        on: bool,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let person = reachable(&mut change.conn(), actor, id).await?;
        if id == actor.person {
            return Err(AppError::Conflict(refusal!(
                "switch-self",
                "nobody switches themselves off or on; somebody else does"
            )));
        }
        if person.active == on {
            return change.unchanged().await;
        }
        let above = people::holders(&mut change.conn(), Role::SuperAdministrator).await?;
        if !on && above == [id] {
            return Err(AppError::Conflict(refusal!(
                "switch-last",
                "the last super administrator stays; name another first"
            )));
        }
        let what = Protected::new(Action::SwitchPerson)
            .with("person", id)
            .with("state", if on { "on" } else { "off" });
        spend(&mut change, actor, &what, proof).await?;
        let (organization, revision) = (person.organization, change.revision());
        let switched = KnownPerson { active: on, ..person };
        people::update(&mut change.conn(), revision, &switched).await?;
        let body = PersonChange {
            person: id.to_string(),
            fields: vec!["active".into()],
            revision: Count(revision.0 as u64),
        };
        change.record(actor, Some(organization), &body).await?;
        let name = if on { "switch_person_on" } else { "switch_person_off" };
        change.record(actor, Some(organization), &protected_action(name, id)).await?;
        match on {
            true => self.told_of_return(&mut change, actor, &switched, &above).await?,
            false => self.end_everything(&mut change, actor, &switched).await?,
        }
        change.commit().await?;
        Ok(())
    }

    /// Sessions, and with them what they opened in applications and the keys of their devices; one-time
    /// links for them and by them; checks of the help desk. Factors stay: whoever comes back has them.
    async fn end_everything(
        &self,
        change: &mut Change<'_>,
        actor: &Actor,
        person: &KnownPerson,
    ) -> Result<(), AppError> {
        let at = change.at();
        end_every_session(change, Some(actor), person, "switched_off").await?;
        credentials::end_enrolments(&mut change.conn(), person.id, at).await?;
        // Nor comes anybody in whom they let in: whoever invited may be why they are switched off.
        for invited in credentials::end_enrolments_by(&mut change.conn(), person.id, at).await? {
            let whose = people::find(&mut change.conn(), invited).await?.map(|p| p.organization);
            let body = protected_action("withdraw_invitation", invited);
            change.record(actor, whose, &body).await?;
        }
        self.end_check_of(change, actor, person.id).await?;
        notify(change, person.id, NoticeKind::SwitchedOff, &[("by", &actor.name)]).await
    }

    /// A way in that opens again is a weakening: all who answer for the installation learn of it.
    async fn told_of_return(
        &self,
        change: &mut Change<'_>,
        actor: &Actor,
        person: &KnownPerson,
        above: &[PersonId],
    ) -> Result<(), AppError> {
        let by = ("by", actor.name.as_str());
        notify(change, person.id, NoticeKind::SwitchedOn, &[by]).await?;
        let details = [("name", person.record.display_name()), by];
        for told in above.iter().filter(|told| **told != person.id) {
            notify(change, *told, NoticeKind::SwitchedOnOther, &details).await?;
        }
        Ok(())
    }
}
