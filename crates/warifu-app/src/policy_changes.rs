//! Changing policy: a protected action always; a weakening waits for a second person, and every super
//! administrator hears of it.

use crate::notices::notify;
use crate::oidc::end_with;
use crate::second_person::{ask, tell, told};
use crate::sign_in::subject_of;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use std::collections::BTreeMap;
use warifu_auth::{digest, is_member, is_synced};
use warifu_domain::access::{Actor, Permission, Role};
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::policy::{Feature, Policies, Proposal, Rollout, Scope};
use warifu_domain::second_person::Matter;
use warifu_domain::{OrganizationId, Timestamp, refusal};
use warifu_ledger::body::{OrganizationChange, PolicyChange};
use warifu_ledger::{Count, Hash};
use warifu_storage::{Conn, credentials, organization_access, organizations, people, policies};

/// Most networks in a group.
const MEMBERS: usize = 100;

/// What came of a change that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    Done,
    /// It weakens something: this number waits for a second person.
    Waiting(i64),
}

impl App {
    /// Changes policy, or where that weakens anything asks a second person.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just this; [`AppError::Invalid`] for what is beyond
    /// the limits or weakens without a reason; [`AppError::NotFound`] for an unknown organization.
    pub async fn propose(
        &self,
        actor: &Actor,
        proposal: &Proposal,
        reason: &str,
        proof: Option<&str>,
    ) -> Result<Proposed, AppError> {
        may_propose(actor, proposal)?;
        checked(proposal)?;
        // What is due by now is what it is compared with.
        self.enter_stages().await?;
        let mut change = self.change().await?;
        exists(&mut change, proposal).await?;
        let now = self.current(&mut change).await?;
        if !proposal.changes(&now) {
            change.unchanged().await?;
            return Ok(Proposed::Done);
        }
        let weaker = weakened(&mut change.conn(), actor, proposal, &now).await?;
        if !weaker.is_empty() && reason.trim().is_empty() {
            let why = refusal!(
                "reason-missing",
                "say why: it weakens what holds now, or keeps another super administrator out"
            );
            return Err(AppError::invalid("reason", why));
        }
        spend(&mut change, actor, &proposal.protected(), proof).await?;
        if weaker.is_empty() {
            apply(&mut change, actor, proposal, &now).await?;
            told(&mut change, actor, NoticeKind::PolicyChanged, &proposal.policy()).await?;
            change.commit().await?;
            return Ok(Proposed::Done);
        }
        let matter = Matter::Policy(proposal.clone());
        let id = ask(&mut change, actor, proposal.protected().action, &matter, reason).await?;
        change.commit().await?;
        Ok(Proposed::Waiting(id))
    }

    /// What a change would weaken, by name: for any of it a second person is asked.
    ///
    /// # Errors
    /// Denied.
    pub async fn weakened(
        &self,
        actor: &Actor,
        proposal: &Proposal,
    ) -> Result<Vec<&'static str>, AppError> {
        actor.require(Permission::ReadPolicies)?;
        let now = self.policies().await?;
        weakened(&mut self.db.read().await?.conn(), actor, proposal, &now).await
    }

    /// Since when features have stood where they stand, as far as they were ever moved.
    ///
    /// # Errors
    /// Denied.
    pub async fn stages_since(
        &self,
        actor: &Actor,
    ) -> Result<BTreeMap<Feature, Timestamp>, AppError> {
        actor.require(Permission::ReadPolicies)?;
        Ok(policies::since(&mut self.db.read().await?.conn()).await?)
    }

    /// Brings features on to their planned stage when its day has come, and tells the super
    /// administrators of the vendor and of the organizations that it reaches. Gives how many moved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enter_stages(&self) -> Result<usize, AppError> {
        let now = self.now();
        let due = |p: &Policies| {
            let due = Feature::ALL.into_iter().filter_map(|f| Some((f, *p.rollouts.get(&f)?)));
            due.filter(|(_, r)| r.at(now) != *r).collect::<Vec<_>>()
        };
        let read = policies::all(&mut self.db.read().await?.conn()).await?;
        if due(&read).is_empty() {
            return Ok(0);
        }
        // Asked again under the lock: of two nodes one does it.
        let mut change = self.change().await?;
        let read = self.current(&mut change).await?;
        let due = due(&read);
        for (feature, before) in &due {
            let rollout = before.at(now);
            let proposal = Proposal::Rollout { feature: *feature, rollout };
            change.record_own(None, &changed(&proposal, &read)).await?;
            set_stage(&mut change, *feature, before, &rollout).await?;
        }
        change.commit().await?;
        Ok(due.len())
    }

    pub(crate) async fn current(&self, change: &mut Change<'_>) -> Result<Policies, AppError> {
        Ok(policies::all(&mut change.conn()).await?)
    }
}

