//! Which policy holds for somebody, with every request, and whom an announced one would affect.

use crate::sign_in::subject_of;
use crate::{App, AppError, Change};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use warifu_auth::{SessionPolicy, SessionTimes, Verdict, judge, one_group, same_network};
use warifu_domain::access::Roles;
use warifu_domain::assurance::{OrganizationAccess, still_enough};
use warifu_domain::factors::Factor;
use warifu_domain::people::KnownPerson;
use warifu_domain::policy::{DeviceRule, Effective, Feature, NetworkRule, Policies, Subject};
use warifu_domain::time::MINUTE;
use warifu_domain::{PersonId, Timestamp};
use warifu_storage::moment::{self, Kept, POLICIES_KEPT};
use warifu_storage::{Conn, organizations, policies};

/// How often one person is counted as affected by one feature.
const AGAIN: i64 = 10 * MINUTE;
/// Most people remembered as counted; then it begins anew.
const REMEMBERED: usize = 10_000;

/// What this node has read last.
#[derive(Default)]
pub(crate) struct KnownPolicies {
    read: RwLock<Option<Kept<Policies>>>,
    /// Held by whoever reads anew; the others wait for what that brings.
    reading: tokio::sync::Mutex<()>,
    counted: Mutex<HashMap<(Feature, PersonId), Timestamp>>,
}

impl KnownPolicies {
    /// What was read within the last [`POLICIES_KEPT`], and whether it is for the caller to read it anew, which it
    /// is in the second half of that time.
    fn fresh(&self) -> Option<(Arc<Policies>, bool)> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        read.as_ref()?.get(POLICIES_KEPT, POLICIES_KEPT / 2)
    }

    /// Keeps what was read by statements that began at an instant, or after it.
    fn keep(&self, policies: Policies, began: Instant, now: Timestamp) -> Arc<Policies> {
        let policies = at(policies, now);
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        let found = Kept::new(began, &policies);
        if found.replaces(read.as_ref()) {
            *read = Some(found);
        }
        policies
    }

    /// Whether somebody is to be counted now.
    fn count(&self, feature: Feature, person: PersonId, now: Timestamp) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= REMEMBERED {
            counted.clear();
        }
        let due = due(counted.get(&(feature, person)), now);
        if due {
            counted.insert((feature, person), now);
        }
        due
    }

    /// Whether somebody was counted so lately that they are not to be counted now.
    pub fn is_counted(&self, feature: Feature, person: PersonId, now: Timestamp) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        !due(counted.get(&(feature, person)), now)
    }
}

/// A clock that was set back counts again rather than never.
fn due(last: Option<&Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| !(0..AGAIN).contains(&now.0.saturating_sub(last.0)))
}

/// What is set, with its stages as they stand at a time.
fn at(mut policies: Policies, now: Timestamp) -> Arc<Policies> {
    for rollout in policies.rollouts.values_mut() {
        *rollout = rollout.at(now);
    }
    Arc::new(policies)
}

/// How a session stands under what holds for its owner.
pub(crate) struct Judged {
    pub verdict: Verdict,
    pub policy: SessionPolicy,
    /// What would end it, if it was not only reported.
    pub reported: Option<Feature>,
    /// Whether it has to be bound to a device, and whether it would if nothing was only reported.
    pub device: DeviceRule,
    pub announced: DeviceRule,
}

/// What sessions are judged by.
pub(crate) struct Judging<'a> {
    pub policies: &'a Policies,
    pub now: Timestamp,
    /// Where the request comes from.
    pub network: &'a str,
    pub base: &'a SessionPolicy,
}

impl Judging<'_> {
    /// Judges a session by its times, and by what opened it with which assurance.
    pub fn judge(
        &self,
        subject: Subject,
        session: &SessionTimes<'_>,
        (factor, assurance): (Factor, u8),
    ) -> Judged {
        let &Judging { policies, now, network, base } = self;
        let under = |effective: &Effective<'_>| {
            let mut policy = session_policy(effective, base);
            // What a group changes is only asked about a session that moved.
            let moved = policy.bind_network && !same_network(session.network, network);
            let group = policies.networks.get(&subject.organization).filter(|_| moved);
            if group.is_some_and(|members| one_group(members, session.network, network)) {
                policy.bind_network = false;
            }
            let enough = still_enough(factor, assurance, subject.roles, effective.access);
            let verdict = match judge(session, network, now, &policy) {
                Verdict::Open { .. } if !enough => Verdict::TooWeak,
                verdict => verdict,
            };
            (verdict, policy)
        };
        let effective = policies.effective(subject);
        let (verdict, policy) = under(&effective);
        let (mut announced, mut reported) = (effective.device, None);
        let tried = Feature::ALL.iter().any(|f| policies.rollout(*f).report_only);
        if matches!(verdict, Verdict::Open { .. }) && tried {
            let wanted = policies.announced(subject);
            announced = wanted.device;
            reported = match under(&wanted).0 {
                Verdict::Idle | Verdict::Over => Some(Feature::SessionTimeout),
                Verdict::Moved => Some(Feature::NetworkBinding),
                Verdict::TooWeak => Some(Feature::PhishingResistant),
                Verdict::Open { .. } | Verdict::Ended | Verdict::OtherDevice => None,
            };
        }
        Judged { verdict, policy, reported, device: effective.device, announced }
    }
}

