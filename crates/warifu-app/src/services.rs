//! Service accounts: made by a protected action, used with a key of their own from declared networks,
//! revoked at once.
//!
//! An account acts as a person of the vendor's without factors and roles; its token carries what it may.

use crate::devices::Bound;
use crate::notices::notify;
use crate::refused_programs::Counted;
use crate::second_person::ask;
use crate::sessions::OpenSession;
use crate::step_up::spend;
use crate::{App, AppError, Change};
use std::net::IpAddr;
use warifu_auth::{
    DeclaredNetworks, ServiceFault, ServiceKey, ServiceRequest, SessionPolicy, Token,
    claimed_client, digest, verify_assertion, verify_dpop,
};
use warifu_domain::access::{Actor, Permission, Roles};
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::{KnownPerson, Person};
use warifu_domain::protected::{Action, Protected};
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::services::{Scope, Scopes};
use warifu_domain::time::{HOUR, MINUTE, SECOND};
use warifu_domain::{CredentialId, PersonId, Timestamp, refusal};
use warifu_ledger::body::{PersonChange, PolicyChange, ProtectedAction, SignIn, SignInRefused};
use warifu_ledger::{Count, Hash};
use warifu_storage::services::{self, ServiceAccount, ServiceToken};
use warifu_storage::{organizations, people};

/// Longest life of an access token, in microseconds.
pub const TOKEN: i64 = 10 * MINUTE;
/// Longest life of an account, in days.
pub const DAYS: i64 = 365;
/// Longest name, in characters.
const NAME: usize = 60;

/// What an account calls itself in assertions (`iss`, `sub`).
pub fn client_id(account: i64) -> String {
    format!("svc-{account}")
}

fn account_of(client: &str) -> Option<i64> {
    let digits = client.strip_prefix("svc-")?;
    let id: i64 = digits.parse().ok()?;
    (client_id(id) == client).then_some(id)
}

/// An account that is to be made, as it was sent.
#[derive(Clone, Debug)]
pub struct NewService {
    pub name: String,
    pub scopes: Vec<String>,
    pub networks: String,
    pub days: i64,
    pub jwk: String,
    /// Why, for whoever agrees; not part of what is proved.
    pub reason: String,
}

impl NewService {
    /// What is agreed to: the same text as the page's.
    fn protected(&self) -> Protected {
        Protected::new(Action::CreateService)
            .with("name", &self.name)
            .with("scopes", self.scopes.join(","))
            .with("networks", &self.networks)
            .with("days", self.days)
            .with("jwk", &self.jwk)
    }
}

/// Where a program's request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// As it may be recorded.
    pub network: &'a str,
    pub address: IpAddr,
    pub system: Option<u32>,
}

/// Why a program gets nothing. It is told this much and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRefusal {
    /// No such account, or not its assertion.
    Client,
    /// No token that holds.
    Token,
    /// The proof of possession does not hold.
    Proof,
    /// More was asked for than was given.
    Scope,
    /// Not from a declared network.
    Network,
    /// Not in the API: pages are for people.
    Pages,
}

/// An access token that was just made. It is not kept.
pub struct IssuedToken {
    pub token: Token,
    pub scopes: Scopes,
    /// Seconds.
    pub left: i64,
}

/// What a token is used for.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// An endpoint of the API and the scope that it asks for; none where it is not for programs.
    Api(Option<Scope>),
    Page,
}

fn scopes_of(account: &str) -> Scopes {
    Scopes::parse(account).unwrap_or_default()
}

fn service_roles(scopes: Scopes) -> Roles {
    Roles::of_service(scopes.iter().map(Scope::permission))
}

/// What a second person reads of an account.
fn told(a: &ServiceAccount) -> Terms {
    let (expires, agreed) = (a.expires_at.to_string(), a.agreed_at.is_some().to_string());
    let key = ServiceKey::parse(&a.jwk).ok().and_then(|k| k.thumbprint()).unwrap_or_default();
    let texts = [
        ("name", &a.name),
        ("scopes", &a.scopes),
        ("networks", &a.networks),
        ("key", &key),
        ("expires_at", &expires),
        ("enabled", &agreed),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.clone())).collect()
}

