//! Step-up: a protected action asks for the key once more, for this action with these parameters,
//! once (NIST SP 800-63B-4 §2.4.3 re-authentication; RFC 9470 for programs).

use crate::notices::notify;
use crate::passkeys::passkeys_of;
use crate::sessions::OpenSession;
use crate::sign_in::{Asked, CEREMONY, From};
use crate::{App, AppError, Change};
use serde_json::Value;
use warifu_auth::{Passkeys, Token, digest};
use warifu_domain::access::Actor;
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::Protected;
use warifu_ledger::Hash;
use warifu_ledger::body::StepUp;
use warifu_storage::{credentials, sessions, step_ups};

/// A step-up that passed. Neither token is kept.
pub struct Passed {
    /// What the protected action is asked for with.
    pub proof: Token,
    /// The session's new token: the old one ends here.
    pub session: Token,
}

/// Ties a ceremony to browser, session and action: with any other it does not fit.
fn tied(from: From<'_>, session: &OpenSession, what: &Protected) -> String {
    let session: String = session.token_hash.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}:{session}:{}", from.browser, what.text())
}

impl App {
    /// Begins a step-up for a protected action.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_step_up(
        &self,
        passkeys: &Passkeys,
        session: &OpenSession,
        what: &Protected,
        from: From<'_>,
    ) -> Result<Asked, AppError> {
        let mut reader = self.db.read().await?;
        let own = credentials::of_person(&mut reader.conn(), session.actor.person).await?;
        drop(reader);
        let own = passkeys_of(own);
        let begun = passkeys.begin_step_up(&own).map_err(|e| AppError::Internal(e.to_string()))?;
        let browser = tied(from, session, what);
        self.keep_ceremony("step_up", session.actor.person, begun, &browser).await
    }

    /// Finishes a step-up with the person's own key. `None` when the answer is refused, for whatever
    /// reason; the ledger has an entry either way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_step_up(
        &self,
        passkeys: &Passkeys,
        session: &OpenSession,
        what: &Protected,
        (ceremony, answer): (&str, Value),
        from: From<'_>,
    ) -> Result<Option<Passed>, AppError> {
        let actor = &session.actor;
        let taken = self.take_ceremony("step_up", ceremony, &tied(from, session, what)).await?;
        let state = taken.and_then(|(person, state)| (person == actor.person).then_some(state));
        let mut change = self.change().await?;
        let at = change.at();
        let presented = passkeys.presented(answer).ok();
        let mut proven = false;
        if let (Some(state), Some(presented)) = (state, presented)
            && let Some(known) =
                credentials::find(&mut change.conn(), Factor::Passkey, &presented.credential_id)
                    .await?
            && known.person == actor.person
            && let Ok(fresh) = passkeys.finish_step_up(&state, &presented, &known.verifier)
        {
            credentials::used(&mut change.conn(), known.id, &fresh, at).await?;
            proven = true;
        }
        let passed = self.stepped_up(&mut change, session, what, proven).await?;
        change.commit().await?;
        Ok(passed)
    }

    /// Records how a step-up went, by whatever factor. Where it passed, gives the proof for the action
    /// and a new token for the session; the caller commits. `None` where it did not, or the session has
    /// ended meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn stepped_up(
        &self,
        change: &mut Change<'_>,
        session: &OpenSession,
        what: &Protected,
        proven: bool,
    ) -> Result<Option<Passed>, AppError> {
        let (actor, at) = (&session.actor, change.at());
        let action = digest(what.text().as_bytes());
        let proof = Token::from_random(self.random_bytes());
        let token = Token::from_random(self.random_bytes());
        // The session's id changes where its rights do (OWASP ASVS 5.0, 7.2.4). It may have ended meanwhile.
        let passed = proven
            && sessions::rotate(&mut change.conn(), &session.token_hash, &token.hash(), at).await?;
        let body = StepUp { action: what.action.key().into(), parameters: Hash(action), passed };
        change.record(actor, Some(actor.organization), &body).await?;
        if !proven {
            notify(change, actor.person, NoticeKind::StepUpRefused, &[]).await?;
        }
        if !passed {
            return Ok(None);
        }
        let mut conn = change.conn();
        let end = at.plus(CEREMONY);
        let owner = digest(&token.hash());
        step_ups::insert(&mut conn, &proof.hash(), &owner, &action, at, end).await?;
        Ok(Some(Passed { proof, session: token }))
    }
}

/// Lets a protected action go on in its own transaction, once.
///
/// # Errors
/// [`AppError::StepUp`] without a proof for just this in just this session.
pub(crate) async fn spend(
    change: &mut Change<'_>,
    actor: &Actor,
    what: &Protected,
    proof: Option<&str>,
) -> Result<(), AppError> {
    let refused = AppError::StepUp { action: what.action.key() };
    let (Some(proof), Some(session)) = (proof.and_then(Token::parse), actor.session) else {
        return Err(refused);
    };
    let (at, action) = (change.at(), digest(what.text().as_bytes()));
    match step_ups::take(&mut change.conn(), &proof.hash(), &session, &action, at).await? {
        true => Ok(()),
        false => Err(refused),
    }
}