/// A session's limits under what holds for its owner.
pub(crate) fn session_policy(effective: &Effective<'_>, base: &SessionPolicy) -> SessionPolicy {
    SessionPolicy {
        lifetime: effective.lifetime,
        idle: effective.idle,
        // Use that is not written down yet must not make a short idle limit shorter by much.
        touch_every: base.touch_every.min(effective.idle / 4),
        bind_network: effective.network == NetworkRule::End,
        ..*base
    }
}

impl App {
    /// Everything that is set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn policies(&self) -> Result<Arc<Policies>, AppError> {
        match self.policies_lately() {
            Some(known) => Ok(known),
            None => Box::pin(self.policies_anew()).await,
        }
    }

    /// The same as it was read a moment ago.
    pub(crate) fn policies_lately(&self) -> Option<Arc<Policies>> {
        let (policies, renew) = self.known_policies.fresh()?;
        if renew {
            let app = self.clone();
            tokio::spawn(async move {
                let Ok(_turn) = app.known_policies.reading.try_lock() else { return };
                if let Err(error) = app.read_policies().await {
                    tracing::debug!(%error, "whoever asks next reads them");
                }
            });
        }
        Some(policies)
    }

    /// One reads for all who come meanwhile. Whoever has waited for too long reads too: one that hangs must not
    /// make the others fail one after the other.
    async fn policies_anew(&self) -> Result<Arc<Policies>, AppError> {
        let _turn = tokio::time::timeout(POLICIES_KEPT, self.known_policies.reading.lock()).await;
        match self.policies_lately() {
            Some(known) => Ok(known),
            None => self.read_policies().await,
        }
    }

    async fn read_policies(&self) -> Result<Arc<Policies>, AppError> {
        let began = moment::begin();
        let read = policies::all(&mut self.db.read().await?.conn()).await?;
        Ok(self.known_policies.keep(read, began, self.now()))
    }

    /// The same within a change, as it stands there: what a change writes goes by nothing older.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn policies_in(
        &self,
        change: &mut Change<'_>,
    ) -> Result<Arc<Policies>, AppError> {
        Ok(at(policies::all(&mut change.conn()).await?, self.now()))
    }

    /// Judges a session under what holds for its owner, by its times and by what opened it with which
    /// assurance, and counts whom a feature that is only reported would have affected.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judged(
        &self,
        person: PersonId,
        subject: Subject,
        session: &SessionTimes<'_>,
        opened: (Factor, u8),
        network: &str,
        base: &SessionPolicy,
    ) -> Result<Judged, AppError> {
        let policies = self.policies().await?;
        let by = Judging { policies: &policies, now: self.now(), network, base };
        self.judged_by(&by, person, subject, session, opened).await
    }

    /// The same by policies that were read for it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn judged_by(
        &self,
        by: &Judging<'_>,
        person: PersonId,
        subject: Subject,
        session: &SessionTimes<'_>,
        opened: (Factor, u8),
    ) -> Result<Judged, AppError> {
        let judged = by.judge(subject, session, opened);
        if let Some(feature) = judged.reported {
            Box::pin(self.would_affect(feature, person)).await?;
        }
        Ok(judged)
    }

    /// Counts that a feature would have affected somebody, at most every ten minutes.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn would_affect(
        &self,
        feature: Feature,
        person: PersonId,
    ) -> Result<(), AppError> {
        let now = self.now();
        if self.known_policies.count(feature, person, now) {
            let mut tx = self.db.begin_plain().await?;
            policies::would_affect(&mut tx.conn(), feature, person, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What is enough for somebody to sign in with beyond what everybody may: what their organization allows,
/// as far as the feature's stage still lets it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn access_of(
    c: &mut Conn<'_>,
    person: &KnownPerson,
    roles: Roles,
) -> Result<OrganizationAccess, AppError> {
    let organization = organizations::find(c, person.organization).await?;
    let Some(organization) = organization else { return Ok(OrganizationAccess::default()) };
    Ok(policies::all(c).await?.effective(subject_of(person, roles, &organization)).access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_never_stops_is_counted_again_all_the_same() {
        let known = KnownPolicies::default();
        let minutes = |n: i64| Timestamp(n * MINUTE);
        let count = |at| known.count(Feature::NetworkBinding, PersonId(1), at);
        let counted: Vec<i64> = (0..=25).filter(|n| count(minutes(*n))).collect();
        assert_eq!(counted, [0, 10, 20]);
        assert!(known.count(Feature::NetworkBinding, PersonId(2), minutes(25)), "somebody else");
    }
}