/// What holds for an account now; nothing for one that was revoked.
pub(crate) async fn terms(change: &mut Change<'_>, id: i64) -> Result<Option<Terms>, AppError> {
    let found = services::find(&mut change.conn(), id).await?;
    Ok(found.filter(|a| a.revoked_at.is_none()).map(|a| told(&a)))
}

/// Lets an account in: a second person has agreed.
pub(crate) async fn let_in(
    change: &mut Change<'_>,
    actor: &Actor,
    id: i64,
) -> Result<(), AppError> {
    let hash = |terms: Option<Terms>| {
        let text = terms.and_then(|t| serde_json::to_string(&t).ok());
        text.map(|t| Hash(digest(t.as_bytes())))
    };
    let before = hash(terms(change, id).await?);
    let at = change.at();
    services::agree(&mut change.conn(), id, at).await?;
    let after = hash(terms(change, id).await?);
    let body = PolicyChange { policy: format!("service_account:{id}"), before, after };
    change.record(actor, Some(actor.organization), &body).await?;
    Ok(())
}

impl App {
    /// Makes an account. It is let in when a second person has agreed.
    ///
    /// # Errors
    /// Denied; [`AppError::Invalid`] for a name, scope, network, time or key that is not taken;
    /// [`AppError::StepUp`] without a proof for just this.
    pub async fn create_service(
        &self,
        actor: &Actor,
        new: &NewService,
        proof: Option<&str>,
    ) -> Result<i64, AppError> {
        actor.require(Permission::ManageRoles)?;
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            let what = refusal!("service-name", "a name has 1 to {limit} characters", limit = NAME);
            return Err(AppError::invalid("name", what));
        }
        let scopes = Scopes::parse(&new.scopes.join(" ")).filter(|s| !s.is_empty());
        let scopes = scopes.ok_or_else(|| {
            AppError::invalid("scopes", refusal!("service-scopes", "choose what it may do"))
        })?;
        let networks = DeclaredNetworks::parse(&new.networks)
            .map_err(|e| AppError::invalid("networks", e.refusal()))?;
        if !(1..=DAYS).contains(&new.days) {
            let what = refusal!("service-days", "it ends after 1 to {limit} days", limit = DAYS);
            return Err(AppError::invalid("days", what));
        }
        let key = ServiceKey::parse(&new.jwk).map_err(|e| AppError::invalid("jwk", e.refusal()))?;
        let mut change = self.change().await?;
        spend(&mut change, actor, &new.protected(), proof).await?;
        let (at, revision) = (change.at(), change.revision());
        let record = Person {
            created_date: Some(at),
            full_name: Some(name.to_owned()),
            ..Person::default()
        };
        let person = KnownPerson {
            id: PersonId(change.conn().take_ids("people", 1).await?),
            organization: actor.organization,
            active: true,
            record: record.checked()?,
        };
        people::insert(&mut change.conn(), revision, std::slice::from_ref(&person)).await?;
        let body = PersonChange {
            person: person.id.to_string(),
            fields: vec!["full_name".into()],
            revision: Count(revision.0 as u64),
        };
        change.record(actor, Some(actor.organization), &body).await?;
        let account = ServiceAccount {
            id: change.conn().take_ids("service_accounts", 1).await?,
            person: person.id,
            name: name.to_owned(),
            owner: actor.person,
            scopes: scopes.text(),
            networks: networks.to_string(),
            jwk: key.text(),
            created_at: at,
            expires_at: at.plus(new.days.saturating_mul(24 * HOUR)),
            agreed_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        services::insert(&mut change.conn(), &account).await?;
        let body = ProtectedAction {
            action: Action::CreateService.key().into(),
            target: Some(client_id(account.id)),
            approver: None,
        };
        change.record(actor, Some(actor.organization), &body).await?;
        let mut terms = told(&account);
        terms.insert("enabled".into(), "true".into());
        let matter = Matter::Way { way: Way::ServiceAccount, id: account.id, terms };
        ask(&mut change, actor, Action::CreateService, &matter, &new.reason).await?;
        change.commit().await?;
        Ok(account.id)
    }

