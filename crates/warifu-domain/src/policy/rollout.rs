//! Bringing a security feature to every customer in stages, each with its date.

use crate::organizations::Environment;
use crate::{OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is brought to customers in stages. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Limits of a session's lifetime and idle time.
    SessionTimeout,
    /// A session holds in one network.
    NetworkBinding,
    /// A session holds with one device's key.
    DeviceBinding,
    /// Users without a role sign in with nothing that can be phished.
    PhishingResistant,
}

impl Feature {
    pub const ALL: [Feature; 4] = [
        Feature::SessionTimeout,
        Feature::NetworkBinding,
        Feature::DeviceBinding,
        Feature::PhishingResistant,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Feature::SessionTimeout => "session_timeout",
            Feature::NetworkBinding => "network_binding",
            Feature::DeviceBinding => "device_binding",
            Feature::PhishingResistant => "phishing_resistant",
        }
    }

    pub fn from_key(key: &str) -> Option<Feature> {
        Feature::ALL.into_iter().find(|f| f.key() == key)
    }
}

/// How far a feature has come. Each stage has all that the one before had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Organizations that chose it.
    EarlyAccess,
    /// On for preview organizations, unless they chose against it.
    Preview,
    /// On for production organizations too, unless they chose against it.
    Production,
    /// On for everyone: it can be tuned and no longer be switched off.
    Everyone,
}

impl Stage {
    pub const ALL: [Stage; 4] =
        [Stage::EarlyAccess, Stage::Preview, Stage::Production, Stage::Everyone];

    pub fn key(self) -> &'static str {
        match self {
            Stage::EarlyAccess => "early_access",
            Stage::Preview => "preview",
            Stage::Production => "production",
            Stage::Everyone => "everyone",
        }
    }

    pub fn from_key(key: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|s| s.key() == key)
    }

    /// Whether it is on for an organization that chose so, chose against it, or chose nothing.
    pub fn covers(self, environment: Environment, chosen: Option<bool>) -> bool {
        match self {
            Stage::Everyone => true,
            Stage::Production => chosen != Some(false),
            Stage::Preview if environment == Environment::Preview => chosen != Some(false),
            Stage::Preview | Stage::EarlyAccess => chosen == Some(true),
        }
    }
}

/// What organizations have chosen for themselves.
pub type Choices = BTreeMap<(OrganizationId, Feature), bool>;

/// The stage after this one, and when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub stage: Stage,
    pub at: Timestamp,
}

/// Where a feature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub stage: Stage,
    /// Nothing is enforced; who would be affected is written down.
    pub report_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

impl Rollout {
    /// A new installation begins with everything on. An organization may still allow passwords to its
    /// users without a role.
    pub fn initial(feature: Feature) -> Rollout {
        let stage = match feature {
            Feature::PhishingResistant => Stage::Production,
            _ => Stage::Everyone,
        };
        Rollout { stage, report_only: false, plan: None }
    }

    /// Whether this is weaker than it was for anybody on any day: an earlier stage, or only reported. So is
    /// a planned step back that was not planned or not for so early, and a step on that comes later or
    /// not at all.
    pub fn weaker_than(&self, before: &Rollout) -> bool {
        let days = [self.plan, before.plan].into_iter().flatten().map(|plan| plan.at);
        self.stage < before.stage
            || (self.report_only && !before.report_only)
            || days.into_iter().any(|day| self.at(day).stage < before.at(day).stage)
    }

    /// The rollout at a time: a plan whose day has come is no plan any more.
    pub fn at(self, now: Timestamp) -> Rollout {
        match self.plan {
            Some(plan) if plan.at <= now => Rollout { stage: plan.stage, plan: None, ..self },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_is_weaker_and_going_on_is_not() {
        let at = |stage| Rollout { stage, report_only: false, plan: None };
        assert!(at(Stage::Preview).weaker_than(&at(Stage::Production)));
        assert!(!at(Stage::Everyone).weaker_than(&at(Stage::Production)));
        let reported = Rollout { report_only: true, ..at(Stage::Everyone) };
        assert!(reported.weaker_than(&at(Stage::Production)));
        let back = Plan { stage: Stage::Preview, at: Timestamp(9) };
        let planned = Rollout { plan: Some(back), ..at(Stage::Everyone) };
        assert!(planned.weaker_than(&at(Stage::Everyone)));
        assert!(!at(Stage::Everyone).weaker_than(&planned));
        let plan = |stage, day| Some(Plan { stage, at: Timestamp(day) });
        let sooner = Rollout { plan: plan(Stage::Preview, 5), ..planned };
        assert!(sooner.weaker_than(&planned) && !planned.weaker_than(&sooner));
        let on = Rollout { plan: plan(Stage::Everyone, 5), ..at(Stage::Preview) };
        let later = Rollout { plan: plan(Stage::Everyone, 9), ..on };
        assert!(later.weaker_than(&on) && !on.weaker_than(&later));
        assert!(at(Stage::Preview).weaker_than(&on), "a step on that does not come");
    }

    #[test]
    fn a_plan_comes_true_on_its_day() {
        let plan = Plan { stage: Stage::Production, at: Timestamp(10) };
        let r = Rollout { stage: Stage::Preview, report_only: false, plan: Some(plan) };
        assert_eq!(r.at(Timestamp(9)), r);
        assert_eq!(r.at(Timestamp(10)).stage, Stage::Production);
        assert_eq!(r.at(Timestamp(10)).plan, None);
    }

    #[test]
    fn names_are_read_back() {
        assert!(Feature::ALL.into_iter().all(|f| Feature::from_key(f.key()) == Some(f)));
        assert!(Stage::ALL.into_iter().all(|s| Stage::from_key(s.key()) == Some(s)));
    }
}
