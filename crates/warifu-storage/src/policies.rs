//! Sign-in and session policy, the stages of features, groups of networks, and whom they would affect.

use crate::{Conn, StorageError, organization_access};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use warifu_domain::policy::{Choices, Feature, Policies, Rollout, Rules, Scope};
use warifu_domain::{OrganizationId, PersonId, Timestamp};

fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|e| StorageError::Corrupt { what, detail: e.to_string() })
}

fn written<T: Serialize>(what: &'static str, value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|e| StorageError::Corrupt { what, detail: e.to_string() })
}

fn unknown(what: &'static str, key: &str) -> StorageError {
    StorageError::Corrupt { what, detail: key.to_owned() }
}

fn feature(key: &str) -> Result<Feature, StorageError> {
    Feature::from_key(key).ok_or_else(|| unknown("a feature", key))
}

/// Everything that is set.
///
/// # Errors
/// As every query.
pub async fn all(c: &mut Conn<'_>) -> Result<Policies, StorageError> {
    let mut rules = BTreeMap::new();
    for (scope, text) in fetch_all!(c, (String, String): "SELECT scope, rules FROM policies")? {
        let scope = Scope::from_key(&scope).ok_or_else(|| unknown("a policy's scope", &scope))?;
        rules.insert(scope, read("a policy", &text)?);
    }
    let mut rollouts = BTreeMap::new();
    for (key, text) in fetch_all!(c, (String, String): "SELECT feature, rollout FROM rollouts")? {
        rollouts.insert(feature(&key)?, read("a rollout", &text)?);
    }
    let mut choices = Choices::new();
    let chosen = fetch_all!(c, (i64, String, i64):
        "SELECT organization_id, feature, chosen FROM feature_choices")?;
    for (organization, key, chosen) in chosen {
        choices.insert((OrganizationId(organization), feature(&key)?), chosen != 0);
    }
    let mut networks = BTreeMap::new();
    let groups =
        fetch_all!(c, (i64, String): "SELECT organization_id, members FROM network_groups")?;
    for (organization, text) in groups {
        networks.insert(OrganizationId(organization), read("a group of networks", &text)?);
    }
    let access = organization_access::all(c).await?;
    Ok(Policies { rules, rollouts, choices, networks, access })
}

/// Sets what holds for a scope.
///
/// # Errors
/// As every query.
pub async fn set_rules(
    c: &mut Conn<'_>,
    scope: Scope,
    rules: &Rules,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO policies (scope, rules, changed_at) VALUES ($1, $2, $3) \
         ON CONFLICT (scope) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at",
        scope.key(),
        written("a policy", rules)?,
        at.0
    )?;
    Ok(())
}

/// Sets where a feature stands. Since when is kept while its stage stays.
///
/// # Errors
/// As every query.
pub async fn set_rollout(
    c: &mut Conn<'_>,
    feature: Feature,
    rollout: &Rollout,
    moved: bool,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO rollouts (feature, rollout, since) VALUES ($1, $2, $3) \
         ON CONFLICT (feature) DO UPDATE SET rollout = excluded.rollout, \
         since = CASE WHEN $4 = 1 THEN excluded.since ELSE rollouts.since END",
        feature.key(),
        written("a rollout", rollout)?,
        at.0,
        i64::from(moved)
    )?;
    Ok(())
}

/// Since when each feature has stood where it stands, as far as it was ever moved.
///
/// # Errors
/// As every query.
pub async fn since(c: &mut Conn<'_>) -> Result<BTreeMap<Feature, Timestamp>, StorageError> {
    let rows = fetch_all!(c, (String, i64): "SELECT feature, since FROM rollouts")?;
    rows.into_iter().map(|(key, since)| Ok((feature(&key)?, Timestamp(since)))).collect()
}

/// Keeps what an organization has chosen.
///
/// # Errors
/// As every query.
pub async fn choose(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    feature: Feature,
    chosen: bool,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO feature_choices (organization_id, feature, chosen, at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (organization_id, feature) DO UPDATE SET chosen = excluded.chosen, at = excluded.at",
        organization.0,
        feature.key(),
        i64::from(chosen),
        at.0
    )?;
    Ok(())
}

/// Sets the networks that count as one for an organization.
///
/// # Errors
/// As every query.
pub async fn set_networks(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    members: &Vec<String>,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO network_groups (organization_id, members, changed_at) VALUES ($1, $2, $3) \
         ON CONFLICT (organization_id) DO UPDATE SET members = excluded.members, changed_at = excluded.changed_at",
        organization.0,
        written("a group of networks", members)?,
        at.0
    )?;
    Ok(())
}