    /// Revokes an account: its tokens hold for no request that starts after this returns.
    ///
    /// # Errors
    /// Denied, or [`AppError::NotFound`].
    pub async fn revoke_service(&self, actor: &Actor, id: i64) -> Result<(), AppError> {
        actor.require(Permission::ManageRoles)?;
        let mut change = self.change().await?;
        let at = change.at();
        if !services::revoke(&mut change.conn(), id, at).await? {
            return Err(AppError::NotFound("service account"));
        }
        let body = ProtectedAction {
            action: "revoke_service".into(),
            target: Some(client_id(id)),
            approver: None,
        };
        change.record(actor, Some(actor.organization), &body).await?;
        change.commit().await?;
        Ok(())
    }

    /// All accounts, the newest first.
    ///
    /// # Errors
    /// Denied, or when the database fails.
    pub async fn services(&self, actor: &Actor) -> Result<Vec<ServiceAccount>, AppError> {
        actor.require(Permission::ManageRoles)?;
        Ok(services::list(&mut self.db.read().await?.conn()).await?)
    }

    /// An account that may be used now, with its person. It is as good as its owner: of whoever is
    /// switched off no program goes on.
    async fn usable_service(
        &self,
        id: i64,
    ) -> Result<Option<(ServiceAccount, KnownPerson)>, AppError> {
        let now = self.now();
        let mut reader = self.db.read().await?;
        let found = services::find(&mut reader.conn(), id).await?;
        let Some(account) = found.filter(|a| a.holds(now)) else {
            return Ok(None);
        };
        let both = people::find_many(&mut reader.conn(), [account.person, account.owner]).await?;
        let owned = both.iter().any(|p| p.id == account.owner && p.active);
        let person = both.into_iter().find(|p| p.id == account.person && p.active);
        Ok(person.filter(|_| owned).map(|person| (account, person)))
    }

    async fn refuse_service(
        &self,
        account: Option<&ServiceAccount>,
        reason: &str,
        alarm: bool,
        from: Place<'_>,
    ) -> Result<(), AppError> {
        let told =
            self.refused_programs.tell(account.map(|a| a.id), from.network, alarm, self.now());
        if !told.entry {
            return Ok(());
        }
        let body = SignInRefused {
            factor: "service".into(),
            reason: reason.into(),
            person: account.map(|a| a.person.to_string()),
            times: None,
        };
        let (app, network) = (self.clone(), from.network.to_owned());
        let owner = account.filter(|_| told.notice).map(|a| (a.owner, a.name.clone()));
        // A task of its own: whoever hangs up before the answer is told of all the same.
        let record = tokio::spawn(async move {
            let mut change = app.change().await?;
            change.record_stranger(&network, &body).await?;
            if let Some((owner, name)) = owner {
                let details = [("name", name.as_str()), ("from", network.as_str())];
                notify(&mut change, owner, NoticeKind::ServiceRefused, &details).await?;
            }
            change.commit().await?;
            // What was counted before goes with it, where its hour is over.
            app.settle_refusals().await
        });
        record.await.map_err(|e| AppError::Internal(e.to_string()))??;
        Ok(())
    }

