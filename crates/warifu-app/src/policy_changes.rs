//! Changing policy: a protected action always; a weakening waits for a second person, and every super
//! administrator hears of it.

use crate::notices::notify;
use crate::oidc::end_with;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use warifu_auth::{digest, is_member};
use warifu_domain::access::{Actor, Permission, Role};
use warifu_domain::assurance::OrganizationAccess;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::policy::{Feature, Policies, Proposal, Rollout, Scope};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::time::DAY;
use warifu_domain::{OrganizationId, PersonId, Timestamp, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{PolicyChange, ProtectedAction};
use warifu_storage::approvals::{self, Approval};
use warifu_storage::{organization_access, organizations, people, policies};

/// How long a change waits for a second person, in microseconds.
pub const WAITING: i64 = 7 * DAY;
/// Longest reason, in characters.
const REASON: usize = 500;
/// Most networks in a group.
const MEMBERS: usize = 100;
/// Changes shown at once.
const SHOWN: i64 = 100;

/// What came of a change that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    Done,
    /// It weakens something: this number waits for a second person.
    Waiting(i64),
}

/// A change that waits, as those see it who may decide.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub approval: Approval,
    pub proposal: Proposal,
    pub requested_by: String,
    pub decided_by: Option<String>,
    /// Whether this actor may decide it now.
    pub decidable: bool,
}

/// What a second person agrees to by touching their key: this number with just this content.
pub fn agreed(id: i64, digest: &[u8]) -> Protected {
    Protected::new(Action::Approve)
        .with("approval", id)
        .with("digest", crate::attachments::hex(digest))
}

/// A change as it waits: on what ground it was asked for, too.
#[derive(Serialize, Deserialize)]
struct Asked {
    proposal: Proposal,
    /// What stood there then, as canonical JSON.
    before: Option<String>,
}

fn internal(e: serde_json::Error) -> AppError {
    AppError::Internal(e.to_string())
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
        let reason = reason.trim();
        if reason.chars().count() > REASON {
            let why = refusal!("reason-long", "at most {limit} characters", limit = REASON as i64);
            return Err(AppError::invalid("reason", why));
        }
        let mut change = self.change().await?;
        exists(&mut change, proposal).await?;
        let now = self.current(&mut change).await?;
        if !proposal.changes(&now) {
            return Ok(Proposed::Done);
        }
        let weaker = proposal.weakens(&now);
        if !weaker.is_empty() && reason.is_empty() {
            let why = refusal!("reason-missing", "say why: it weakens what holds now");
            return Err(AppError::invalid("reason", why));
        }
        spend(&mut change, actor, &proposal.protected(), proof).await?;
        if weaker.is_empty() {
            apply(&mut change, actor, proposal, &now).await?;
            self.done(change).await?;
            return Ok(Proposed::Done);
        }
        let asked = Asked { proposal: proposal.clone(), before: proposal.before(&now) };
        let text = serde_json::to_string(&asked).map_err(internal)?;
        let (at, sum) = (change.at(), digest(text.as_bytes()));
        let id = approvals::insert(
            &mut change.conn(),
            &text,
            &sum,
            reason,
            actor.person,
            at,
            at.plus(WAITING),
        )
        .await?;
        let body = ProtectedAction {
            action: proposal.protected().action.key().into(),
            target: Some(format!("approval:{id}")),
            approver: None,
        };
        change.record(actor, None, &body).await?;
        let details = [("policy", proposal.policy()), ("by", actor.name.clone())];
        tell(&mut change, NoticeKind::PolicyProposed, &details).await?;
        change.commit().await?;
        Ok(Proposed::Waiting(id))
    }

    /// Decides somebody else's change. A change of which the ground has moved meanwhile is void.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::Conflict`] for one's own, for what was decided or has
    /// expired; [`AppError::StepUp`] without a proof for just this content.
    pub async fn decide(
        &self,
        actor: &Actor,
        id: i64,
        agree: bool,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ManagePolicies)?;
        let mut change = self.change().await?;
        let at = change.at();
        let found = approvals::find(&mut change.conn(), id).await?;
        let found = found.ok_or(AppError::NotFound("approval"))?;
        if found.outcome.is_some() || found.expires_at <= at {
            let why = refusal!("approval-over", "this was decided already, or has expired");
            return Err(AppError::Conflict(why));
        }
        if !agree {
            // Whoever asked may also take it back.
            approvals::decide(&mut change.conn(), id, "refused", actor.person, at).await?;
            return recorded(change, actor, id, "refuse").await;
        }
        if found.requested_by == actor.person {
            let why = refusal!("approval-own", "somebody else has to agree to your change");
            return Err(AppError::Conflict(why));
        }
        spend(&mut change, actor, &agreed(id, &found.digest), proof).await?;
        let now = self.current(&mut change).await?;
        let still = people::roles(&mut change.conn(), found.requested_by).await?;
        let asked = as_agreed(&found).filter(|asked| {
            asked.proposal.before(&now) == asked.before && still.allow(Permission::ManagePolicies)
        });
        let Some(Asked { proposal, .. }) = asked else {
            approvals::decide(&mut change.conn(), id, "void", actor.person, at).await?;
            return recorded(change, actor, id, "void").await;
        };
        approvals::decide(&mut change.conn(), id, "done", actor.person, at).await?;
        let body = ProtectedAction {
            action: "approve".into(),
            target: Some(format!("approval:{id}")),
            approver: Some(actor.person.to_string()),
        };
        change.record(actor, None, &body).await?;
        apply(&mut change, actor, &proposal, &now).await?;
        self.done(change).await
    }

    /// Changes that wait or were decided, newest first; at most 100.
    ///
    /// # Errors
    /// Denied.
    pub async fn approvals(&self, actor: &Actor) -> Result<Vec<Waiting>, AppError> {
        actor.require(Permission::ReadPolicies)?;
        let now = self.now();
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = approvals::list(&mut conn, SHOWN).await?;
        let mut everybody: Vec<PersonId> = found.iter().map(|a| a.requested_by).collect();
        everybody.extend(found.iter().filter_map(|a| a.decided_by));
        let names = people::names(&mut conn, everybody).await?;
        let name = |id: PersonId| {
            names.iter().find(|(p, _)| *p == id).map(|(_, name)| name.clone()).unwrap_or_default()
        };
        let may = actor.roles.allow(Permission::ManagePolicies);
        let shown = |approval: Approval| {
            let Asked { proposal, .. } = serde_json::from_str(&approval.proposal).ok()?;
            Some(Waiting {
                proposal,
                requested_by: name(approval.requested_by),
                decided_by: approval.decided_by.map(name),
                decidable: may && approval.outcome.is_none() && approval.expires_at > now,
                approval,
            })
        };
        Ok(found.into_iter().filter_map(shown).collect())
    }

    /// Names of the others who may agree to the actor's change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deciders(&self, actor: &Actor) -> Result<Vec<String>, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let all = people::holders(&mut conn, Role::SuperAdministrator).await?;
        let others = all.into_iter().filter(|id| *id != actor.person);
        Ok(people::names(&mut conn, others).await?.into_iter().map(|(_, name)| name).collect())
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
        self.done(change).await?;
        Ok(due.len())
    }

    async fn current(&self, change: &mut Change<'_>) -> Result<Policies, AppError> {
        Ok(policies::all(&mut change.conn()).await?)
    }

    async fn done(&self, change: Change<'_>) -> Result<(), AppError> {
        change.commit().await?;
        self.known_policies.forget();
        Ok(())
    }
}

