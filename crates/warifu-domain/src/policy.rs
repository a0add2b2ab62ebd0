//! Sign-in and session policy: what holds for whom, which change is a weakening, and how a security
//! feature is brought to everybody in stages.
//!
//! What a scope sets counts; of several settings the strictest; what nobody has set has its default.
//! So no scope can undercut another, and nothing can be set beyond the limits of [`Rules::check`].

mod proposal;
mod rollout;
mod rules;

pub use proposal::Proposal;
pub use rollout::{Choices, Feature, Plan, Rollout, Stage};
pub use rules::{DeviceRule, NetworkRule, Rules};

use crate::OrganizationId;
use crate::access::{Role, Roles};
use crate::assurance::OrganizationAccess;
use crate::organizations::Environment;
use crate::time::{HOUR, MINUTE};
use std::collections::{BTreeMap, BTreeSet};

/// For whom rules are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub enum Scope {
    /// Everybody of the vendor.
    Staff,
    /// Everybody of every customer.
    Customers,
    /// Everybody with a role.
    Role(Role),
    /// Everybody of an organization.
    Organization(OrganizationId),
}

impl Scope {
    /// `staff`, `customers`, `role:agent`, `organization:12`: stable.
    pub fn key(self) -> String {
        match self {
            Scope::Staff => "staff".into(),
            Scope::Customers => "customers".into(),
            Scope::Role(role) => format!("role:{}", role.key()),
            Scope::Organization(id) => format!("organization:{id}"),
        }
    }

    pub fn from_key(key: &str) -> Option<Scope> {
        match key.split_once(':') {
            None if key == "staff" => Some(Scope::Staff),
            None if key == "customers" => Some(Scope::Customers),
            Some(("role", role)) => Role::from_key(role).map(Scope::Role),
            Some(("organization", id)) => {
                id.parse().ok().map(|id| Scope::Organization(OrganizationId(id)))
            }
            _ => None,
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.key()
    }
}

impl TryFrom<String> for Scope {
    type Error = String;
    fn try_from(key: String) -> Result<Scope, String> {
        Scope::from_key(&key).ok_or(format!("there is no scope {key}"))
    }
}

/// Somebody, as far as policy looks at them.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub roles: Roles,
    pub organization: OrganizationId,
    pub environment: Environment,
    /// Whether the organization is the vendor itself.
    pub vendor: bool,
}

impl Subject {
    fn scopes(self) -> impl Iterator<Item = Scope> {
        let everybody = if self.vendor { Scope::Staff } else { Scope::Customers };
        [everybody, Scope::Organization(self.organization)]
            .into_iter()
            .chain(self.roles.iter().map(Scope::Role))
    }
}

/// Everything that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    pub rules: BTreeMap<Scope, Rules>,
    pub rollouts: BTreeMap<Feature, Rollout>,
    pub choices: Choices,
    /// Networks that count as one for an organization's sessions, as they were written.
    pub networks: BTreeMap<OrganizationId, Vec<String>>,
    /// What organizations let their users sign in with beyond what everybody may.
    pub access: BTreeMap<OrganizationId, OrganizationAccess>,
}

/// What holds for somebody. Times in microseconds. It is asked for with every request and copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    pub lifetime: i64,
    pub idle: i64,
    pub network: NetworkRule,
    pub device: DeviceRule,
    /// Whether a passkey may leave its device (BE=1); NIST SP 800-63B-4 puts such at AAL2.
    pub synced: bool,
    /// Whether a new authenticator has to prove its make.
    pub attestation: bool,
    /// Lists of makes that are allowed (AAGUID): one has to be on each of them.
    makes: Vec<&'a BTreeSet<String>>,
    /// What is enough beyond what everybody may sign in with; nothing for whoever has a role.
    pub access: OrganizationAccess,
}

/// Why a passkey may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is copied between devices.
    Synced,
    /// Its make is not on the list.
    Make,
}