/// Counts one time more that a feature would have affected somebody.
///
/// # Errors
/// As every query.
pub async fn would_affect(
    c: &mut Conn<'_>,
    feature: Feature,
    person: PersonId,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        c,
        "INSERT INTO would_affect (feature, person_id, times, last_at) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (feature, person_id) DO UPDATE SET times = would_affect.times + 1, last_at = excluded.last_at",
        feature.key(),
        person.0,
        at.0
    )?;
    Ok(())
}

/// Somebody whom a feature would have affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldAffect {
    pub feature: Feature,
    pub person: PersonId,
    pub times: i64,
    pub last_at: Timestamp,
}

/// Whom features would have affected, of everybody or of one organization, the last first.
///
/// # Errors
/// As every query.
pub async fn affected(
    c: &mut Conn<'_>,
    organization: Option<OrganizationId>,
    limit: i64,
) -> Result<Vec<WouldAffect>, StorageError> {
    let rows = match organization {
        None => fetch_all!(c, (String, i64, i64, i64):
            "SELECT feature, person_id, times, last_at FROM would_affect ORDER BY last_at DESC, person_id LIMIT $1", limit)?,
        Some(o) => fetch_all!(c, (String, i64, i64, i64):
            "SELECT w.feature, w.person_id, w.times, w.last_at FROM would_affect w JOIN people p ON p.id = w.person_id \
             AND p.rev_to = 9223372036854775807 WHERE p.organization_id = $2 \
             ORDER BY w.last_at DESC, w.person_id LIMIT $1", limit, o.0)?,
    };
    let row = |(key, person, times, at): (String, i64, i64, i64)| {
        Ok(WouldAffect {
            feature: feature(&key)?,
            person: PersonId(person),
            times,
            last_at: Timestamp(at),
        })
    };
    rows.into_iter().map(row).collect()
}

/// How many people of an organization each feature would have affected.
///
/// # Errors
/// As every query.
pub async fn count_affected(
    c: &mut Conn<'_>,
    organization: OrganizationId,
) -> Result<BTreeMap<Feature, i64>, StorageError> {
    let rows = fetch_all!(c, (String, i64):
        "SELECT w.feature, count(*) FROM would_affect w JOIN people p ON p.id = w.person_id \
         AND p.rev_to = 9223372036854775807 WHERE p.organization_id = $1 GROUP BY w.feature", organization.0)?;
    rows.into_iter().map(|(key, n)| Ok((feature(&key)?, n))).collect()
}

/// Forgets whom a feature would have affected: it begins anew.
///
/// # Errors
/// As every query.
pub async fn forget_affected(c: &mut Conn<'_>, feature: Feature) -> Result<(), StorageError> {
    execute!(c, "DELETE FROM would_affect WHERE feature = $1", feature.key())?;
    Ok(())
}

/// How many people of the customers have factors, and which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Coverage {
    pub organization_id: i64,
    /// People who can sign in: with at least one factor.
    pub people: i64,
    /// Of them: no password.
    pub resistant: i64,
    /// Of those: without a role, and with an identity provider, which can be phished where it need not say
    /// how it knew them.
    pub providers: i64,
    /// Of them: two factors or more.
    pub spare: i64,
}

/// Factors by organization, of whoever may sign in. An account is phishing-resistant only if all its
/// factors are.
///
/// # Errors
/// As every query.
pub async fn coverage(c: &mut Conn<'_>) -> Result<Vec<Coverage>, StorageError> {
    fetch_all!(c, Coverage:
        "SELECT organization_id, count(*) AS people, \
           CAST(sum(CASE WHEN passwords = 0 THEN 1 ELSE 0 END) AS BIGINT) AS resistant, \
           CAST(sum(CASE WHEN passwords = 0 AND providers > 0 AND held = 0 THEN 1 ELSE 0 END) AS BIGINT) AS providers, \
           CAST(sum(CASE WHEN factors > 1 THEN 1 ELSE 0 END) AS BIGINT) AS spare \
         FROM (SELECT p.organization_id, c.person_id, count(*) AS factors, \
                 sum(CASE WHEN c.kind = 'password' THEN 1 ELSE 0 END) AS passwords, \
                 sum(CASE WHEN c.kind = 'oidc' THEN 1 ELSE 0 END) AS providers, \
                 CASE WHEN EXISTS (SELECT 1 FROM role_grants g WHERE g.person_id = c.person_id \
                   AND g.rev_to = 9223372036854775807) THEN 1 ELSE 0 END AS held \
               FROM credentials c JOIN people p ON p.id = c.person_id AND p.rev_to = 9223372036854775807 AND p.active = TRUE \
               WHERE c.revoked_at IS NULL GROUP BY p.organization_id, c.person_id) AS accounts \
         GROUP BY organization_id ORDER BY organization_id")
}