/// What a proposal weakens, and whether it takes the last passkey that fits from another super
/// administrator: nobody gets rid of those who could stop them. Another factor of theirs does not count:
/// providers and cards are switched off by one person.
async fn weakened(
    c: &mut Conn<'_>,
    actor: &Actor,
    proposal: &Proposal,
    now: &Policies,
) -> Result<Vec<&'static str>, AppError> {
    let mut weaker = proposal.weakens(now);
    let Proposal::Rules { scope, rules } = proposal else { return Ok(weaker) };
    let mut then = now.clone();
    then.rules.insert(*scope, rules.clone());
    for id in people::holders(c, Role::SuperAdministrator).await? {
        if id == actor.person {
            continue;
        }
        let Some(person) = people::find(c, id).await? else { continue };
        let roles = people::roles(c, id).await?;
        let Some(whose) = organizations::find(c, person.organization).await? else { continue };
        let subject = subject_of(&person, roles, &whose);
        let mut passkeys = credentials::of_person(c, id).await?;
        passkeys.retain(|k| k.kind == Factor::Passkey);
        let one_fits = |policies: &Policies| {
            let effective = policies.effective(subject);
            passkeys
                .iter()
                .any(|k| effective.fits(k.make.as_deref(), is_synced(&k.verifier)).is_ok())
        };
        if one_fits(now) && !one_fits(&then) {
            weaker.push("super_administrators");
            break;
        }
    }
    Ok(weaker)
}

/// An organization's administrator may choose a feature for it, and nothing else.
fn may_propose(actor: &Actor, proposal: &Proposal) -> Result<(), AppError> {
    if let Proposal::Choice { organization, chosen: true, .. } = proposal
        && *organization == actor.organization
        && actor.roles.has(Role::OrganizationAdministrator)
    {
        return Ok(());
    }
    Ok(actor.require(Permission::ManagePolicies)?)
}

fn checked(proposal: &Proposal) -> Result<(), AppError> {
    match proposal {
        Proposal::Rules { rules, .. } => {
            rules.check().map_err(|(field, what)| AppError::invalid(field, what))
        }
        Proposal::Networks { members, .. } => {
            if members.len() > MEMBERS {
                let why =
                    refusal!("networks-many", "at most {limit} networks", limit = MEMBERS as i64);
                return Err(AppError::invalid("members", why));
            }
            match members.iter().find(|m| !is_member(m)) {
                None => Ok(()),
                Some(wrong) => Err(AppError::invalid(
                    "members",
                    refusal!(
                        "network-member",
                        "“{text}” is no network; write AS64496 or 203.0.113.0/24 (at least /16, IPv6 /32)",
                        text = wrong.as_str()
                    ),
                )),
            }
        }
        Proposal::Rollout { .. }
        | Proposal::Choice { .. }
        | Proposal::Access { .. }
        | Proposal::Environment { .. } => Ok(()),
    }
}

