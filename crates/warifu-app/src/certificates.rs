//! Signing in, enrolling and proving oneself with an X.509 client certificate.
//!
//! A certificate shows only on the listener that asks for one, so each ceremony has three steps: a
//! page of the main origin begins it, that listener judges the certificate and answers with a code, and
//! the main origin finishes with the code, in the browser where it began. Both tokens are good once.
//! The listener knows no browser: a cookie need not reach another port. Whoever is lured there shows
//! their certificate for nothing, since their own browser gets the code and did not begin.

use crate::notices::{notify, notify_of_factor};
use crate::passkeys::{actor_of, browser_hash, checked_name, gone};
use crate::sessions::OpenSession;
use crate::sign_in::{CEREMONY, From, Opened, SignedInBy, ceremony_key};
use crate::step_up::{Passed, spend};
use crate::{App, AppError, Change};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use warifu_auth::{CertificateFault, HeldCertificate, SessionPolicy, Token, Trust, digest};
use warifu_domain::access::Actor;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::{CredentialId, PersonId, Timestamp, refusal};
use warifu_ledger::Hash;
use warifu_ledger::body::{Change as Done, Enrolment, SessionRevoked, SignInRefused};
use warifu_storage::credentials::{self, NewCredential};
use warifu_storage::{people, sessions};

const BEGUN: &str = "certificate";
const JUDGED: &str = "certificate_code";

/// What a certificate is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
enum Purpose {
    SignIn {
        next: String,
    },
    /// A further factor of the session with this name.
    Further {
        name: String,
        session: String,
    },
    /// The first factor, by the invitation with this hash.
    Invited {
        name: String,
        invitation: Vec<u8>,
    },
    /// For one action in the session with this name.
    StepUp {
        session: String,
        action: String,
        parameters: BTreeMap<String, String>,
    },
}

/// Where a browser with a certificate that holds goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    SignIn,
    Enrol,
    StepUp,
}

impl Purpose {
    fn go_on(&self) -> GoOn {
        match self {
            Purpose::SignIn { .. } => GoOn::SignIn,
            Purpose::Further { .. } | Purpose::Invited { .. } => GoOn::Enrol,
            Purpose::StepUp { .. } => GoOn::StepUp,
        }
    }
}

/// A ceremony that has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    purpose: Purpose,
    /// SHA-256 of the secret of the browser where it began.
    browser: [u8; 32],
}

/// A certificate that was judged, between the listener and the main origin.
#[derive(Serialize, Deserialize)]
struct Judged {
    begun: Begun,
    key: [u8; 32],
    kept: Kept,
}

/// What is kept of a registered certificate: enough to judge it again when a list changes.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    subject: String,
    not_after: i64,
    thumbprint: [u8; 32],
    /// Its chain in DER, base64.
    chain: Vec<String>,
}

/// What people are shown of a registered certificate.
pub struct Shown {
    pub subject: String,
    pub not_after: Timestamp,
}

/// Reads what is kept of a registered certificate; `None` for other factors.
pub fn shown(factor: &credentials::Credential) -> Option<Shown> {
    if factor.kind != Factor::Certificate {
        return None;
    }
    let kept: Kept = serde_json::from_str(&factor.verifier).ok()?;
    Some(Shown { subject: kept.subject, not_after: Timestamp(kept.not_after) })
}

fn encoded(chain: &[Vec<u8>]) -> Vec<String> {
    use base64::Engine as _;
    chain.iter().map(|c| base64::engine::general_purpose::STANDARD.encode(c)).collect()
}

fn decoded(chain: &[String]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let one = |c: &String| base64::engine::general_purpose::STANDARD.decode(c).ok();
    chain.iter().filter_map(one).collect()
}

fn session_name(actor: &Actor) -> String {
    actor.session.iter().flatten().map(|b| format!("{b:02x}")).collect()
}

fn text(value: &impl Serialize) -> Result<String, AppError> {
    serde_json::to_string(value).map_err(|e| AppError::Internal(e.to_string()))
}

/// A browser by its secret. One without is nobody's: it signs nobody in.
fn browser_of(from: From<'_>) -> [u8; 32] {
    digest(format!("certificate:{}", from.browser).as_bytes())
}

fn begun(purpose: Purpose, from: From<'_>) -> Begun {
    Begun { purpose, browser: browser_of(from) }
}

fn taken() -> AppError {
    AppError::Conflict(refusal!(
        "certificate-known",
        "this certificate's key is registered already, or was and has been removed"
    ))
}

