//! Declaring the applications that people enter with their session here: protected actions of super
//! administrators.

pub mod enter;
mod keys;
pub mod openid;
pub mod tell;

use crate::policy_changes::Proposed;
use crate::second_person::ask;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use warifu_auth::applications::{application_origin, client_addresses};
use warifu_auth::{Token, digest};
use warifu_domain::access::{Actor, Permission, Role, Roles};
use warifu_domain::applications::{Acr, Entry, Kind};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::time::MINUTE;
use warifu_domain::{ApplicationId, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{PolicyChange, ProtectedAction};
use warifu_storage::applications;

pub use url::Url;
pub use warifu_domain::applications::Application;

/// An application as somebody wrote it into a form: what they agree to with their key is these texts.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub name: String,
    /// Set when it is made, and never changed.
    pub kind: String,
    /// Forward-auth: scheme, host and port as browsers see them.
    pub origin: String,
    /// OpenID: addresses separated by blanks.
    pub redirect_uris: String,
    pub logout_uris: String,
    pub backchannel_uri: String,
    /// Keys of roles, separated by commas.
    pub role: String,
    /// Minutes; empty for no limit.
    pub max_age: String,
    pub acr: String,
    /// OpenID: not empty for a client that can keep no secret. Set when it is made.
    pub public: String,
    /// Why, for whoever agrees to a change that asks for less; not part of what is proved.
    pub reason: String,
}

/// The longest name in characters, and the longest `max_age` in minutes.
const NAME: usize = 100;
const MAX_AGE: i64 = 24 * 60;

impl Wanted {
    fn protected(&self, action: Action) -> Protected {
        let fields = [
            ("name", &self.name),
            ("kind", &self.kind),
            ("origin", &self.origin),
            ("redirect_uris", &self.redirect_uris),
            ("logout_uris", &self.logout_uris),
            ("backchannel_uri", &self.backchannel_uri),
            ("role", &self.role),
            ("max_age", &self.max_age),
            ("acr", &self.acr),
            ("public", &self.public),
        ];
        fields.into_iter().fold(Protected::new(action), |p, (name, value)| p.with(name, value))
    }

    /// Puts what was written into an application.
    fn apply(&self, to: &mut Application, own: &Url) -> Result<(), AppError> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            let what = refusal!(
                "application-name",
                "an application has a name of at most {limit} characters",
                limit = NAME
            );
            return Err(AppError::invalid("name", what));
        }
        to.name = name.to_owned();
        let role = |key: &str| {
            let unknown = refusal!("role-unknown", "there is no role {role}", role = key);
            Role::from_key(key).ok_or_else(|| AppError::invalid("role", unknown))
        };
        let keys = self.role.split(',').filter(|key| !key.is_empty());
        let roles = keys.map(role).collect::<Result<Roles, _>>()?;
        if roles == Roles::default() {
            let what = refusal!("application-roles", "name at least one role that may enter");
            return Err(AppError::invalid("role", what));
        }
        let max_age = match self.max_age.trim() {
            "" => None,
            text => {
                let minutes = text.parse().ok().filter(|m| (1..=MAX_AGE).contains(m));
                let what = refusal!(
                    "application-max-age",
                    "the time since somebody proved themselves is 1 to {limit} minutes",
                    limit = MAX_AGE
                );
                Some(minutes.ok_or_else(|| AppError::invalid("max_age", what))? * MINUTE)
            }
        };
        let unknown = refusal!("application-acr", "the least proof is phr or phrh");
        let acr = Acr::from_key(&self.acr).ok_or_else(|| AppError::invalid("acr", unknown))?;
        to.entry = Entry { roles, max_age, acr };
        match to.kind {
            Kind::ForwardAuth => {
                to.origin = application_origin(&self.origin, own)
                    .map_err(|what| AppError::invalid("origin", what))?;
            }
            Kind::OpenId => self.apply_client(to, own)?,
        }
        Ok(())
    }

    fn apply_client(&self, to: &mut Application, own: &Url) -> Result<(), AppError> {
        let read = |field, text| {
            client_addresses(text, own).map_err(|what| AppError::invalid(field, what))
        };
        to.redirect_uris = read("redirect_uris", &self.redirect_uris)?;
        if to.redirect_uris.is_empty() {
            let what = refusal!("application-redirect", "a client has at least one redirect URI");
            return Err(AppError::invalid("redirect_uris", what));
        }
        to.logout_uris = read("logout_uris", &self.logout_uris)?;
        let mut told = read("backchannel_uri", &self.backchannel_uri)?;
        if told.len() > 1 {
            let what =
                refusal!("application-backchannel", "ended sessions are told at one address");
            return Err(AppError::invalid("backchannel_uri", what));
        }
        to.backchannel_uri = told.pop().unwrap_or_default();
        Ok(())
    }
}

