//! Connections to identity providers: who may sign in by which. Every change is a protected action.

use super::{hosts, sealed_for};
use crate::policy_changes::Proposed;
use crate::second_person::ask;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::Url;
use warifu_auth::oidc::{OidcError, is_declared};
use warifu_auth::{digest, seal};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::{OrganizationId, PersonId, ProviderId, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{PolicyChange, ProtectedAction, SessionRevoked};
use warifu_storage::identity_providers::{self, Provider, Which};
use warifu_storage::{organizations, people, sessions};

/// A connection as it is shown: without its secret.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ProviderId,
    pub organization: OrganizationId,
    pub organization_name: String,
    pub vendor: bool,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub hosts: Vec<String>,
    pub enabled: bool,
}

/// A connection to be made, as it was sent: the protected action is about just these texts.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// Name of the customer; empty for the vendor's own.
    pub organization: String,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Further hosts beside the issuer's, separated by spaces.
    pub hosts: String,
    /// Why, for whoever agrees; not part of what is proved.
    pub reason: String,
}

impl NewProvider {
    fn protected(&self) -> Protected {
        Protected::new(Action::AddProvider)
            .with("organization", &self.organization)
            .with("name", &self.name)
            .with("issuer", &self.issuer)
            .with("client_id", &self.client_id)
            .with("client_secret", self.client_secret.expose_secret())
            .with("hosts", &self.hosts)
    }

    /// The hosts that may be asked.
    fn declared(&self) -> Result<String, AppError> {
        let bad = || {
            let what = refusal!(
                "provider-issuer",
                "write the issuer as the provider does: https://, a host, no query"
            );
            AppError::invalid("issuer", what)
        };
        let url = Url::parse(self.issuer.trim()).map_err(|_| bad())?;
        let host = url.host().map(|h| h.to_string()).ok_or_else(bad)?;
        let mut all = vec![host];
        all.extend(hosts(&self.hosts));
        all.dedup();
        if !is_declared(&url, &all) || url.query().is_some() || url.fragment().is_some() {
            return Err(bad());
        }
        Ok(all.join(" "))
    }
}

/// Longest text of a field, in characters.
const LONGEST: usize = 200;

fn text(field: &'static str, text: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        let what = refusal!("provider-text", "1 to {limit} characters stand here", limit = LONGEST);
        return Err(AppError::invalid(field, what));
    }
    Ok(text.to_owned())
}

/// What the ledger says of a connection: a digest that anybody who knows it can recompute.
fn state(p: &Provider) -> Hash {
    let state = json!({
        "client_id": p.client_id, "enabled": p.enabled, "hosts": p.hosts, "issuer": p.issuer,
        "name": p.name, "organization": p.organization.0,
    });
    Hash(digest(state.to_string().as_bytes()))
}