impl Unfit {
    /// Stable code for the ledger.
    pub fn code(self) -> &'static str {
        match self {
            Unfit::Synced => "synced",
            Unfit::Make => "make",
        }
    }
}

impl Effective<'_> {
    /// Whether a passkey of a make, copied between devices or not, may be enrolled and used.
    ///
    /// # Errors
    /// Why not.
    pub fn fits(&self, make: Option<&str>, synced: bool) -> Result<(), Unfit> {
        if synced && !self.synced {
            return Err(Unfit::Synced);
        }
        let listed = |list: &&BTreeSet<String>| make.is_some_and(|make| list.contains(make));
        match self.makes.iter().all(listed) {
            true => Ok(()),
            false => Err(Unfit::Make),
        }
    }

    /// The makes of which a new authenticator has to prove to be one.
    pub fn proved_makes(&self) -> Option<BTreeSet<String>> {
        let (first, others) = self.makes.split_first().filter(|_| self.attestation)?;
        let on_all = |make: &&String| others.iter().all(|list| list.contains(*make));
        Some(first.iter().filter(on_all).cloned().collect())
    }
}

/// How far a feature has come for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not to them: their organization may choose it.
    Open,
    /// To them, and nothing is enforced.
    Reported,
    /// It holds.
    Holds,
}

impl Reach {
    /// Stable name for programs.
    pub fn key(self) -> &'static str {
        match self {
            Reach::Open => "open",
            Reach::Reported => "reported",
            Reach::Holds => "holds",
        }
    }
}

/// The longest that anything may be set to, and what holds where a feature is not on yet.
pub const LONGEST_LIFETIME: i64 = 24 * HOUR;
pub const LONGEST_IDLE: i64 = 2 * HOUR;
/// The shortest lifetime and idle limit.
pub const SHORTEST: i64 = MINUTE;

impl Policies {
    pub fn rollout(&self, feature: Feature) -> Rollout {
        self.rollouts.get(&feature).copied().unwrap_or(Rollout::initial(feature))
    }

    /// What is enforced for somebody.
    pub fn effective(&self, subject: Subject) -> Effective<'_> {
        self.with(subject, |feature| self.reach(feature, subject) == Reach::Holds)
    }

    /// How far a feature has come for somebody.
    pub fn reach(&self, feature: Feature, subject: Subject) -> Reach {
        let rollout = self.rollout(feature);
        let tried = rollout.report_only && !always(feature, subject);
        match (self.is_on(feature, rollout, subject), tried) {
            (false, _) => Reach::Open,
            (true, true) => Reach::Reported,
            (true, false) => Reach::Holds,
        }
    }

    /// What would be enforced for somebody if nothing was in report-only mode.
    pub fn announced(&self, subject: Subject) -> Effective<'_> {
        self.with(subject, |feature| self.is_on(feature, self.rollout(feature), subject))
    }

    fn is_on(&self, feature: Feature, rollout: Rollout, subject: Subject) -> bool {
        let chosen = self.choices.get(&(subject.organization, feature)).copied();
        // Who lets its users sign in with less has chosen against it.
        let less = || self.access_of(subject).exceeds(OrganizationAccess::default());
        let chosen = match feature {
            Feature::PhishingResistant => chosen.or_else(|| less().then_some(false)),
            _ => chosen,
        };
        always(feature, subject) || rollout.stage.covers(subject.environment, chosen)
    }

    fn with(&self, subject: Subject, on: impl Fn(Feature) -> bool) -> Effective<'_> {
        let set = || subject.scopes().filter_map(|scope| self.rules.get(&scope));
        let rules = set().fold(Rules::default(), |all, one| all.strictest_but_makes(one));
        let (lifetime, idle) = match on(Feature::SessionTimeout) {
            true => (rules.lifetime(), rules.idle()),
            false => (LONGEST_LIFETIME, LONGEST_IDLE),
        };
        Effective {
            lifetime,
            idle: idle.min(lifetime),
            network: match on(Feature::NetworkBinding) {
                true => rules.network(),
                false => NetworkRule::Record,
            },
            device: match on(Feature::DeviceBinding) {
                true => rules.device(),
                false => DeviceRule::Off,
            },
            synced: rules.synced(),
            attestation: rules.attestation(),
            makes: set().filter_map(|rules| rules.authenticators.as_ref()).collect(),
            access: match on(Feature::PhishingResistant) {
                true => OrganizationAccess::default(),
                false => self.access_of(subject),
            },
        }
    }

    fn access_of(&self, subject: Subject) -> OrganizationAccess {
        self.access.get(&subject.organization).copied().unwrap_or_default()
    }
}