    /// Writes down how many refusals of programs were counted and not told one by one, when their hour is
    /// over. Gives of how many it wrote.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_refusals(&self) -> Result<usize, AppError> {
        let mut over = self.refused_programs.over(self.now()).into_iter();
        let mut written = 0;
        while let Some(counted) = over.next() {
            if let Err(e) = self.settle(&counted).await {
                self.refused_programs.put_back(std::iter::once(counted).chain(over));
                return Err(e);
            }
            written += 1;
        }
        Ok(written)
    }

    async fn settle(&self, counted: &Counted) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let account = match counted.account {
            Some(id) => services::find(&mut change.conn(), id).await?,
            None => None,
        };
        let body = SignInRefused {
            factor: "service".into(),
            reason: "repeated".into(),
            person: account.map(|a| a.person.to_string()),
            times: Some(Count(counted.more)),
        };
        change.record_stranger(&counted.network, &body).await?;
        change.commit().await?;
        Ok(())
    }

    /// Exchanges an assertion for an access token that is bound to the key of the DPoP proof (RFC 7523
    /// §2.2, RFC 9449 §5).
    ///
    /// # Errors
    /// When the database fails; the inner error is for the client.
    pub async fn service_token(
        &self,
        assertion: &str,
        proof: &str,
        scope: &str,
        endpoint: &str,
        from: Place<'_>,
    ) -> Result<Result<IssuedToken, ServiceRefusal>, AppError> {
        let client = claimed_client(assertion);
        let id = client.as_deref().and_then(account_of);
        let found = match id {
            Some(id) => self.usable_service(id).await?,
            None => None,
        };
        let (Some((account, person)), Some(client)) = (found, client) else {
            self.refuse_service(None, "unknown_client", false, from).await?;
            return Ok(Err(ServiceRefusal::Client));
        };
        let now = self.now();
        let key = ServiceKey::parse(&account.jwk).map_err(|e| AppError::Internal(e.to_string()))?;
        let asserted = match verify_assertion(assertion, &key, &client, endpoint, now) {
            Ok(asserted) => asserted,
            Err(fault) => {
                self.refuse_service(Some(&account), fault.code(), false, from).await?;
                return Ok(Err(ServiceRefusal::Client));
            }
        };
        if !declared(&account, from) {
            self.refuse_service(Some(&account), "other_network", true, from).await?;
            return Ok(Err(ServiceRefusal::Network));
        }
        let request = ServiceRequest { method: "POST", url: endpoint, token: None };
        let proven = match verify_dpop(proof, request, now) {
            Ok(proven) => proven,
            Err(fault) => {
                self.refuse_service(Some(&account), fault.code(), false, from).await?;
                return Ok(Err(ServiceRefusal::Proof));
            }
        };
        let given = scopes_of(&account.scopes);
        let asked = Scopes::parse(scope).map(|s| if s.is_empty() { given } else { s });
        let Some(scopes) = asked.filter(|s| given.cover(*s)) else {
            self.refuse_service(Some(&account), "scope", false, from).await?;
            return Ok(Err(ServiceRefusal::Scope));
        };
        let mut change = self.change().await?;
        let at = change.at();
        let uses = [
            (format!("assertion:{client}:{}", asserted.jti), asserted.until),
            (format!("dpop:{}:{}", proven.thumbprint, proven.jti), proven.until),
        ];
        for (used, until) in uses {
            let until = Timestamp(until.saturating_mul(SECOND));
            let used = digest(used.as_bytes());
            if !services::use_proof(&mut change.conn(), &used, until, now).await? {
                drop(change);
                let replayed = ServiceFault::Replayed.code();
                self.refuse_service(Some(&account), replayed, true, from).await?;
                return Ok(Err(ServiceRefusal::Client));
            }
        }
        let token = Token::from_random(self.random_bytes());
        let expires_at = Timestamp(at.plus(TOKEN).0.min(account.expires_at.0));
        let kept = ServiceToken {
            account: account.id,
            scopes: scopes.text(),
            key_thumbprint: proven.thumbprint,
            expires_at,
        };
        services::insert_token(&mut change.conn(), &token.hash(), &kept, at).await?;
        let actor = actor(&account, &person, scopes, &token.hash(), from);
        let body = SignIn {
            factor: "service".into(),
            assurance: 1,
            phishing_resistant: true,
            device_bound: true,
        };
        change.record(&actor, Some(actor.organization), &body).await?;
        change.commit().await?;
        Ok(Ok(IssuedToken { token, scopes, left: (expires_at.0 - at.0) / SECOND }))
    }

    /// Who is behind an access token that a request carries with its proof. Account, network, proof and
    /// scope are asked with every request.
    ///
    /// # Errors
    /// When the database fails; the inner error is for the client.
    pub async fn service_session(
        &self,
        token: &str,
        proof: &str,
        (method, url): (&str, &str),
        target: Target,
        from: Place<'_>,
    ) -> Result<Result<OpenSession, ServiceRefusal>, AppError> {
        let Some(known) = Token::parse(token) else { return Ok(Err(ServiceRefusal::Token)) };
        let (hash, now) = (known.hash(), self.now());
        let found = {
            let mut reader = self.db.read().await?;
            services::find_token(&mut reader.conn(), &hash).await?
        };
        let Some(kept) = found.filter(|t| t.expires_at > now) else {
            return Ok(Err(ServiceRefusal::Token));
        };
        let Some((account, person)) = self.usable_service(kept.account).await? else {
            return Ok(Err(ServiceRefusal::Token));
        };
        let given = scopes_of(&kept.scopes);
        let request = ServiceRequest { method, url, token: Some(token) };
        let proven = verify_dpop(proof, request, now).and_then(|proven| {
            match warifu_auth::equal(&proven.thumbprint, &kept.key_thumbprint) {
                true => Ok(proven),
                false => Err(ServiceFault::Key),
            }
        });
        // Where it comes from and goes to is told first: it is what a thief gives away.
        let refused = match (&target, &proven) {
            (Target::Page, _) => Some(("pages", true, ServiceRefusal::Pages)),
            _ if !declared(&account, from) => {
                Some(("other_network", true, ServiceRefusal::Network))
            }
            (_, Err(fault)) => Some((fault.code(), true, ServiceRefusal::Proof)),
            (Target::Api(scope), Ok(_)) => match scope {
                Some(scope) if given.has(*scope) => None,
                _ => Some(("scope", false, ServiceRefusal::Scope)),
            },
        };
        if let Some((reason, alarm, refusal)) = refused {
            self.refuse_service(Some(&account), reason, alarm, from).await?;
            return Ok(Err(refusal));
        }
        let Ok(proven) = proven else { return Ok(Err(ServiceRefusal::Proof)) };
        let used = digest(format!("dpop:{}:{}", proven.thumbprint, proven.jti).as_bytes());
        let until = Timestamp(proven.until.saturating_mul(SECOND));
        let mut tx = self.db.begin_plain().await?;
        let fresh = services::use_proof(&mut tx.conn(), &used, until, now).await?;
        if !fresh {
            drop(tx);
            self.refuse_service(Some(&account), ServiceFault::Replayed.code(), true, from).await?;
            return Ok(Err(ServiceRefusal::Proof));
        }
        tx.commit().await?;
        let organization = {
            let mut reader = self.db.read().await?;
            organizations::find(&mut reader.conn(), person.organization).await?
        };
        let left = kept.expires_at.0 - now.0;
        Ok(Ok(OpenSession {
            actor: actor(&account, &person, given, &hash, from),
            organization_name: organization.map(|o| o.name).unwrap_or_default(),
            time_zone: None,
            csrf: String::new(),
            network: from.network.to_owned(),
            // No factor of a person: whatever asks for one asks for more than this.
            credential: CredentialId(0),
            factor: Factor::Password,
            assurance: 1,
            proved_at: Timestamp(0),
            left,
            idle_left: left,
            policy: SessionPolicy::default(),
            // A token is bound to the account's key by its proof.
            device_id: Vec::new(),
            bound: Bound::Not { may_register: false },
            token_hash: hash,
        }))
    }
}

fn declared(account: &ServiceAccount, from: Place<'_>) -> bool {
    let networks = DeclaredNetworks::parse(&account.networks);
    networks.is_ok_and(|n| n.contain(from.address, from.system))
}

fn actor(
    account: &ServiceAccount,
    person: &KnownPerson,
    scopes: Scopes,
    token: &[u8; 32],
    from: Place<'_>,
) -> Actor {
    Actor {
        person: account.person,
        name: account.name.clone(),
        organization: person.organization,
        roles: service_roles(scopes),
        session: Some(digest(token)),
        network: from.network.to_owned(),
    }
}