/// How the people of an organization sign in who may. Each counts once, for the weakest way that they
/// have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Ways {
    pub people: i64,
    /// Of them: with a password and a code.
    pub passwords: i64,
    /// Of them: at an identity provider.
    pub providers: i64,
    /// Of them: with passkeys, security keys and smart cards only.
    pub keys: i64,
    /// Of them: with nothing that can be phished, be it a key or a provider that has to say that it used one.
    pub resistant: i64,
}

/// With `weaker`, a provider need not say how it knew somebody; where they have a role, it has to.
///
/// # Errors
/// As every query.
pub async fn ways(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    weaker: bool,
) -> Result<Ways, StorageError> {
    fetch_one!(c, Ways:
        "SELECT count(*) AS people, \
           CAST(coalesce(sum(CASE WHEN passwords > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS passwords, \
           CAST(coalesce(sum(CASE WHEN passwords = 0 AND providers > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS providers, \
           CAST(coalesce(sum(CASE WHEN factors > 0 AND passwords = 0 AND providers = 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS keys, \
           CAST(coalesce(sum(CASE WHEN factors > 0 AND passwords = 0 AND (providers = 0 OR held = 1 OR $2 = 0) \
             THEN 1 ELSE 0 END), 0) AS BIGINT) AS resistant \
         FROM (SELECT p.id, count(k.id) AS factors, \
                 sum(CASE WHEN k.kind = 'password' THEN 1 ELSE 0 END) AS passwords, \
                 sum(CASE WHEN k.kind = 'oidc' THEN 1 ELSE 0 END) AS providers, \
                 CASE WHEN EXISTS (SELECT 1 FROM role_grants g WHERE g.person_id = p.id \
                   AND g.rev_to = 9223372036854775807) THEN 1 ELSE 0 END AS held \
               FROM people p LEFT JOIN credentials k ON k.person_id = p.id AND k.revoked_at IS NULL \
               WHERE p.organization_id = $1 AND p.rev_to = 9223372036854775807 AND p.active = TRUE GROUP BY p.id) AS accounts",
        organization.0, i64::from(weaker))
}

/// A page, by id after an id, of the people of an organization who may sign in and have nothing yet or
/// something that can be phished: a password, and where `providers` an identity provider that opens
/// their session whatever it says, which it does for nobody with a role. With each whether they have a
/// password, and a provider.
///
/// # Errors
/// As every query.
pub async fn phishable(
    c: &mut Conn<'_>,
    organization: OrganizationId,
    providers: bool,
    after: PersonId,
    limit: i64,
) -> Result<Vec<(PersonId, bool, bool)>, StorageError> {
    let rows = fetch_all!(c, (i64, i64, i64):
        "SELECT p.id, CAST(sum(CASE WHEN k.kind = 'password' THEN 1 ELSE 0 END) AS BIGINT), \
           CAST(sum(CASE WHEN k.kind = 'oidc' THEN 1 ELSE 0 END) AS BIGINT) \
         FROM people p LEFT JOIN credentials k ON k.person_id = p.id AND k.revoked_at IS NULL \
         WHERE p.organization_id = $1 AND p.rev_to = 9223372036854775807 AND p.active = TRUE AND p.id > $2 \
         GROUP BY p.id \
         HAVING count(k.id) = 0 OR sum(CASE WHEN k.kind = 'password' THEN 1 ELSE 0 END) > 0 \
           OR ($3 = 1 AND sum(CASE WHEN k.kind = 'oidc' THEN 1 ELSE 0 END) > 0 AND NOT EXISTS \
             (SELECT 1 FROM role_grants g WHERE g.person_id = p.id AND g.rev_to = 9223372036854775807)) \
         ORDER BY p.id LIMIT $4",
        organization.0, after.0, i64::from(providers), limit)?;
    let row = |(id, passwords, providers)| (PersonId(id), passwords > 0, providers > 0);
    Ok(rows.into_iter().map(row).collect())
}
