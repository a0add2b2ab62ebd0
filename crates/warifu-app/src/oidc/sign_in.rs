//! To the provider and back: a sign-in, or the redeeming of an invitation.

use super::{KNOWN, link_id};
use crate::notices::notify_of_factor;
use crate::passkeys::{actor_of, browser_hash};
use crate::policies::access_of;
use crate::sessions::OpenSession;
use crate::sign_in::{CEREMONY, From, Opened, SignedInBy, ceremony_key};
use crate::step_up::Passed;
use crate::{App, AppError, Change};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use url::Url;
use warifu_auth::oidc::{self, Asking, Discovered, OidcError, Statement};
use warifu_auth::{SessionPolicy, Token, digest};
use warifu_domain::assurance::by_provider;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::people::KnownPerson;
use warifu_domain::protected::Protected;
use warifu_domain::{CredentialId, PersonId, ProviderId, Timestamp};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment, SignInRefused};
use warifu_storage::credentials::{self, NewCredential};
use warifu_storage::identity_providers::{self, Provider};
use warifu_storage::people;

/// What somebody goes to the provider for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To sign in and go on at a path.
    SignIn { next: &'a str },
    /// To redeem an invitation.
    Enrol { invitation: &'a str },
    /// To prove oneself once more, for a protected action in this session.
    StepUp { session: &'a OpenSession, what: &'a Protected },
}

/// The same, until they come back. No secret stands in it.
#[derive(Serialize, Deserialize)]
enum Kept {
    SignIn {
        next: String,
    },
    /// The hash of the invitation's token.
    Enrol {
        invitation: [u8; 32],
    },
    /// The hash of the session's token, and what it is for.
    StepUp {
        session: [u8; 32],
        what: Protected,
        asked_at: i64,
    },
}

#[derive(Serialize, Deserialize)]
struct Journey {
    provider: ProviderId,
    kept: Kept,
}

/// How it begins.
#[derive(Debug)]
pub enum Began {
    /// On to the provider.
    Go(Url),
    /// The provider does not answer.
    Down,
}

/// How it ended.
pub enum Finished {
    /// A session is open; go on at this path, or where the person begins.
    SignedIn { opened: Opened, next: String },
    /// The proof for a protected action.
    SteppedUp(Passed),
    /// No proof, whatever the reason.
    StepUpRefused,
    /// Whatever the reason, which only the ledger has.
    Refused,
    /// The provider does not answer.
    Down,
}

/// What the browser brings back from the provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Returned<'a> {
    pub state: &'a str,
    pub code: Option<&'a str>,
    /// The issuer, where it says so (RFC 9207).
    pub iss: Option<&'a str>,
}

/// Why nobody was signed in: for the ledger only.
struct Refusal {
    reason: &'static str,
    person: Option<PersonId>,
}

impl Refusal {
    fn of(reason: &'static str) -> Refusal {
        Refusal { reason, person: None }
    }
}

enum Outcome {
    Signed(Opened, String),
    SteppedUp(Option<Passed>),
    Refused(Refusal),
    Down,
}

/// A secret of one journey in one browser. Nothing of it is kept, and the address that the browser
/// is sent to does not tell it.
fn secret(purpose: &str, state: &Token, browser: &str) -> String {
    let bytes = digest(format!("oidc {purpose}\n{}\n{browser}", state.text()).as_bytes());
    Token::from_random(bytes).text()
}

