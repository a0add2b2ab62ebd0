//! Entering an application behind a proxy, and the check of every request to it.
//!
//! The session's cookie is of this server's host alone. A browser that comes to an application gets a
//! secret there, is sent here with its digest, and goes back with a code; code and secret together are
//! changed for a cookie of the application's host. That cookie points at the session: whatever ends the
//! session ends it too, with the next request.

use crate::policies::{Judged, Judging};
use crate::sessions::{OpenSession, Use};
use crate::{App, AppError};
use std::sync::Arc;
use warifu_auth::applications::{Admission, Place, admit};
use warifu_auth::{SessionPolicy, SessionTimes, Token, Verdict, equal};
use warifu_domain::applications::{Acr, Application, Kind};
use warifu_domain::policy::DeviceRule;
use warifu_domain::time::{HOUR, MINUTE};
use warifu_domain::{ApplicationId, Timestamp};
use warifu_storage::application_sessions::{self, ApplicationSession, Code, Standing};
use warifu_storage::{applications, sessions};

/// How long a code is good, in microseconds.
pub(crate) const CODE: i64 = MINUTE;
/// How long a used or expired code is remembered, so that a second use is noticed.
const REMEMBERED: i64 = 24 * HOUR;

/// Somebody whose request may go on to the application.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub standing: Arc<Standing>,
    pub acr: Acr,
}

/// How a request stands.
enum Stands {
    /// It may go on, and `touch` says whether this use of the session is to be written down.
    In {
        acr: Acr,
        touch: bool,
    },
    Turned(Turned),
    /// The session behind it does not hold any more.
    Over(Verdict),
}

/// Why a request may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Nobody is signed in there (any more), or has to prove themselves once more.
    SignIn,
    /// They are known, and may not enter.
    Forbidden,
}

/// A way into an application, for the browser that asked for it.
pub struct Way {
    pub application: Application,
    pub code: Token,
}

pub(crate) fn times(s: &Standing) -> SessionTimes<'_> {
    SessionTimes {
        created_at: s.created_at,
        used_at: s.used_at,
        ends_at: s.ends_at,
        ended_at: s.ended_at,
        network: &s.network,
    }
}

/// Whether what is open in the application was ended by itself, or by time.
fn is_over(standing: &Standing, now: Timestamp) -> bool {
    standing.revoked || now >= standing.expires_at
}

/// How a request stands whose session is judged, and changes nothing.
fn entry(standing: &Standing, judged: &Judged, by: Use<'_>, now: Timestamp) -> Stands {
    if is_over(standing, now) {
        return Stands::Turned(Turned::SignIn);
    }
    if !matches!(judged.verdict, Verdict::Open { .. }) {
        return Stands::Over(judged.verdict);
    }
    // A session that has to be bound to a device and is not goes no further here than on its own pages.
    let late = now > standing.created_at.plus(judged.policy.device_register);
    if !standing.bound && late && judged.device == DeviceRule::Required {
        return Stands::Turned(Turned::SignIn);
    }
    let proof = (standing.factor, standing.assurance);
    let touch = by.by_hand && now.0 - standing.used_at.0 >= judged.policy.touch_every;
    match admit(&standing.entry, standing.holder.roles, proof, standing.proved_at, now) {
        Admission::Admitted(acr) => Stands::In { acr, touch },
        Admission::Stale => Stands::Turned(Turned::SignIn),
        Admission::Weak | Admission::NoRole => Stands::Turned(Turned::Forbidden),
    }
}