/// A card that was renewed with its key is judged by its newest certificate from here on.
async fn keep_newest(
    change: &mut Change<'_>,
    id: CredentialId,
    kept: &Kept,
) -> Result<(), AppError> {
    let (at, verifier) = (change.at(), text(kept)?);
    credentials::used(&mut change.conn(), id, &verifier, at).await?;
    credentials::ends(&mut change.conn(), id, Timestamp(kept.not_after)).await?;
    Ok(())
}

impl App {
    async fn keep_certificate_step(
        &self,
        change: Option<&mut Change<'_>>,
        kind: &str,
        person: PersonId,
        state: &impl Serialize,
    ) -> Result<Token, AppError> {
        let token = Token::from_random(self.random_bytes());
        let (key, state) = (ceremony_key(&token, ""), text(state)?);
        let expires = self.now().plus(CEREMONY);
        if let Some(change) = change {
            credentials::insert_ceremony(&mut change.conn(), &key, kind, person, &state, expires)
                .await?;
        } else {
            let mut tx = self.db.begin_plain().await?;
            credentials::insert_ceremony(&mut tx.conn(), &key, kind, person, &state, expires)
                .await?;
            tx.commit().await?;
        }
        Ok(token)
    }

    /// Begins a sign-in; the same for everybody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_certificate_sign_in(
        &self,
        next: &str,
        from: From<'_>,
    ) -> Result<Token, AppError> {
        let purpose = Purpose::SignIn { next: next.to_owned() };
        self.keep_certificate_step(None, BEGUN, PersonId(0), &begun(purpose, from)).await
    }

    /// Begins to register a further certificate: the proof of the step-up is spent here.
    ///
    /// # Errors
    /// [`AppError::StepUp`] without a proof for it.
    pub async fn begin_certificate_further(
        &self,
        actor: &Actor,
        name: &str,
        proof: Option<&str>,
        from: From<'_>,
    ) -> Result<Token, AppError> {
        let purpose = Purpose::Further { name: checked_name(name)?, session: session_name(actor) };
        let mut change = self.change().await?;
        spend(&mut change, actor, &Protected::new(Action::AddFactor), proof).await?;
        let token = self
            .keep_certificate_step(Some(&mut change), BEGUN, actor.person, &begun(purpose, from))
            .await?;
        change.commit().await?;
        Ok(token)
    }

    /// Begins to register the first factor by an invitation.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when the invitation cannot be used in this browser.
    pub async fn begin_certificate_invited(
        &self,
        invitation: &str,
        name: &str,
        from: From<'_>,
    ) -> Result<Token, AppError> {
        let name = checked_name(name)?;
        let open = self.open_invitation(invitation, from).await?.ok_or_else(gone)?;
        let token = Token::parse(invitation).ok_or_else(gone)?;
        let purpose = Purpose::Invited { name, invitation: token.hash().to_vec() };
        self.keep_certificate_step(None, BEGUN, open.person, &begun(purpose, from)).await
    }

    /// Begins a step-up for a protected action.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_certificate_step_up(
        &self,
        session: &OpenSession,
        what: &Protected,
        from: From<'_>,
    ) -> Result<Token, AppError> {
        let purpose = Purpose::StepUp {
            session: session_name(&session.actor),
            action: what.action.key().to_owned(),
            parameters: what.parameters().clone(),
        };
        self.keep_certificate_step(None, BEGUN, session.actor.person, &begun(purpose, from)).await
    }

    /// Judges what the connection showed. The code is for the main origin; `None` is a refusal for
    /// whatever reason, and the ledger has the reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn present_certificate(
        &self,
        trust: &Trust,
        ceremony: &str,
        chain: &[Vec<u8>],
        from: From<'_>,
    ) -> Result<Option<(GoOn, Token)>, AppError> {
        let taken = self.take_ceremony(BEGUN, ceremony, "").await?;
        let begun = taken.and_then(|(person, state)| {
            serde_json::from_str::<Begun>(&state).ok().map(|begun| (person, begun))
        });
        let Some((person, begun)) = begun else {
            self.refuse_certificate("ceremony", None, false, from).await?;
            return Ok(None);
        };
        let held = trust.judge(chain, self.now());
        let mut reader = self.db.read().await?;
        let judged = match held {
            Err(fault) => {
                // Whose it would be, for the ledger only: what does not hold proves nothing.
                Err((fault.code(), (person.0 != 0).then_some(person)))
            }
            Ok(held) => {
                let found =
                    credentials::find(&mut reader.conn(), Factor::Certificate, &held.key).await?;
                match (&begun.purpose, found) {
                    (Purpose::SignIn { .. }, None) => Err(("unknown_credential", None)),
                    (Purpose::StepUp { .. }, found)
                        if found.as_ref().map(|f| f.person) != Some(person) =>
                    {
                        Err(("unknown_credential", Some(person)))
                    }
                    _ => Ok(held),
                }
            }
        };
        drop(reader);
        match judged {
            Err((reason, person)) => {
                let step_up = matches!(begun.purpose, Purpose::StepUp { .. });
                self.refuse_certificate(reason, person, step_up, from).await?;
                Ok(None)
            }
            Ok(HeldCertificate { key, thumbprint, subject, not_after }) => {
                let chain = encoded(chain);
                let kept = Kept { subject, not_after: not_after.0, thumbprint, chain };
                let go_on = begun.purpose.go_on();
                let judged = Judged { begun, key, kept };
                let code = self.keep_certificate_step(None, JUDGED, person, &judged).await?;
                Ok(Some((go_on, code)))
            }
        }
    }

    async fn refuse_certificate(
        &self,
        reason: &str,
        person: Option<PersonId>,
        step_up: bool,
        from: From<'_>,
    ) -> Result<(), AppError> {
        let body = SignInRefused {
            factor: Factor::Certificate.key().into(),
            reason: reason.into(),
            person: person.map(|p| p.to_string()),
            times: None,
        };
        let mut change = self.change().await?;
        change.record_stranger(from.network, &body).await?;
        if let Some(person) = person.filter(|_| step_up) {
            notify(&mut change, person, NoticeKind::StepUpRefused, &[]).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// What a code stands for, judged once more: a card may have been revoked since, or have ended. Where
    /// it stands for nothing, the ledger has the reason.
    async fn judged_certificate(
        &self,
        trust: &Trust,
        (code, go_on): (&str, GoOn),
        from: From<'_>,
    ) -> Result<Option<(PersonId, Judged)>, AppError> {
        let taken = self.take_ceremony(JUDGED, code, "").await?;
        let judged = taken.and_then(|(person, state)| {
            serde_json::from_str::<Judged>(&state).ok().map(|judged| (person, judged))
        });
        let whose = judged.as_ref().map(|(person, _)| *person).filter(|person| person.0 != 0);
        let fits = |judged: &Judged| {
            judged.begun.browser == browser_of(from) && judged.begun.purpose.go_on() == go_on
        };
        let reason = match &judged {
            Some((_, judged)) if fits(judged) => {
                let chain = decoded(&judged.kept.chain);
                trust.judge(&chain, self.now()).err().map(|fault| fault.code())
            }
            _ => Some("ceremony"),
        };
        let Some(reason) = reason else { return Ok(judged) };
        self.refuse_certificate(reason, whose, go_on == GoOn::StepUp, from).await?;
        Ok(None)
    }

    /// Finishes a sign-in with a code: a new session with a new token, and where to go on. `None` when
    /// it is refused, for whatever reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_certificate_sign_in(
        &self,
        trust: &Trust,
        code: &str,
        from: From<'_>,
        old: Option<&str>,
        policy: &SessionPolicy,
    ) -> Result<Option<(Opened, String)>, AppError> {
        // A browser without a secret has begun nothing.
        let code = if from.browser.is_empty() { "" } else { code };
        let judged = self.judged_certificate(trust, (code, GoOn::SignIn), from).await?;
        let Some((_, Judged { begun: Begun { purpose: Purpose::SignIn { next }, .. }, key, kept })) =
            judged
        else {
            return Ok(None);
        };
        let mut change = self.change().await?;
        let known = credentials::find(&mut change.conn(), Factor::Certificate, &key).await?;
        let person = match &known {
            Some(known) => people::find(&mut change.conn(), known.person).await?,
            None => None,
        };
        let (Some(known), Some(person)) = (known, person.filter(|p| p.active)) else {
            drop(change);
            self.refuse_certificate("inactive", None, false, from).await?;
            return Ok(None);
        };
        keep_newest(&mut change, known.id, &kept).await?;
        let by = SignedInBy {
            factor: Factor::Certificate,
            credential: known.id,
            assurance: 3,
            until: Some(Timestamp(kept.not_after)),
        };
        let opened = self.open_session(&mut change, person, by, from, old, policy).await?;
        change.commit().await?;
        Ok(Some((opened, next)))
    }

    /// Finishes a registration with a code: for whoever is signed in, or by the invitation with which
    /// it began. Says whether it was by invitation.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when code, session or invitation do not fit; [`AppError::Conflict`] for a
    /// certificate whose key is or was registered.
    pub async fn finish_certificate_enrolment(
        &self,
        trust: &Trust,
        code: &str,
        actor: Option<&Actor>,
        from: From<'_>,
    ) -> Result<bool, AppError> {
        let judged = self.judged_certificate(trust, (code, GoOn::Enrol), from).await?;
        let (person, judged) = judged.ok_or_else(gone)?;
        let mut change = self.change().await?;
        let at = change.at();
        let (name, invited, actor) = match (&judged.begun.purpose, actor) {
            (Purpose::Further { name, session }, Some(actor))
                if *session == session_name(actor) && actor.person == person =>
            {
                (name, false, actor.clone())
            }
            (Purpose::Invited { name, invitation }, _) => {
                let found = credentials::find_enrolment(&mut change.conn(), invitation).await?;
                let own = browser_hash(from.browser);
                let fits = found.is_some_and(|e| {
                    e.person == person && e.browser.as_deref() == Some(own.as_slice())
                });
                if !fits
                    || !credentials::spend_enrolment(&mut change.conn(), invitation, at).await?
                {
                    return Err(gone());
                }
                let owner = people::find(&mut change.conn(), person).await?;
                let owner = owner.filter(|p| p.active).ok_or_else(gone)?;
                let roles = people::roles(&mut change.conn(), person).await?;
                (name, true, actor_of(&owner, roles, from.network))
            }
            _ => return Err(gone()),
        };
        if credentials::is_taken(&mut change.conn(), &judged.key).await? {
            return Err(taken());
        }
        let verifier = text(&judged.kept)?;
        let new = NewCredential {
            person,
            kind: Factor::Certificate,
            credential_id: &judged.key,
            verifier: &verifier,
            make: None,
            name,
        };
        let id = credentials::insert(&mut change.conn(), &new, at).await?;
        let ends = Timestamp(judged.kept.not_after);
        credentials::ends(&mut change.conn(), id, ends).await?;
        let body = Enrolment {
            person: person.to_string(),
            factor: Factor::Certificate.key().into(),
            credential: Hash(digest(&judged.key)),
            change: Done::Added,
        };
        change.record(&actor, Some(actor.organization), &body).await?;
        let (kind, factor) = (NoticeKind::FactorAdded, Factor::Certificate);
        notify_of_factor(&mut change, person, kind, factor, name).await?;
        change.commit().await?;
        Ok(invited)
    }

    /// Finishes a step-up with a code. `None` when it is refused, for whatever reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_certificate_step_up(
        &self,
        trust: &Trust,
        code: &str,
        session: &OpenSession,
        from: From<'_>,
    ) -> Result<Option<Passed>, AppError> {
        let judged = self.judged_certificate(trust, (code, GoOn::StepUp), from).await?;
        let Some((person, judged)) = judged else { return Ok(None) };
        let Purpose::StepUp { session: name, action, parameters } = judged.begun.purpose else {
            return Ok(None);
        };
        let Some(action) = Action::from_key(&action) else { return Ok(None) };
        let what = parameters.iter().fold(Protected::new(action), |p, (n, v)| p.with(n, v));
        let mut change = self.change().await?;
        let known = credentials::find(&mut change.conn(), Factor::Certificate, &judged.key).await?;
        let proven = known.as_ref().is_some_and(|k| k.person == session.actor.person)
            && person == session.actor.person
            && name == session_name(&session.actor);
        if let Some(known) = known.filter(|_| proven) {
            keep_newest(&mut change, known.id, &judged.kept).await?;
        }
        let passed = self.stepped_up(&mut change, session, &what, proven).await?;
        change.commit().await?;
        Ok(passed)
    }

    /// Judges the certificates with which sessions were opened once more, after authorities or lists
    /// were read again: the sessions of one that was revoked end. Says how many certificates that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_revoked_certificates(&self, trust: &Trust) -> Result<usize, AppError> {
        let used = {
            let mut reader = self.db.read().await?;
            credentials::in_use(&mut reader.conn(), Factor::Certificate).await?
        };
        let mut ended = 0;
        for factor in used {
            let Ok(kept) = serde_json::from_str::<Kept>(&factor.verifier) else { continue };
            let fault = trust.judge(&decoded(&kept.chain), self.now()).err();
            // A list that is late locks nobody out in the middle of work: it ends the next sign-in.
            if fault != Some(CertificateFault::Revoked) {
                continue;
            }
            let mut change = self.change().await?;
            let at = change.at();
            if sessions::end_of_credential(&mut change.conn(), factor.id, &[], at).await? == 0 {
                continue;
            }
            let person = people::find(&mut change.conn(), factor.person).await?;
            let body = SessionRevoked {
                person: factor.person.to_string(),
                revoked: None,
                reason: "certificate_revoked".into(),
                bound_to: None,
            };
            change.record_own(person.map(|p| p.organization), &body).await?;
            change.commit().await?;
            ended += 1;
        }
        Ok(ended)
    }
}