/// What was agreed to: nothing where something else stands in the row now.
fn as_agreed(found: &Approval) -> Option<Asked> {
    let same = digest(found.proposal.as_bytes())[..] == found.digest[..];
    serde_json::from_str(&found.proposal).ok().filter(|_| same)
}

async fn recorded(
    mut change: Change<'_>,
    actor: &Actor,
    id: i64,
    action: &str,
) -> Result<(), AppError> {
    let target = Some(format!("approval:{id}"));
    let approver = Some(actor.person.to_string());
    let body = ProtectedAction { action: action.into(), target, approver };
    change.record(actor, None, &body).await?;
    change.commit().await?;
    Ok(())
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
        Proposal::Rollout { .. } | Proposal::Choice { .. } | Proposal::Access { .. } => Ok(()),
    }
}

async fn exists(change: &mut Change<'_>, proposal: &Proposal) -> Result<(), AppError> {
    let organization = match proposal {
        Proposal::Choice { organization, .. }
        | Proposal::Networks { organization, .. }
        | Proposal::Access { organization, .. }
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
    Ok(())
}

/// Puts a change into force, with its entry and its notices.
async fn apply(
    change: &mut Change<'_>,
    actor: &Actor,
    proposal: &Proposal,
    now: &Policies,
) -> Result<(), AppError> {
    change.record(actor, None, &changed(proposal, now)).await?;
    let at = change.at();
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
    }
    let details = [("policy", proposal.policy()), ("by", actor.name.clone())];
    tell(change, NoticeKind::PolicyChanged, &details).await
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
    let details = [("feature", feature.key().to_owned()), ("stage", after.stage.key().to_owned())];
    tell(change, NoticeKind::StageEntered, &details).await?;
    let details: Vec<_> = details.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let administrators =
        people::holders(&mut change.conn(), Role::OrganizationAdministrator).await?;
    for person in administrators {
        notify(change, person, NoticeKind::StageEntered, &details).await?;
    }
    Ok(())
}

/// Tells every super administrator.
async fn tell(
    change: &mut Change<'_>,
    kind: NoticeKind,
    details: &[(&str, String)],
) -> Result<(), AppError> {
    let details: Vec<_> = details.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for person in people::holders(&mut change.conn(), Role::SuperAdministrator).await? {
        notify(change, person, kind, &details).await?;
    }
    Ok(())
}