/// SHA-256 of what an application's policy is: the ledger has no addresses.
fn policy(a: &Application) -> Hash {
    Hash(digest(serde_json::json!(a.terms()).to_string().as_bytes()))
}

/// What holds for an application now.
pub(crate) async fn terms(
    change: &mut Change<'_>,
    id: ApplicationId,
) -> Result<Option<Terms>, AppError> {
    Ok(applications::find(&mut change.conn(), id).await?.map(|a| a.terms()))
}

/// Gives an application the terms that a second person has agreed to.
pub(crate) async fn agreed(
    change: &mut Change<'_>,
    actor: &Actor,
    id: ApplicationId,
    terms: &Terms,
) -> Result<(), AppError> {
    let found = applications::find(&mut change.conn(), id).await?;
    let before = found.ok_or(AppError::NotFound("application"))?;
    let after = before.with(terms);
    let after = after.ok_or_else(|| AppError::Internal("terms of an application".into()))?;
    if places(&after) != places(&before) {
        free(change, &after).await?;
    }
    put(change, actor, &before, &after).await
}

async fn put(
    change: &mut Change<'_>,
    actor: &Actor,
    before: &Application,
    after: &Application,
) -> Result<(), AppError> {
    applications::update(&mut change.conn(), after).await?;
    let policies = (Some(policy(before)), Some(policy(after)));
    record(change, actor, Action::ChangeApplication, after.id, policies).await
}

async fn record(
    change: &mut Change<'_>,
    actor: &Actor,
    action: Action,
    id: ApplicationId,
    (before, after): (Option<Hash>, Option<Hash>),
) -> Result<(), AppError> {
    let about = Some(actor.organization);
    let body = ProtectedAction {
        action: action.key().into(),
        target: Some(id.to_string()),
        approver: None,
    };
    change.record(actor, about, &body).await?;
    if before != after {
        let body = PolicyChange { policy: format!("application:{id}"), before, after };
        change.record(actor, about, &body).await?;
    }
    Ok(())
}

impl App {
    /// Every application.
    ///
    /// # Errors
    /// Denied without [`Permission::ManageApplications`].
    pub async fn applications(&self, actor: &Actor) -> Result<Vec<Application>, AppError> {
        actor.require(Permission::ManageApplications)?;
        Ok(applications::list(&mut self.db.read().await?.conn()).await?)
    }

    /// One application.
    ///
    /// # Errors
    /// Denied without [`Permission::ManageApplications`]; [`AppError::NotFound`].
    pub async fn application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Application, AppError> {
        actor.require(Permission::ManageApplications)?;
        let found = applications::find(&mut self.db.read().await?.conn(), id).await?;
        found.ok_or(AppError::NotFound("application"))
    }

    /// Declares an application, and gives the secret of a client that keeps one: it is not kept here.
    ///
    /// # Errors
    /// Denied; [`AppError::StepUp`] without a proof for just these texts; [`AppError::Invalid`];
    /// [`AppError::Conflict`] where another has the same origin.
    pub async fn add_application(
        &self,
        actor: &Actor,
        wanted: &Wanted,
        own: &Url,
        proof: Option<&str>,
    ) -> Result<(Application, Option<Token>), AppError> {
        actor.require(Permission::ManageApplications)?;
        let unknown = refusal!(
            "application-kind",
            "an application is behind a proxy (forward_auth) or a client (openid)"
        );
        let kind =
            Kind::from_key(&wanted.kind).ok_or_else(|| AppError::invalid("kind", unknown))?;
        let mut change = self.change().await?;
        let secret = (kind == Kind::OpenId && wanted.public.is_empty())
            .then(|| Token::from_random(self.random_bytes()));
        let mut application = Application {
            id: ApplicationId(0),
            name: String::new(),
            kind,
            origin: String::new(),
            secret: secret.as_ref().map(|s| digest(s.text().as_bytes()).to_vec()),
            redirect_uris: Vec::new(),
            logout_uris: Vec::new(),
            backchannel_uri: String::new(),
            entry: Entry::default(),
            created_at: change.at(),
        };
        wanted.apply(&mut application, own)?;
        if kind == Kind::OpenId {
            let id: [u8; 16] = self.random_bytes();
            application.origin = crate::attachments::hex(&id);
        }
        free(&mut change, &application).await?;
        spend(&mut change, actor, &wanted.protected(Action::AddApplication), proof).await?;
        application.id = ApplicationId(change.conn().take_ids("applications", 1).await?);
        applications::insert(&mut change.conn(), &application).await?;
        let after = Some(policy(&application));
        record(&mut change, actor, Action::AddApplication, application.id, (None, after)).await?;
        change.commit().await?;
        Ok((application, secret))
    }

