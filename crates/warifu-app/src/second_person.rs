//! What waits for a second person: weakenings of policy, and ways in that are opened. Nothing of it holds
//! before somebody else has agreed to just that, and every super administrator hears of it.

use crate::notices::notify;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use serde::{Deserialize, Serialize};
use warifu_auth::digest;
use warifu_domain::access::{Actor, Permission, Role};
use warifu_domain::notices::NoticeKind;
use warifu_domain::policy::Proposal;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::time::DAY;
use warifu_domain::{ApplicationId, PersonId, ProviderId, refusal};
use warifu_ledger::body::ProtectedAction;
use warifu_storage::approvals::{self, Approval, NewApproval};
use warifu_storage::{organizations, people, policies};

/// How long it waits, in microseconds.
pub const WAITING: i64 = 7 * DAY;
/// Longest reason, in characters.
const REASON: usize = 500;
/// Shown at once.
const SHOWN: i64 = 100;

/// What waits, as those see it who may decide.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub approval: Approval,
    pub matter: Matter,
    /// What held for a way in when it was asked for.
    pub before: Terms,
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

/// A matter as it waits: on what ground it was asked for, too.
#[derive(Serialize, Deserialize)]
struct Asked {
    matter: Matter,
    /// What stood there then, as canonical JSON.
    before: Option<String>,
    /// The others who were super administrators then. Nobody makes their own second person afterwards.
    deciders: Vec<PersonId>,
}

fn internal(e: serde_json::Error) -> AppError {
    AppError::Internal(e.to_string())
}

/// What stands there now, as canonical JSON; `None` where nothing does.
async fn ground(change: &mut Change<'_>, matter: &Matter) -> Result<Option<String>, AppError> {
    let terms = match matter {
        Matter::Policy(Proposal::Environment { organization, .. }) => {
            let found = organizations::find(&mut change.conn(), *organization).await?;
            let stands = found.map(|o| serde_json::to_string(&o.environment));
            return stands.transpose().map_err(internal);
        }
        Matter::Policy(proposal) => {
            return Ok(proposal.before(&policies::all(&mut change.conn()).await?));
        }
        Matter::Way { way: Way::IdentityProvider, id, .. } => {
            crate::oidc::terms(change, ProviderId(*id)).await?
        }
        Matter::Way { way: Way::ServiceAccount, id, .. } => {
            crate::services::terms(change, *id).await?
        }
        Matter::Way { way: Way::Application, id, .. } => {
            crate::applications::terms(change, ApplicationId(*id)).await?
        }
        Matter::Way { way: Way::SuperAdministrator, id, .. } => {
            crate::roles::terms(change, PersonId(*id)).await?
        }
    };
    terms.map(|t| serde_json::to_string(&t).map_err(internal)).transpose()
}

/// Keeps a matter until somebody else has decided, and gives its number. The actor's own proof was spent
/// before.
///
/// # Errors
/// [`AppError::Invalid`] for a reason of more than 500 characters; when the database fails.
pub(crate) async fn ask(
    change: &mut Change<'_>,
    actor: &Actor,
    action: Action,
    matter: &Matter,
    reason: &str,
) -> Result<i64, AppError> {
    let reason = reason.trim();
    if reason.chars().count() > REASON {
        let why = refusal!("reason-long", "at most {limit} characters", limit = REASON as i64);
        return Err(AppError::invalid("reason", why));
    }
    let before = ground(change, matter).await?;
    let mut deciders = people::holders(&mut change.conn(), Role::SuperAdministrator).await?;
    deciders.retain(|person| *person != actor.person);
    let asked = Asked { matter: matter.clone(), before, deciders };
    let text = serde_json::to_string(&asked).map_err(internal)?;
    let at = change.at();
    let approval = NewApproval {
        proposal: &text,
        digest: &digest(text.as_bytes()),
        reason,
        by: actor.person,
        at,
        expires_at: at.plus(WAITING),
    };
    let id = approvals::insert(&mut change.conn(), &approval).await?;
    let body = ProtectedAction {
        action: action.key().into(),
        target: Some(format!("approval:{id}")),
        approver: None,
    };
    change.record(actor, None, &body).await?;
    told(change, actor, NoticeKind::PolicyProposed, &matter.policy()).await?;
    Ok(id)
}

impl App {
    /// Decides somebody else's matter. One of which the ground has moved meanwhile is void.
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
        let asked = as_agreed(&found);
        if asked.as_ref().is_some_and(|asked| !asked.deciders.contains(&actor.person)) {
            let why = refusal!(
                "approval-late",
                "you became a super administrator after this was asked for; it has to be asked for anew"
            );
            return Err(AppError::Conflict(why));
        }
        spend(&mut change, actor, &agreed(id, &found.digest), proof).await?;
        let still = people::roles(&mut change.conn(), found.requested_by).await?;
        let asked = asked.filter(|_| still.allow(Permission::ManagePolicies));
        let stands = match &asked {
            Some(asked) => ground(&mut change, &asked.matter).await? == asked.before,
            None => false,
        };
        let Some(Asked { matter, .. }) = asked.filter(|_| stands) else {
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
        match &matter {
            Matter::Policy(proposal) => {
                let now = self.current(&mut change).await?;
                crate::policy_changes::apply(&mut change, actor, proposal, &now).await?;
            }
            Matter::Way { way: Way::IdentityProvider, id, .. } => {
                crate::oidc::let_in(&mut change, actor, ProviderId(*id)).await?;
            }
            Matter::Way { way: Way::ServiceAccount, id, .. } => {
                crate::services::let_in(&mut change, actor, *id).await?;
            }
            Matter::Way { way: Way::Application, id, terms } => {
                let id = ApplicationId(*id);
                crate::applications::agreed(&mut change, actor, id, terms).await?;
            }
            Matter::Way { way: Way::SuperAdministrator, id, .. } => {
                crate::roles::let_in(&mut change, actor, PersonId(*id)).await?;
            }
        }
        told(&mut change, actor, NoticeKind::PolicyChanged, &matter.policy()).await?;
        change.commit().await?;
        Ok(())
    }

    /// What waits or was decided, newest first; at most 100.
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
            let Asked { matter, before, deciders } =
                serde_json::from_str(&approval.proposal).ok()?;
            let way = matches!(matter, Matter::Way { .. });
            let before = before.filter(|_| way).and_then(|text| serde_json::from_str(&text).ok());
            Some(Waiting {
                matter,
                before: before.unwrap_or_default(),
                requested_by: name(approval.requested_by),
                decided_by: approval.decided_by.map(name),
                decidable: may
                    && approval.outcome.is_none()
                    && approval.expires_at > now
                    && (deciders.contains(&actor.person) || approval.requested_by == actor.person),
                approval,
            })
        };
        Ok(found.into_iter().filter_map(shown).collect())
    }

    /// Names of the others who may agree to what the actor asks for.
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

/// Tells every super administrator who asked for what, or changed it.
pub(crate) async fn told(
    change: &mut Change<'_>,
    actor: &Actor,
    kind: NoticeKind,
    policy: &str,
) -> Result<(), AppError> {
    tell(change, kind, &[("policy", policy), ("by", &actor.name)]).await
}

/// Tells every super administrator.
pub(crate) async fn tell(
    change: &mut Change<'_>,
    kind: NoticeKind,
    details: &[(&str, &str)],
) -> Result<(), AppError> {
    for person in people::holders(&mut change.conn(), Role::SuperAdministrator).await? {
        notify(change, person, kind, details).await?;
    }
    Ok(())
}
