//! Sessions: finding out who is behind a request, and ending one.

use crate::change::ledger_network;
use crate::devices::Bound;
use crate::notices::notify;
use crate::oidc::end_with;
use crate::policies::Judging;
use crate::{App, AppError, Change};
use warifu_auth::{
    Binding, SessionPolicy, SessionTimes, Token, Verdict, device_cookie_holds, digest,
};
use warifu_domain::access::{Actor, Permission};
use warifu_domain::assurance::enough_for_a_role;
use warifu_domain::cases::{Status, View};
use warifu_domain::factors::Factor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::policy::{DeviceRule, Feature};
use warifu_domain::{CredentialId, PersonId, Timestamp};
use warifu_ledger::Hash;
use warifu_ledger::body::{SessionRevoked, SignOut};
use warifu_storage::sessions::{Held, Session};
use warifu_storage::{
    application_sessions, approvals, cases, incidents, notices, people, sessions,
};

/// A session that holds, and who is in it.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub actor: Actor,
    /// Name of the actor's organization.
    pub organization_name: String,
    /// The time zone in the person's record, as it stands there.
    pub time_zone: Option<String>,
    /// What every form of this session carries.
    pub csrf: String,
    pub network: String,
    pub credential: CredentialId,
    pub factor: Factor,
    /// Authenticator assurance level, 1 to 3 (NIST SP 800-63B).
    pub assurance: u8,
    /// When the person last proved who they are.
    pub proved_at: Timestamp,
    /// Microseconds until it is over, and until it is over when nothing is done.
    pub left: i64,
    pub idle_left: i64,
    /// The limits that hold for it.
    pub policy: SessionPolicy,
    /// What ends it.
    pub token_hash: [u8; 32],
    /// Where its device's key is kept, and what that is.
    pub device_id: Vec<u8>,
    pub bound: Bound,
}

/// How a request uses a session.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The network that the request comes from, as [`warifu_auth::Network`] writes it.
    pub network: &'a str,
    /// Whether a person did something. Polling and event streams are no use.
    pub by_hand: bool,
    /// The short cookie of a device ([`warifu_auth::DEVICE_COOKIE`]).
    pub device: Option<&'a str>,
}

/// Numbers beside the entries of the navigation; none of them scans.
#[derive(Clone, Debug, Default)]
pub struct NavCounts {
    pub mine: i64,
    pub unassigned: i64,
    pub active: i64,
    pub waiting: i64,
    /// Open incidents, for those who may enter the room.
    pub incidents: Option<i64>,
    /// Cases of the person's own organization or their own ones.
    pub portal: i64,
    /// Notices about the person's own account that they have not seen.
    pub notices: i64,
    /// Changes that wait for a second person, for those who may decide.
    pub approvals: i64,
    /// Checks of callers that wait for the person's approval.
    pub decisions: i64,
}

pub(crate) fn times(s: &Session) -> SessionTimes<'_> {
    SessionTimes {
        created_at: s.created_at,
        used_at: s.used_at,
        ends_at: s.ends_at,
        ended_at: s.ended_at,
        network: &s.network,
    }
}

/// Whether a request with this short cookie comes from the device that the session is bound to.
fn from_its_device(
    s: &Session,
    cookie: Option<&str>,
    now: Timestamp,
    policy: &SessionPolicy,
) -> bool {
    s.bound.as_ref().is_none_or(|device| {
        let binding = Binding {
            kind: device.kind,
            bound_at: device.bound_at,
            cookie: (&device.cookie.0, device.cookie.1),
            old_cookie: (&device.old_cookie.0, device.old_cookie.1),
        };
        device_cookie_holds(&binding, cookie.and_then(Token::parse).as_ref(), now, policy)
    })
}

/// A request that goes on in its session, and what is to be written about it.
struct GoesOn {
    policy: SessionPolicy,
    /// Microseconds, as [`OpenSession`] has them.
    left: i64,
    idle_left: i64,
    /// Whether this is a use to be written down.
    touch: bool,
    /// What would end it, if it was not only reported: by what opened it and where from, and by its device. Nobody
    /// is counted for what does not go on anyway.
    judged: Option<Feature>,
    unbound: bool,
}