impl App {
    /// Sends somebody to a provider.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such provider, or the invitation cannot be used in
    /// this browser.
    pub async fn begin_at_provider(
        &self,
        provider: ProviderId,
        purpose: Purpose<'_>,
        origin: &Url,
        from: From<'_>,
    ) -> Result<Began, AppError> {
        let found = identity_providers::find(&mut self.db.read().await?.conn(), provider).await?;
        let found = found.filter(|p| p.enabled).ok_or(AppError::NotFound("identity provider"))?;
        let kept = match purpose {
            Purpose::SignIn { next } => Kept::SignIn { next: next.to_owned() },
            Purpose::Enrol { invitation } => {
                let gone = || AppError::NotFound("invitation");
                self.open_invitation(invitation, from).await?.ok_or_else(gone)?;
                Kept::Enrol { invitation: Token::parse(invitation).ok_or_else(gone)?.hash() }
            }
            Purpose::StepUp { session, what } => Kept::StepUp {
                session: session.token_hash,
                what: what.clone(),
                asked_at: self.now().0,
            },
        };
        let discovered = match self.discovered(&found, KNOWN).await {
            Ok(discovered) => discovered,
            Err(error) => {
                tracing::warn!(%provider, %error, "an identity provider does not answer");
                return Ok(Began::Down);
            }
        };
        let client = self.provider_client(&found, origin)?;
        let state = Token::from_random(self.random_bytes());
        let asking = Asking {
            state: state.text(),
            nonce: secret("nonce", &state, from.browser),
            pkce: secret("pkce", &state, from.browser),
            anew: matches!(purpose, Purpose::StepUp { .. }),
        };
        let journey = serde_json::to_string(&Journey { provider, kept })
            .map_err(|e| AppError::Internal(e.to_string()))?;
        let key = ceremony_key(&state, from.browser);
        let end = self.now().plus(CEREMONY);
        let mut tx = self.db.begin_plain().await?;
        credentials::insert_ceremony(&mut tx.conn(), &key, "oidc", PersonId(0), &journey, end)
            .await?;
        tx.commit().await?;
        Ok(Began::Go(oidc::ask(&client, &discovered, &asking)))
    }