impl App {
    /// The application behind a proxy that has an origin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn application_at(&self, origin: &str) -> Result<Option<Application>, AppError> {
        let mut reader = self.db.read().await?;
        let found = applications::find_by_origin(&mut reader.conn(), origin).await?;
        Ok(found.filter(|a| a.kind == Kind::ForwardAuth))
    }

    /// Makes a code for somebody's browser, bound to the SHA-256 of its secret. The inner error says why
    /// they may not enter.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such application behind a proxy.
    pub async fn enter_application(
        &self,
        session: &OpenSession,
        id: ApplicationId,
        browser: &Token,
        path: &str,
    ) -> Result<Result<Way, Admission>, AppError> {
        let now = self.now();
        let found = applications::find(&mut self.db.read().await?.conn(), id).await?;
        let application = found.filter(|a| a.kind == Kind::ForwardAuth);
        let application = application.ok_or(AppError::NotFound("application"))?;
        let proof = (session.factor, session.assurance);
        match admit(&application.entry, session.actor.roles, proof, session.proved_at, now) {
            Admission::Admitted(_) => {}
            refused => return Ok(Err(refused)),
        }
        let code = Token::from_random(self.random_bytes());
        let kept = Code {
            code_hash: code.hash().to_vec(),
            application_id: id.0,
            session: session.token_hash.to_vec(),
            bound: browser.bytes().to_vec(),
            redirect: path.to_owned(),
            nonce: None,
            scope: String::new(),
            expires_at: now.plus(CODE).0,
            used_at: None,
        };
        Ok(self
            .keep_code(&kept, now)
            .await?
            .then_some(Way { application, code })
            .ok_or(Admission::Stale))
    }

    /// Keeps a code; `false` where its session has another token by now, or is gone.
    pub(crate) async fn keep_code(&self, code: &Code, now: Timestamp) -> Result<bool, AppError> {
        let mut tx = self.db.begin_plain().await?;
        let there = sessions::find(&mut tx.conn(), &code.session).await?.is_some();
        if there {
            application_sessions::insert_code(&mut tx.conn(), code, now.plus(-REMEMBERED)).await?;
            tx.commit().await?;
        }
        Ok(there)
    }

    /// Changes a code and the browser's secret for the cookie of an application, and gives the path that
    /// was asked for. `None` when they do not fit, for whatever reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn arrive(
        &self,
        application: &Application,
        (code, browser): (&str, &str),
        by: Use<'_>,
        policy: &SessionPolicy,
    ) -> Result<Option<(Token, String)>, AppError> {
        let Some(code) = Token::parse(code) else { return Ok(None) };
        let browser = Token::parse(browser).map(|b| b.hash());
        let now = self.now();
        let token = Token::from_random(self.random_bytes());
        let mut tx = self.db.begin_plain().await?;
        let mut conn = tx.conn();
        let Some(kept) = application_sessions::find_code(&mut conn, &code.hash()).await? else {
            return Ok(None);
        };
        // Whoever brings it, it is used up.
        let first = application_sessions::use_code(&mut conn, &kept.code_hash, now).await?;
        let hex = crate::attachments::hex;
        let same = browser.is_some_and(|hash| equal(&hex(&kept.bound), &hex(&hash)));
        let fits = same && kept.application_id == application.id.0 && now.0 < kept.expires_at;
        if !first {
            application_sessions::end_of_code(&mut conn, &kept.code_hash, now).await?;
        }
        if first && fits {
            let opened = ApplicationSession {
                sid: Token::from_random(self.random_bytes()).text(),
                token_hash: token.hash().to_vec(),
                application: application.id,
                session: kept.session,
                code_hash: kept.code_hash,
                scope: String::new(),
                created_at: now,
                // It holds as long as the session does.
                expires_at: Timestamp(i64::MAX),
                tell_at: None,
            };
            application_sessions::insert(&mut conn, &opened).await?;
        }
        tx.commit().await?;
        if !first || !fits {
            return Ok(None);
        }
        // The session may have ended since the code was made, or the code been carried elsewhere.
        let (scheme, host) = application.origin.split_once("://").unwrap_or_default();
        let visitor = self.visitor(Place { scheme, host }, &token.text(), by, policy).await?;
        Ok(visitor.is_ok().then_some((token, kept.redirect)))
    }

    /// Who is behind the token of an application's cookie: the check of every request to it. Whatever was taken
    /// away is felt by the next request after the acknowledgement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn visitor(
        &self,
        place: Place<'_>,
        token: &str,
        by: Use<'_>,
        policy: &SessionPolicy,
    ) -> Result<Result<Visitor, Turned>, AppError> {
        let Some(token) = Token::parse(token) else { return Ok(Err(Turned::SignIn)) };
        let hash = token.hash();
        // They may be all that is missing.
        let policies = self.policies().await?;
        if let Some(visitor) = self.lately(place, &hash, by, policy) {
            return Ok(Ok(visitor));
        }
        // Boxed, as is all that is rarer: what every request carries stays small.
        let found = Box::pin(application_sessions::standing(&self.db, &hash)).await?;
        let Some(standing) = found.filter(|s| place.is(&s.origin)) else {
            return Ok(Err(Turned::SignIn));
        };
        let judging =
            Judging { policies: &policies, now: self.now(), network: by.network, base: policy };
        Box::pin(self.stands(standing, by, judging)).await
    }

    /// The same at once, by what was read a moment ago (decision 0024): it only ever says yes, and only where
    /// nothing is to be written.
    pub fn visitor_lately(
        &self,
        place: Place<'_>,
        token: &str,
        by: Use<'_>,
        policy: &SessionPolicy,
    ) -> Option<Visitor> {
        self.lately(place, &Token::parse(token)?.hash(), by, policy)
    }

    fn lately(
        &self,
        place: Place<'_>,
        hash: &[u8; 32],
        by: Use<'_>,
        policy: &SessionPolicy,
    ) -> Option<Visitor> {
        let standing = application_sessions::standing_lately(&self.db, hash)?;
        let policies = self.policies_lately()?;
        let now = self.now();
        let judging = Judging { policies: &policies, now, network: by.network, base: policy };
        let judged = judging.judge(
            standing.holder.subject(),
            &times(&standing),
            (standing.factor, standing.assurance),
        );
        let person = standing.holder.person;
        let counted = |feature| self.known_policies.is_counted(feature, person, now);
        match entry(&standing, &judged, by, now) {
            Stands::In { acr, touch: false }
                if place.is(&standing.origin) && judged.reported.is_none_or(counted) =>
            {
                Some(Visitor { standing, acr })
            }
            _ => None,
        }
    }

    /// How the session behind a token stands under what holds for its owner.
    pub(crate) async fn standing_judged(
        &self,
        standing: &Standing,
        by: &Judging<'_>,
    ) -> Result<Judged, AppError> {
        let holder = &standing.holder;
        let opened = (standing.factor, standing.assurance);
        self.judged_by(by, holder.person, holder.subject(), &times(standing), opened).await
    }

    /// Judges what is known about a token: the session first, then the application's policy.
    pub(crate) async fn stands(
        &self,
        standing: Arc<Standing>,
        by: Use<'_>,
        judging: Judging<'_>,
    ) -> Result<Result<Visitor, Turned>, AppError> {
        // Nobody is counted for what is over anyway.
        if is_over(&standing, judging.now) {
            return Ok(Err(Turned::SignIn));
        }
        let judged = self.standing_judged(&standing, &judging).await?;
        match entry(&standing, &judged, by, judging.now) {
            Stands::In { acr, touch } => {
                if touch {
                    self.touch(&standing.session, self.now()).await?;
                }
                Ok(Ok(Visitor { standing, acr }))
            }
            Stands::Turned(turned) => Ok(Err(turned)),
            Stands::Over(verdict) => {
                self.bury_session_of(&standing, verdict, by.network).await?;
                Ok(Err(Turned::SignIn))
            }
        }
    }

    /// Ends the session that something open in an application came from.
    async fn bury_session_of(
        &self,
        standing: &Standing,
        verdict: Verdict,
        network: &str,
    ) -> Result<(), AppError> {
        let mut reader = self.db.read().await?;
        let session = sessions::find(&mut reader.conn(), &standing.session).await?;
        drop(reader);
        match session {
            Some(session) => self.bury(&session, verdict, network).await,
            None => Ok(()),
        }
    }
}