/// Rollouts are the customers' matter, and so is trying one out: the vendor's people have every feature
/// from the first day, and an organization's administrators can nowhere be phished.
fn always(feature: Feature, subject: Subject) -> bool {
    let has_role = subject.roles.iter().next().is_some();
    subject.vendor || feature == Feature::PhishingResistant && has_role
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> Subject {
        Subject {
            roles: Roles::default().with(Role::Agent),
            organization: OrganizationId(1),
            environment: Environment::Production,
            vendor: true,
        }
    }

    fn customer(environment: Environment) -> Subject {
        let organization = OrganizationId(7);
        Subject { roles: Roles::default(), organization, environment, vendor: false }
    }

    #[test]
    fn a_new_installation_has_what_nist_asks_for() {
        let policies = Policies::default();
        let e = policies.effective(agent());
        assert_eq!((e.lifetime, e.idle), (12 * HOUR, 15 * MINUTE));
        let nothing = OrganizationAccess::default();
        assert_eq!((e.network, e.device, e.access), (NetworkRule::End, DeviceRule::Where, nothing));
        let e = policies.effective(customer(Environment::Production));
        assert_eq!((e.idle, e.network, e.access), (15 * MINUTE, NetworkRule::End, nothing));
    }

    #[test]
    fn the_strictest_of_what_is_set_counts() {
        let mut p = Policies::default();
        let idle = |minutes| Rules { idle: Some(minutes * MINUTE), ..Rules::default() };
        p.rules.insert(Scope::Staff, idle(60));
        assert_eq!(p.effective(agent()).idle, 60 * MINUTE, "more than the default, as was set");
        p.rules.insert(Scope::Role(Role::Agent), idle(5));
        assert_eq!(p.effective(agent()).idle, 5 * MINUTE);
        let mut both = agent();
        both.roles = both.roles.with(Role::SuperAdministrator);
        p.rules.insert(Scope::Role(Role::SuperAdministrator), idle(90));
        assert_eq!(p.effective(both).idle, 5 * MINUTE, "a second role undercuts nothing");
    }

    #[test]
    fn a_feature_comes_in_stages() {
        let mut p = Policies::default();
        let (preview, production) =
            (customer(Environment::Preview), customer(Environment::Production));
        let mut at = |stage, chosen: Option<bool>, report_only| {
            p.rollouts.insert(
                Feature::NetworkBinding,
                Rollout { stage, report_only, ..Rollout::initial(Feature::NetworkBinding) },
            );
            p.choices.clear();
            chosen.map(|c| p.choices.insert((OrganizationId(7), Feature::NetworkBinding), c));
            let binds = |s| p.effective(s).network == NetworkRule::End;
            (binds(preview), binds(production), binds(agent()))
        };
        assert_eq!(at(Stage::EarlyAccess, None, false), (false, false, true));
        assert_eq!(at(Stage::EarlyAccess, Some(true), false), (true, true, true));
        assert_eq!(at(Stage::Preview, None, false), (true, false, true));
        assert_eq!(at(Stage::Preview, Some(false), false), (false, false, true));
        assert_eq!(at(Stage::Production, None, false), (true, true, true));
        assert_eq!(at(Stage::Production, Some(false), false), (false, false, true));
        assert_eq!(at(Stage::Everyone, Some(false), false), (true, true, true));
        // Reported only, it is enforced for no customer, whoever chose it.
        assert_eq!(at(Stage::Everyone, Some(true), true), (false, false, true));
        assert_eq!(p.announced(production).network, NetworkRule::End);
    }

    #[test]
    fn where_a_feature_does_not_reach_there_is_something_to_choose() {
        let reach = |stage, chosen: Option<bool>, report_only| {
            let mut p = Policies::default();
            let feature = Feature::DeviceBinding;
            p.rollouts.insert(feature, Rollout { stage, report_only, plan: None });
            chosen.map(|c| p.choices.insert((OrganizationId(7), feature), c));
            p.reach(feature, customer(Environment::Production))
        };
        assert_eq!(reach(Stage::Preview, None, true), Reach::Open);
        assert_eq!(reach(Stage::Preview, Some(true), true), Reach::Reported);
        assert_eq!(reach(Stage::EarlyAccess, Some(true), false), Reach::Holds);
        assert_eq!(reach(Stage::Production, Some(false), false), Reach::Open);
        assert_eq!(reach(Stage::Everyone, Some(false), false), Reach::Holds, "nothing is left");
    }

    #[test]
    fn an_organization_lets_only_its_users_be_phished_and_only_before_the_last_stage() {
        let passwords = OrganizationAccess { passwords: true, weaker_providers: false };
        let mut p = Policies::default();
        p.access.insert(OrganizationId(7), passwords);
        let user = customer(Environment::Production);
        let administrator =
            Subject { roles: Roles::default().with(Role::OrganizationAdministrator), ..user };
        let other = Subject { organization: OrganizationId(8), ..user };
        let nothing = OrganizationAccess::default();
        assert_eq!(p.effective(user).access, passwords);
        assert_eq!(p.effective(administrator).access, nothing);
        assert_eq!(p.effective(other).access, nothing);
        let everyone = Rollout { stage: Stage::Everyone, report_only: false, plan: None };
        p.rollouts.insert(Feature::PhishingResistant, everyone);
        assert_eq!(p.effective(user).access, nothing, "it can no longer be switched off");
    }

    #[test]
    fn a_list_of_makes_refuses_the_others_and_those_that_name_none() {
        let mut p = Policies::default();
        assert_eq!(p.effective(agent()).fits(None, true), Ok(()));
        let rules = Rules {
            synced: Some(false),
            authenticators: Some(["a".to_owned()].into()),
            ..Rules::default()
        };
        p.rules.insert(Scope::Role(Role::Agent), rules);
        let e = p.effective(agent());
        assert_eq!(e.fits(Some("a"), false), Ok(()));
        assert_eq!(e.fits(Some("a"), true), Err(Unfit::Synced));
        assert_eq!(e.fits(Some("b"), false), Err(Unfit::Make));
        assert_eq!(e.fits(None, false), Err(Unfit::Make));
        // Attestation of a list that nobody demands proof of.
        assert_eq!(e.proved_makes(), None);
        let proved = |makes: [&str; 2]| Rules {
            attestation: Some(true),
            authenticators: Some(makes.map(str::to_owned).into()),
            ..Rules::default()
        };
        p.rules.insert(Scope::Role(Role::Agent), proved(["a", "b"]));
        p.rules.insert(Scope::Staff, proved(["b", "c"]));
        let e = p.effective(agent());
        assert_eq!(e.proved_makes(), Some(["b".to_owned()].into()), "on both lists");
        let allowed = |make| e.fits(Some(make), true).is_ok();
        assert_eq!(["a", "b", "c"].map(allowed), [false, true, false]);
    }

    #[test]
    fn scopes_have_stable_names() {
        let all = [Scope::Staff, Scope::Customers, Scope::Organization(OrganizationId(12))];
        for scope in all.into_iter().chain(Role::ALL.map(Scope::Role)) {
            assert_eq!(Scope::from_key(&scope.key()), Some(scope));
        }
        for wrong in ["", "staff:1", "role:king", "organization:x", "organization"] {
            assert_eq!(Scope::from_key(wrong), None, "{wrong}");
        }
    }
}