    /// Somebody is back from a provider. Whatever is refused, the answer is the same and the ledger
    /// has the reason; what they brought is good for one try, in the browser that began.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_at_provider(
        &self,
        returned: Returned<'_>,
        origin: &Url,
        from: From<'_>,
        (old, session): (Option<&str>, Option<&OpenSession>),
        policy: &SessionPolicy,
    ) -> Result<Finished, AppError> {
        let refusal = match self.returned(returned, origin, from, (old, session), policy).await? {
            Outcome::Signed(opened, next) => return Ok(Finished::SignedIn { opened, next }),
            Outcome::SteppedUp(Some(passed)) => return Ok(Finished::SteppedUp(passed)),
            Outcome::SteppedUp(None) => return Ok(Finished::StepUpRefused),
            Outcome::Down => return Ok(Finished::Down),
            Outcome::Refused(refusal) => refusal,
        };
        let body = SignInRefused {
            factor: Factor::Oidc.key().into(),
            reason: refusal.reason.into(),
            person: refusal.person.map(|p| p.to_string()),
            times: None,
        };
        let mut change = self.change().await?;
        change.record_stranger(from.network, &body).await?;
        change.commit().await?;
        Ok(Finished::Refused)
    }

    async fn returned(
        &self,
        returned: Returned<'_>,
        origin: &Url,
        from: From<'_>,
        (old, session): (Option<&str>, Option<&OpenSession>),
        policy: &SessionPolicy,
    ) -> Result<Outcome, AppError> {
        let no = |reason| Ok(Outcome::Refused(Refusal::of(reason)));
        let Some(state) = Token::parse(returned.state) else { return no("state") };
        let taken = self.take_ceremony("oidc", returned.state, from.browser).await?;
        let journey = taken.and_then(|(_, text)| serde_json::from_str::<Journey>(&text).ok());
        let Some(Journey { provider, kept }) = journey else { return no("state") };
        let found = identity_providers::find(&mut self.db.read().await?.conn(), provider).await?;
        let Some(provider) = found.filter(|p| p.enabled) else { return no("provider") };
        if returned.iss.is_some_and(|iss| iss != provider.issuer) {
            return no("issuer");
        }
        let Some(code) = returned.code else { return no("provider_refused") };
        let anew = match &kept {
            Kept::StepUp { asked_at, .. } => Some(Timestamp(*asked_at)),
            Kept::SignIn { .. } | Kept::Enrol { .. } => None,
        };
        let stated = self.statement(&provider, code, (&state, anew), origin, from).await?;
        if let Kept::StepUp { session: own, what, .. } = &kept {
            let session = session.filter(|s| s.token_hash == *own);
            let Some(session) = session else { return no("session") };
            if matches!(stated, Err(OidcError::Unreachable(_))) {
                return Ok(Outcome::Down);
            }
            let passed = self.stepped_up_by(&provider, stated.ok(), session, what).await?;
            return Ok(Outcome::SteppedUp(passed));
        }
        let statement = match stated {
            Ok(statement) => statement,
            Err(error) => {
                tracing::info!(provider = %provider.id, %error, "a sign-in by an identity provider failed");
                return match error {
                    OidcError::Unreachable(_) => Ok(Outcome::Down),
                    OidcError::Refused(_) => no("code"),
                    OidcError::Key(_) | OidcError::NotVerified(_) => no("not_verified"),
                };
            }
        };
        let mut change = self.change().await?;
        // It had a while to answer, in which it may have been switched off.
        let still = identity_providers::find(&mut change.conn(), provider.id).await?;
        if !still.is_some_and(|p| p.enabled) {
            return no("provider");
        }
        let (linked, next) = match kept {
            Kept::SignIn { next } => (find_linked(&mut change, &provider, &statement).await?, next),
            Kept::Enrol { invitation } => {
                let own = browser_hash(from.browser);
                let invited = invited(&mut change, &invitation, &own).await?;
                let linked = match invited {
                    Some(person) => {
                        link(&mut change, &provider, &statement, person, &invitation, from).await?
                    }
                    None => Err(Refusal::of("invitation")),
                };
                (linked, String::from("/"))
            }
            Kept::StepUp { .. } => return no("session"),
        };
        let (person, by) = match linked {
            Ok(linked) => linked,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let opened = self.open_session(&mut change, person, by, from, old, policy).await?;
        let (hash, sid) = (opened.token.hash(), statement.sid.as_deref());
        identity_providers::opened(&mut change.conn(), &hash, provider.id, sid).await?;
        change.commit().await?;
        Ok(Outcome::Signed(opened, next))
    }

    /// What the provider says in exchange for a code. Where it signs with a key that is not known
    /// yet, it is asked for its keys again.
    async fn statement(
        &self,
        provider: &Provider,
        code: &str,
        (state, anew): (&Token, Option<Timestamp>),
        origin: &Url,
        from: From<'_>,
    ) -> Result<Result<Statement, OidcError>, AppError> {
        let client = self.provider_client(provider, origin)?;
        let (pkce, nonce) =
            (secret("pkce", state, from.browser), secret("nonce", state, from.browser));
        let verify = |discovered: &Discovered, answered: &oidc::Answered, now: Timestamp| {
            oidc::verify(&client, discovered, answered, &nonce, (now, anew))
        };
        let inner = async {
            let discovered: Arc<Discovered> = self.discovered(provider, KNOWN).await?;
            let fetch = self.config.outbound.to(super::hosts(&provider.hosts));
            let answered = oidc::exchange(&client, &discovered, code, &pkce, fetch).await?;
            match verify(&discovered, &answered, self.now()) {
                Err(OidcError::Key(_)) => {
                    let again = self.discovered(provider, 0).await?;
                    verify(&again, &answered, self.now())
                }
                other => other,
            }
        };
        Ok(inner.await)
    }
}

/// Whose invitation it is, if it can be used in this browser now.
async fn invited(
    change: &mut Change<'_>,
    invitation: &[u8; 32],
    browser: &[u8; 32],
) -> Result<Option<KnownPerson>, AppError> {
    let at = change.at();
    let found = credentials::find_enrolment(&mut change.conn(), invitation).await?;
    let fits = |e: &credentials::Enrolment| {
        e.used_at.is_none() && e.expires_at > at && e.browser.as_deref() == Some(browser.as_slice())
    };
    let Some(found) = found.filter(fits) else { return Ok(None) };
    Ok(people::find(&mut change.conn(), found.person).await?.filter(|p| p.active))
}