    /// Gives an application another policy. It holds for every request that starts after this returns; one
    /// that asks for less waits for a second person.
    ///
    /// # Errors
    /// As [`App::add_application`], and [`AppError::NotFound`].
    pub async fn change_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        wanted: &Wanted,
        own: &Url,
        proof: Option<&str>,
    ) -> Result<Proposed, AppError> {
        actor.require(Permission::ManageApplications)?;
        let mut change = self.change().await?;
        let found = applications::find(&mut change.conn(), id).await?;
        let before = found.ok_or(AppError::NotFound("application"))?;
        let mut after = before.clone();
        wanted.apply(&mut after, own)?;
        // What was declared before it was refused can still be made stricter.
        if places(&after) != places(&before) {
            free(&mut change, &after).await?;
        }
        let what = wanted.protected(Action::ChangeApplication).with("application", id);
        spend(&mut change, actor, &what, proof).await?;
        if !after.weaker_than(&before).is_empty() {
            let terms = after.terms();
            let matter = Matter::Way { way: Way::Application, id: id.0, terms };
            let action = Action::ChangeApplication;
            let waits = ask(&mut change, actor, action, &matter, &wanted.reason).await?;
            change.commit().await?;
            return Ok(Proposed::Waiting(waits));
        }
        put(&mut change, actor, &before, &after).await?;
        change.commit().await?;
        Ok(Proposed::Done)
    }

    /// Removes an application with all that is open in it.
    ///
    /// # Errors
    /// Denied; [`AppError::NotFound`]; [`AppError::StepUp`] without a proof for just this.
    pub async fn remove_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        proof: Option<&str>,
    ) -> Result<(), AppError> {
        actor.require(Permission::ManageApplications)?;
        let mut change = self.change().await?;
        let found = applications::find(&mut change.conn(), id).await?;
        let before = found.ok_or(AppError::NotFound("application"))?;
        let what = Protected::new(Action::RemoveApplication).with("application", id);
        spend(&mut change, actor, &what, proof).await?;
        applications::remove(&mut change.conn(), id).await?;
        let policies = (Some(policy(&before)), None);
        record(&mut change, actor, Action::RemoveApplication, id, policies).await?;
        change.commit().await?;
        Ok(())
    }

    /// Gives a client a new secret; the one of before is good for nothing.
    ///
    /// # Errors
    /// As [`App::remove_application`]; [`AppError::NotFound`] also for one that has none.
    pub async fn renew_secret(
        &self,
        actor: &Actor,
        id: ApplicationId,
        proof: Option<&str>,
    ) -> Result<(Application, Token), AppError> {
        actor.require(Permission::ManageApplications)?;
        let mut change = self.change().await?;
        let found = applications::find(&mut change.conn(), id).await?;
        let mut application =
            found.filter(|a| a.secret.is_some()).ok_or(AppError::NotFound("application"))?;
        let what = Protected::new(Action::RenewSecret).with("application", id);
        spend(&mut change, actor, &what, proof).await?;
        let secret = Token::from_random(self.random_bytes());
        application.secret = Some(digest(secret.text().as_bytes()).to_vec());
        applications::update(&mut change.conn(), &application).await?;
        record(&mut change, actor, Action::RenewSecret, id, (None, None)).await?;
        change.commit().await?;
        Ok((application, secret))
    }
}

/// No other application has its origin, and none behind a proxy shares a host with another place: browsers send
/// the cookie that lets people in to every port of a host, so that whoever runs what is at the one port would
/// enter the other.
async fn free(change: &mut Change<'_>, wanted: &Application) -> Result<(), AppError> {
    let other = applications::find_by_origin(&mut change.conn(), &wanted.origin).await?;
    if other.is_some_and(|other| other.id != wanted.id) {
        return Err(AppError::Conflict(refusal!(
            "application-taken",
            "another application has this origin already"
        )));
    }
    let own = places(wanted);
    let shares = |other: &Application| {
        let cookie = [wanted.kind, other.kind].contains(&Kind::ForwardAuth);
        let theirs = places(other);
        cookie && own.iter().any(|a| theirs.iter().any(|b| a.host() == b.host() && a != b))
    };
    let mut all = applications::list(&mut change.conn()).await?.into_iter();
    match all.find(|other| other.id != wanted.id && shares(other)) {
        None => Ok(()),
        Some(other) => Err(AppError::Conflict(refusal!(
            "application-host",
            "{name} is on this host already, with another port; browsers send one application's cookie to the other: give it a host of its own",
            name = other.name.as_str()
        ))),
    }
}

/// The origins at which an application is reached.
fn places(a: &Application) -> Vec<Url> {
    let texts = match a.kind {
        Kind::ForwardAuth => std::slice::from_ref(&a.origin),
        Kind::OpenId => &a.redirect_uris,
    };
    let mut places: Vec<Url> = texts.iter().filter_map(|text| origin_of(text)).collect();
    places.sort();
    places.dedup();
    places
}

fn origin_of(address: &str) -> Option<Url> {
    Url::parse(&Url::parse(address).ok()?.origin().ascii_serialization()).ok()
}