impl GoesOn {
    fn reported(&self) -> impl Iterator<Item = Feature> {
        self.judged.into_iter().chain(self.unbound.then_some(Feature::DeviceBinding))
    }
}

/// How a request with a session stands.
enum Stands {
    In(GoesOn),
    /// It was opened with less than a role needs.
    Weak,
    /// The device's own browser fetches another cookie first: the session is not to blame.
    OtherDevice,
    /// It has ended, or ends now.
    Over(Verdict),
}

/// Judges a request by what was read about its session, and changes nothing.
fn stands(Held { session, holder }: &Held, judging: &Judging<'_>, by: Use<'_>) -> Stands {
    let now = judging.now;
    let opened = (session.factor, session.assurance);
    if session.ended_at.is_some() {
        return Stands::Over(Verdict::Ended);
    }
    if !holder.roles.is_empty() && !enough_for_a_role(opened.0, opened.1) {
        return Stands::Weak;
    }
    let judged = judging.judge(holder.subject(), &times(session), opened);
    let policy = judged.policy;
    let Verdict::Open { left, idle_left } = judged.verdict else {
        return Stands::Over(judged.verdict);
    };
    if !from_its_device(session, by.device, now, &policy) {
        return Stands::OtherDevice;
    }
    let late = now > session.created_at.plus(policy.device_register);
    let unbound = session.bound.is_none() && late;
    if unbound && judged.device == DeviceRule::Required {
        return Stands::Over(Verdict::OtherDevice);
    }
    Stands::In(GoesOn {
        left,
        idle_left: if by.by_hand { policy.idle } else { idle_left },
        touch: by.by_hand && now.0 - session.used_at.0 >= policy.touch_every,
        judged: judged.reported,
        unbound: unbound && judged.announced == DeviceRule::Required,
        policy,
    })
}

fn opened(
    Held { session, holder }: &Held,
    token_hash: [u8; 32],
    by: Use<'_>,
    now: Timestamp,
    goes_on: &GoesOn,
) -> OpenSession {
    OpenSession {
        bound: Bound::of(session, now, &goes_on.policy),
        device_id: session.device.clone().unwrap_or_default(),
        actor: Actor {
            person: holder.person,
            name: holder.name.clone(),
            organization: holder.organization,
            roles: holder.roles,
            session: Some(digest(&token_hash)),
            network: by.network.to_owned(),
        },
        organization_name: holder.organization_name.clone(),
        time_zone: holder.time_zone.clone(),
        csrf: session.csrf.clone(),
        network: session.network.clone(),
        credential: session.credential,
        factor: session.factor,
        assurance: session.assurance,
        proved_at: session.proved_at,
        left: goes_on.left,
        idle_left: goes_on.idle_left,
        policy: goes_on.policy,
        token_hash,
    }
}

/// Who is in a session that is used from a network, as the ledger names them; `None` where the person
/// is gone.
pub(crate) async fn holder(
    change: &mut Change<'_>,
    session: &Session,
    network: &str,
) -> Result<Option<Actor>, AppError> {
    let mut conn = change.conn();
    let roles = people::roles(&mut conn, session.person).await?;
    let person = people::find(&mut conn, session.person).await?;
    Ok(person.map(|person| Actor {
        person: session.person,
        name: person.record.display_name().to_owned(),
        organization: person.organization,
        roles,
        session: Some(digest(&session.token_hash)),
        network: network.to_owned(),
    }))
}