async fn exists(change: &mut Change<'_>, proposal: &Proposal) -> Result<(), AppError> {
    let organization = match proposal {
        Proposal::Choice { organization, .. }
        | Proposal::Networks { organization, .. }
        | Proposal::Access { organization, .. }
        | Proposal::Environment { organization, .. }
        | Proposal::Rules { scope: Scope::Organization(organization), .. } => *organization,
        Proposal::Rules { .. } | Proposal::Rollout { .. } => return Ok(()),
    };
    let found = organizations::find(&mut change.conn(), organization).await?;
    let found = found.ok_or(AppError::NotFound("organization"))?;
    if found.vendor && matches!(proposal, Proposal::Access { .. }) {
        return Err(AppError::Conflict(refusal!(
            "access-vendor",
            "the vendor's own people sign in with phishing-resistant factors only"
        )));
    }
    if let Proposal::Environment { from, .. } = proposal
        && found.environment != *from
    {
        return Err(AppError::Conflict(refusal!(
            "environment-moved",
            "its environment is another one by now; load the page anew"
        )));
    }
    Ok(())
}

/// Puts a change into force, with its entry.
pub(crate) async fn apply(
    change: &mut Change<'_>,
    actor: &Actor,
    proposal: &Proposal,
    now: &Policies,
) -> Result<(), AppError> {
    change.record(actor, None, &changed(proposal, now)).await?;
    let (at, revision) = (change.at(), change.revision());
    let mut conn = change.conn();
    match proposal {
        Proposal::Rules { scope, rules } => {
            policies::set_rules(&mut conn, *scope, rules, at).await?;
        }
        Proposal::Choice { organization, feature, chosen } => {
            policies::choose(&mut conn, *organization, *feature, *chosen, at).await?;
        }
        Proposal::Networks { organization, members } => {
            policies::set_networks(&mut conn, *organization, members, at).await?;
        }
        Proposal::Rollout { feature, rollout } => {
            set_stage(change, *feature, &now.rollout(*feature), rollout).await?;
        }
        Proposal::Access { organization, access } => {
            organization_access::set(&mut conn, *organization, *access).await?;
            end_disallowed(change, actor, *organization, *access).await?;
        }
        Proposal::Environment { organization, to, .. } => {
            let found = organizations::find(&mut conn, *organization).await?;
            let mut found = found.ok_or(AppError::NotFound("organization"))?;
            found.environment = *to;
            organizations::update(&mut conn, revision, *organization, &found).await?;
            let body = OrganizationChange {
                organization: organization.to_string(),
                fields: vec!["environment".into()],
                revision: Count(revision.0 as u64),
            };
            change.record(actor, Some(*organization), &body).await?;
        }
    }
    Ok(())
}

/// The entry of a change.
fn changed(proposal: &Proposal, now: &Policies) -> PolicyChange {
    let hash = |text: Option<String>| text.map(|t| Hash(digest(t.as_bytes())));
    PolicyChange {
        policy: proposal.policy(),
        before: hash(proposal.before(now)),
        after: hash(proposal.after()),
    }
}

/// Ends the sessions that were opened with what an organization allows no longer.
async fn end_disallowed(
    change: &mut Change<'_>,
    actor: &Actor,
    organization: OrganizationId,
    access: OrganizationAccess,
) -> Result<(), AppError> {
    let ways = [
        (access.passwords, Factor::Password, 3),
        // A provider's word that was not enough counts as level 1.
        (access.weaker_providers, Factor::Oidc, 1),
    ];
    for (_, factor, assurance) in ways.into_iter().filter(|(allowed, ..)| !allowed) {
        let mut conn = change.conn();
        let open =
            organization_access::sessions(&mut conn, organization, factor, assurance).await?;
        end_with(change, Some(actor), open, "factor").await?;
    }
    Ok(())
}

async fn set_stage(
    change: &mut Change<'_>,
    feature: Feature,
    before: &Rollout,
    after: &Rollout,
) -> Result<(), AppError> {
    let (at, moved) = (change.at(), before.stage != after.stage);
    policies::set_rollout(&mut change.conn(), feature, after, moved, at).await?;
    if before.report_only != after.report_only {
        policies::forget_affected(&mut change.conn(), feature).await?;
    }
    if !moved {
        return Ok(());
    }
    let details = [("feature", feature.key()), ("stage", after.stage.key())];
    tell(change, NoticeKind::StageEntered, &details).await?;
    let administrators =
        people::holders(&mut change.conn(), Role::OrganizationAdministrator).await?;
    for person in administrators {
        notify(change, person, NoticeKind::StageEntered, &details).await?;
    }
    Ok(())
}