/// What a second person reads of a connection.
fn told(p: &Provider, organization: &str, enabled: bool) -> Terms {
    let texts = [
        ("organization", organization),
        ("name", &p.name),
        ("issuer", &p.issuer),
        ("client_id", &p.client_id),
        ("hosts", &p.hosts),
        ("enabled", if enabled { "true" } else { "false" }),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// What holds for a connection now.
pub(crate) async fn terms(
    change: &mut Change<'_>,
    id: ProviderId,
) -> Result<Option<Terms>, AppError> {
    let found = identity_providers::find(&mut change.conn(), id).await?;
    let Some(provider) = found else { return Ok(None) };
    let whose = organizations::find(&mut change.conn(), provider.organization).await?;
    let whose = whose.map(|o| o.name).unwrap_or_default();
    Ok(Some(told(&provider, &whose, provider.enabled)))
}

/// Asks a second person to let people in by a provider.
async fn ask_to_let_in(
    change: &mut Change<'_>,
    actor: &Actor,
    action: Action,
    id: ProviderId,
    reason: &str,
) -> Result<i64, AppError> {
    let mut terms = terms(change, id).await?.ok_or(AppError::NotFound("identity provider"))?;
    terms.insert("enabled".into(), "true".into());
    let matter = Matter::Way { way: Way::IdentityProvider, id: id.0, terms };
    ask(change, actor, action, &matter, reason).await
}

/// Lets people in by a provider: a second person has agreed.
pub(crate) async fn let_in(
    change: &mut Change<'_>,
    actor: &Actor,
    id: ProviderId,
) -> Result<(), AppError> {
    let found = identity_providers::find(&mut change.conn(), id).await?;
    let before = found.ok_or(AppError::NotFound("identity provider"))?;
    identity_providers::switch(&mut change.conn(), id, true).await?;
    let after = Provider { enabled: true, ..before.clone() };
    changed(change, actor, (id, before.organization), (Some(state(&before)), Some(state(&after))))
        .await
}

async fn record(
    change: &mut Change<'_>,
    actor: &Actor,
    action: Action,
    (id, organization): (ProviderId, OrganizationId),
    (before, after): (Option<Hash>, Option<Hash>),
) -> Result<(), AppError> {
    let body = ProtectedAction {
        action: action.key().into(),
        target: Some(id.to_string()),
        approver: None,
    };
    change.record(actor, Some(organization), &body).await?;
    changed(change, actor, (id, organization), (before, after)).await
}

async fn changed(
    change: &mut Change<'_>,
    actor: &Actor,
    (id, organization): (ProviderId, OrganizationId),
    (before, after): (Option<Hash>, Option<Hash>),
) -> Result<(), AppError> {
    let body = PolicyChange { policy: format!("identity_provider:{id}"), before, after };
    change.record(actor, Some(organization), &body).await?;
    Ok(())
}

/// Ends sessions with an entry for each, by the actor or by the installation itself.
pub(crate) async fn end_with(
    change: &mut Change<'_>,
    actor: Option<&Actor>,
    open: Vec<(Vec<u8>, PersonId)>,
    reason: &str,
) -> Result<usize, AppError> {
    let at = change.at();
    let mut ended = 0;
    for (hash, person) in open {
        if !sessions::end(&mut change.conn(), &hash, at).await? {
            continue;
        }
        let owner = people::find(&mut change.conn(), person).await?;
        let body = SessionRevoked {
            person: person.to_string(),
            revoked: Some(Hash(digest(&hash))),
            reason: reason.into(),
            bound_to: None,
        };
        let organization = owner.map(|p| p.organization);
        match actor {
            Some(actor) => change.record(actor, organization, &body).await?,
            None => change.record_own(organization, &body).await?,
        };
        ended += 1;
    }
    Ok(ended)
}

impl App {
    /// The connections, oldest first.
    ///
    /// # Errors
    /// Denied without [`Permission::ManageSignIn`].
    pub async fn identity_providers(&self, actor: &Actor) -> Result<Vec<Connection>, AppError> {
        actor.require(Permission::ManageSignIn)?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let found = identity_providers::list(&mut conn).await?;
        let whose = found.iter().map(|p| p.organization);
        let whose = organizations::find_many(&mut conn, whose).await?;
        let connection = |p: Provider| {
            let organization = whose.iter().find(|(id, _)| *id == p.organization).map(|(_, o)| o);
            Connection {
                id: p.id,
                organization: p.organization,
                organization_name: organization.map(|o| o.name.clone()).unwrap_or_default(),
                vendor: organization.is_some_and(|o| o.vendor),
                name: p.name,
                issuer: p.issuer,
                client_id: p.client_id,
                hosts: hosts(&p.hosts),
                enabled: p.enabled,
            }
        };
        Ok(found.into_iter().map(connection).collect())
    }

    /// The providers by which people may sign in now, with what their buttons say; for an
    /// organization's people, or for whoever comes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn providers_for(
        &self,
        person: Option<PersonId>,
    ) -> Result<Vec<(ProviderId, String)>, AppError> {
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut found = identity_providers::list(&mut conn).await?;
        if let Some(person) = person {
            let person = people::find(&mut conn, person).await?;
            let own = person.map(|p| p.organization);
            found.retain(|p| Some(p.organization) == own);
        }
        Ok(found.into_iter().filter(|p| p.enabled).map(|p| (p.id, p.name)).collect())
    }

    /// Connects a provider and gives its number. Nobody signs in by it before a second person has agreed.
    /// It is asked about itself first: a connection that cannot work is none.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just this; [`AppError::Invalid`] when
    /// something does not fit or the provider does not answer as it should.
    pub async fn add_identity_provider(
        &self,
        actor: &Actor,
        new: &NewProvider,
        proof: Option<&str>,
    ) -> Result<ProviderId, AppError> {
        actor.require(Permission::ManageSignIn)?;
        let hosts = new.declared()?;
        let (name, issuer) = (text("name", &new.name)?, text("issuer", &new.issuer)?);
        let client_id = text("client_id", &new.client_id)?;
        let secret = new.client_secret.expose_secret();
        text("client_secret", secret)?;
        let vendor = self.ensure_vendor().await?;
        let mut reader = self.db.read().await?;
        let organization = match new.organization.trim() {
            "" => vendor,
            wanted => match organizations::find_by_name(&mut reader.conn(), wanted).await? {
                Some((id, _)) => id,
                None => {
                    let what = refusal!(
                        "provider-organization",
                        "there is no organization {name}",
                        name = wanted
                    );
                    return Err(AppError::invalid("organization", what));
                }
            },
        };
        drop(reader);
        // Whoever has no proof sends this server nowhere: looked at and given back.
        spend(&mut self.change().await?, actor, &new.protected(), proof).await?;
        // Before the proof is spent, and before the lock under which changes are made.
        self.ask_about(&issuer, &hosts).await.map_err(|e| match e {
            OidcError::Refused(host) => {
                let what = refusal!(
                    "provider-host",
                    "it sends people or requests to {host}; add that host if it is meant",
                    host = host
                );
                AppError::invalid("hosts", what)
            }
            other => {
                tracing::info!(%issuer, error = %other, "an identity provider does not answer as one");
                let what = refusal!(
                    "provider-silent",
                    "nothing there answers as an identity provider of this name"
                );
                AppError::invalid("issuer", what)
            }
        })?;
        let mut change = self.change().await?;
        spend(&mut change, actor, &new.protected(), proof).await?;
        let id = identity_providers::new_id(&mut change.conn()).await?;
        let sealed = seal(&self.provider_key(), self.random_bytes(), &sealed_for(id), secret);
        let provider = Provider {
            id,
            organization,
            name,
            issuer,
            client_id,
            secret: sealed.ok_or_else(|| AppError::Internal("sealing a secret".into()))?,
            hosts,
            enabled: false,
            created_at: change.at(),
        };
        identity_providers::insert(&mut change.conn(), &provider).await?;
        let after = Some(state(&provider));
        record(&mut change, actor, Action::AddProvider, (id, organization), (None, after)).await?;
        ask_to_let_in(&mut change, actor, Action::AddProvider, id, &new.reason).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Switches a provider off, which ends the sessions that it opened, or asks a second person to switch
    /// it on.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just this; [`AppError::NotFound`].
    pub async fn switch_identity_provider(
        &self,
        actor: &Actor,
        id: ProviderId,
        on: bool,
        proof: Option<&str>,
    ) -> Result<Proposed, AppError> {
        actor.require(Permission::ManageSignIn)?;
        let mut change = self.change().await?;
        let found = identity_providers::find(&mut change.conn(), id).await?;
        let before = found.ok_or(AppError::NotFound("identity provider"))?;
        let state_word = if on { "on" } else { "off" };
        let what =
            Protected::new(Action::SwitchProvider).with("provider", id).with("state", state_word);
        spend(&mut change, actor, &what, proof).await?;
        if before.enabled == on {
            return Ok(Proposed::Done);
        }
        if on {
            let waits = ask_to_let_in(&mut change, actor, Action::SwitchProvider, id, "").await?;
            change.commit().await?;
            return Ok(Proposed::Waiting(waits));
        }
        identity_providers::switch(&mut change.conn(), id, false).await?;
        let after = Provider { enabled: false, ..before.clone() };
        let states = (Some(state(&before)), Some(state(&after)));
        let about = (id, before.organization);
        record(&mut change, actor, Action::SwitchProvider, about, states).await?;
        let open = identity_providers::sessions(&mut change.conn(), id, Which::All).await?;
        end_with(&mut change, Some(actor), open, "provider_off").await?;
        change.commit().await?;
        self.forget_provider(id);
        Ok(Proposed::Done)
    }

    /// Removes a provider with its secret, and ends the sessions that it opened.
    ///
    /// # Errors
    /// As [`App::switch_identity_provider`].
    pub async fn remove_identity_provider(
        &self,
        actor: &Actor,
        id: ProviderId,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ManageSignIn)?;
        let mut change = self.change().await?;
        let found = identity_providers::find(&mut change.conn(), id).await?;
        let before = found.ok_or(AppError::NotFound("identity provider"))?;
        let what = Protected::new(Action::RemoveProvider).with("provider", id);
        spend(&mut change, actor, &what, proof).await?;
        let at = change.at();
        identity_providers::remove(&mut change.conn(), id, at).await?;
        let about = (id, before.organization);
        let states = (Some(state(&before)), None);
        record(&mut change, actor, Action::RemoveProvider, about, states).await?;
        let open = identity_providers::sessions(&mut change.conn(), id, Which::All).await?;
        end_with(&mut change, Some(actor), open, "provider_off").await?;
        change.commit().await?;
        self.forget_provider(id);
        Ok(())
    }
}