type Linked = Result<(KnownPerson, SignedInBy), Refusal>;

/// Whether a statement is enough for a person: theirs must be the provider's organization, and its
/// word good enough for their roles.
async fn judged(
    change: &mut Change<'_>,
    provider: &Provider,
    statement: &Statement,
    person: &KnownPerson,
) -> Result<Result<u8, Refusal>, AppError> {
    let no = |reason| Ok(Err(Refusal { reason, person: Some(person.id) }));
    if person.organization != provider.organization {
        return no("organization");
    }
    let roles = people::roles(&mut change.conn(), person.id).await?;
    let allowed = access_of(&mut change.conn(), person, roles).await?;
    match by_provider(statement.acr.as_deref(), &statement.amr, roles, allowed) {
        Some(assurance) => Ok(Ok(assurance)),
        None => no("acr"),
    }
}

async fn find_linked(
    change: &mut Change<'_>,
    provider: &Provider,
    statement: &Statement,
) -> Result<Linked, AppError> {
    let id = link_id(&provider.issuer, &statement.subject);
    let known = credentials::find(&mut change.conn(), Factor::Oidc, &id).await?;
    let Some(known) = known else { return Ok(Err(Refusal::of("unknown_subject"))) };
    let person = people::find(&mut change.conn(), known.person).await?.filter(|p| p.active);
    let Some(person) = person else {
        return Ok(Err(Refusal { reason: "inactive", person: Some(known.person) }));
    };
    let assurance = match judged(change, provider, statement, &person).await? {
        Ok(assurance) => assurance,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let at = change.at();
    credentials::used(&mut change.conn(), known.id, &known.verifier, at).await?;
    let by = SignedInBy { factor: Factor::Oidc, credential: known.id, assurance, until: None };
    Ok(Ok((person, by)))
}

/// Links a person to who they are at the provider, and spends their invitation.
async fn link(
    change: &mut Change<'_>,
    provider: &Provider,
    statement: &Statement,
    person: KnownPerson,
    invitation: &[u8; 32],
    from: From<'_>,
) -> Result<Linked, AppError> {
    let no = |reason| Ok(Err(Refusal { reason, person: Some(person.id) }));
    let assurance = match judged(change, provider, statement, &person).await? {
        Ok(assurance) => assurance,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let id = link_id(&provider.issuer, &statement.subject);
    if credentials::is_taken(&mut change.conn(), &id).await? {
        return no("known_subject");
    }
    let at = change.at();
    if !credentials::spend_enrolment(&mut change.conn(), invitation, at).await? {
        return no("invitation");
    }
    let verifier = json!({ "issuer": provider.issuer, "subject": statement.subject }).to_string();
    let new = NewCredential {
        person: person.id,
        kind: Factor::Oidc,
        credential_id: &id,
        verifier: &verifier,
        make: None,
        name: &provider.name,
    };
    let credential: CredentialId = credentials::insert(&mut change.conn(), &new, at).await?;
    let roles = people::roles(&mut change.conn(), person.id).await?;
    let actor = actor_of(&person, roles, from.network);
    let body = Enrolment {
        person: person.id.to_string(),
        factor: Factor::Oidc.key().into(),
        credential: Hash(digest(&id)),
        change: Done::Added,
    };
    change.record(&actor, Some(person.organization), &body).await?;
    let (kind, factor) = (NoticeKind::FactorAdded, Factor::Oidc);
    notify_of_factor(change, person.id, kind, factor, &provider.name).await?;
    Ok(Ok((person, SignedInBy { factor: Factor::Oidc, credential, assurance, until: None })))
}