impl App {
    /// Who is behind a session token. The inner error says why the session does not hold; one that
    /// has just been found to be over is ended for good, so that no clock revives it.
    ///
    /// Taking a role away holds from the next request on that starts after its acknowledgement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(
        &self,
        token: &str,
        by: Use<'_>,
        base: &SessionPolicy,
    ) -> Result<Result<OpenSession, Verdict>, AppError> {
        let Some(token) = Token::parse(token) else { return Ok(Err(Verdict::Ended)) };
        let hash = token.hash();
        let policies = self.policies().await?;
        let judging = |now| Judging { policies: &policies, now, network: by.network, base };
        let now = self.now();
        // What was read a moment ago only says yes, and only where nothing is to be written (decision 0024).
        if let Some(held) = sessions::held_lately(&self.db, &hash)
            && let Stands::In(goes_on) = stands(&held, &judging(now), by)
            && !goes_on.touch
            && goes_on
                .reported()
                .all(|f| self.known_policies.is_counted(f, held.holder.person, now))
        {
            return Ok(Ok(opened(&held, hash, by, now, &goes_on)));
        }
        let Some(held) = sessions::held(&self.db, &hash).await? else {
            return Ok(Err(Verdict::Ended));
        };
        // Who asked may have waited. What is rare is boxed: what every request carries stays small.
        let now = self.now();
        match stands(&held, &judging(now), by) {
            Stands::In(goes_on) => {
                for feature in goes_on.reported() {
                    Box::pin(self.would_affect(feature, held.holder.person)).await?;
                }
                if goes_on.touch {
                    Box::pin(self.touch(&hash, now)).await?;
                }
                Ok(Ok(opened(&held, hash, by, now, &goes_on)))
            }
            Stands::Weak => {
                Box::pin(self.end_too_weak(held.holder.person)).await?;
                Ok(Err(Verdict::Ended))
            }
            Stands::OtherDevice => Ok(Err(Verdict::OtherDevice)),
            Stands::Over(verdict) => {
                Box::pin(self.bury(&held.session, verdict, by.network)).await?;
                Ok(Err(verdict))
            }
        }
    }

    /// Ends those sessions of somebody with a role that were opened with less than a role needs.
    async fn end_too_weak(&self, person: PersonId) -> Result<(), AppError> {
        let mut change = self.change().await?;
        end_too_weak(&mut change, None, person).await?;
        change.commit().await?;
        Ok(())
    }

    pub(crate) async fn touch(&self, hash: &[u8], now: Timestamp) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        sessions::touch(&mut tx.conn(), hash, now).await?;
        // That others know of an older use for a moment ends nothing: before it ends, it is read anew.
        let _ = tx.commit_at_once().await?;
        Ok(())
    }

    /// Ends a session that was found not to hold any more, once, with its entry in the ledger.
    pub(crate) async fn bury(
        &self,
        session: &Session,
        verdict: Verdict,
        network: &str,
    ) -> Result<(), AppError> {
        if session.ended_at.is_some() {
            return Ok(());
        }
        let mut change = self.change().await?;
        let at = change.at();
        if !sessions::end(&mut change.conn(), &session.token_hash, at).await? {
            return change.unchanged().await;
        }
        let revoked = digest(&session.token_hash);
        let Some(actor) = holder(&mut change, session, network).await? else {
            change.commit().await?;
            return Ok(());
        };
        let organization = Some(actor.organization);
        match verdict {
            // A thief may have it: the entry is the installation's, not the owner's act, but it
            // names the network that the request came from.
            Verdict::Moved => {
                let body = SessionRevoked {
                    person: session.person.to_string(),
                    revoked: Some(Hash(revoked)),
                    reason: "other_network".into(),
                    bound_to: Some(ledger_network(&session.network)),
                };
                change.record(&actor, organization, &body).await?;
                let networks = [("from", session.network.as_str()), ("to", network)];
                notify(&mut change, session.person, NoticeKind::SessionMoved, &networks).await?;
            }
            Verdict::TooWeak => {
                let body = SessionRevoked {
                    person: session.person.to_string(),
                    revoked: Some(Hash(revoked)),
                    reason: "factor".into(),
                    bound_to: None,
                };
                change.record_own(organization, &body).await?;
            }
            other => {
                let reason = if other == Verdict::Idle { "idle" } else { "lifetime" };
                let actor = Actor { network: session.network.clone(), ..actor };
                let body = SignOut { reason: Some(reason.into()) };
                change.record(&actor, organization, &body).await?;
            }
        }
        change.commit().await?;
        Ok(())
    }

    /// Ends the actor's session. It holds for every request that starts after this returns.
    ///
    /// # Errors
    /// When the database fails; the session goes on then.
    pub async fn sign_out(&self, session: &OpenSession) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let mut ended = sessions::end(&mut change.conn(), &session.token_hash, at).await?;
        if !ended {
            // Its token may just have been changed by a proof: the device knows it by the same name.
            let found = sessions::of_device(&mut change.conn(), &session.device_id).await?;
            if let Some(found) = found {
                ended = sessions::end(&mut change.conn(), &found.token_hash, at).await?;
            }
        }
        if ended {
            let actor = &session.actor;
            change.record(actor, Some(actor.organization), &SignOut { reason: None }).await?;
            change.commit().await?;
        } else {
            change.unchanged().await?;
        }
        Ok(())
    }

    /// Ends the sessions of tokens that stood in a recording which somebody sent: sessions' own, and those
    /// of applications that were entered from them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn revoke_recorded(&self, tokens: &[Token]) -> Result<(), AppError> {
        for token in tokens {
            let mut change = self.change().await?;
            let at = change.at();
            let entered =
                application_sessions::session_of_token(&mut change.conn(), &token.hash()).await?;
            let hash = entered.unwrap_or_else(|| token.hash().to_vec());
            let Some(session) = sessions::find(&mut change.conn(), &hash).await? else { continue };
            if !sessions::end(&mut change.conn(), &hash, at).await? {
                change.unchanged().await?;
                continue;
            }
            let person = people::find(&mut change.conn(), session.person).await?;
            let body = SessionRevoked {
                person: session.person.to_string(),
                revoked: Some(Hash(digest(&hash))),
                reason: "recorded".into(),
                bound_to: None,
            };
            change.record_own(person.map(|p| p.organization), &body).await?;
            notify(&mut change, session.person, NoticeKind::SessionRecorded, &[]).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// Ends the session of a token that the browser gives up for a new one; an unknown token is no
    /// error.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn give_up(
        change: &mut crate::Change<'_>,
        token: Option<&str>,
    ) -> Result<(), AppError> {
        let Some(token) = token.and_then(Token::parse) else { return Ok(()) };
        let at = change.at();
        sessions::end(&mut change.conn(), &token.hash(), at).await?;
        Ok(())
    }

    /// The numbers of the actor's navigation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nav_counts(&self, actor: &Actor) -> Result<NavCounts, AppError> {
        let decisions = self.decisions(actor).await?;
        let mut reader = self.db.read().await?;
        let mut conn = reader.conn();
        let mut counts = NavCounts {
            notices: notices::unseen(&mut conn, actor.person).await?,
            decisions,
            ..NavCounts::default()
        };
        let may = |p: Permission| actor.roles.allow(p);
        if may(Permission::WorkCases) {
            counts.mine = cases::count(&mut conn, View::Mine(actor.person)).await?;
            counts.unassigned = cases::count(&mut conn, View::Unassigned).await?;
            counts.active = cases::count(&mut conn, View::Active).await?;
            counts.waiting = cases::count(&mut conn, View::WithStatus(Status::Waiting)).await?;
        }
        if may(Permission::ManagePolicies) {
            counts.approvals = approvals::waiting(&mut conn, self.now()).await?;
        }
        if may(Permission::Investigate) {
            let open = incidents::list(&mut conn).await?;
            counts.incidents = Some(open.iter().filter(|i| i.state == "open").count() as i64);
        }
        if !actor.is_staff() {
            let view = match may(Permission::ReadOwnOrganization) {
                true => View::Organization(actor.organization),
                false => View::Requester(actor.person),
            };
            counts.portal = cases::count(&mut conn, view).await?;
        }
        Ok(counts)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn health(&self) -> Result<(), AppError> {
        self.db.read().await?.conn().revision().await?;
        Ok(())
    }
}

/// Ends the sessions of somebody who has a role now that were opened with a password, or at a provider
/// that did not say how it knew them.
pub(crate) async fn end_too_weak(
    change: &mut crate::Change<'_>,
    actor: Option<&Actor>,
    person: PersonId,
) -> Result<(), AppError> {
    let at = change.at();
    let mut weak = Vec::new();
    for hash in sessions::of_person(&mut change.conn(), person, at).await? {
        let session = sessions::find(&mut change.conn(), &hash).await?;
        if session.is_some_and(|s| !enough_for_a_role(s.factor, s.assurance)) {
            weak.push((hash, person));
        }
    }
    end_with(change, actor, weak, "factor").await?;
    Ok(())
}
