//! Pages of sign-in and session policy.

use super::markup::Choice;
use super::shell::Shell;
use crate::i18n::When;
use askama::Template;

/// `GET /policy`
#[derive(Debug, Clone, Template)]
#[template(path = "policy/policy.html")]
pub struct PolicyPage {
    /// Frame
    pub shell: Shell,
    /// Whether the reader may change anything
    pub editable: bool,
    /// For whom rules can be
    pub scopes: Vec<Choice>,
    /// Whose are shown
    pub scope: String,
    /// Id of the organization whose are shown; empty otherwise
    pub organization: String,
    /// What is set for them
    pub rules: RulesForm,
    /// How far each feature has come
    pub rollouts: Vec<FeatureRow>,
    /// What the organization chose
    pub choices: Vec<ChoiceRow>,
    /// Its networks, one in a line
    pub networks: Option<String>,
    /// Environments, with the organization's own chosen
    pub environments: Vec<Choice>,
    /// Who is covered
    pub coverage: CoverageFigures,
    /// Whom features that are only reported would have affected
    pub affected: Vec<AffectedRow>,
}

/// What is set for a scope; empty fields are not set.
#[derive(Debug, Clone, Default)]
pub struct RulesForm {
    /// Minutes
    pub lifetime: String,
    /// Minutes
    pub idle: String,
    /// What holds when nothing is set
    pub lifetime_default: i64,
    /// What holds when nothing is set
    pub idle_default: i64,
    /// When the network changes
    pub networks: Vec<Choice>,
    /// The device's key
    pub devices: Vec<Choice>,
    /// Copied passkeys
    pub synced: Vec<Choice>,
    /// Proof of make
    pub attestation: Vec<Choice>,
    /// Makes, one in a line
    pub authenticators: String,
}

/// A feature and its stages.
#[derive(Debug, Clone, Default)]
pub struct FeatureRow {
    /// Stable name
    pub key: &'static str,
    /// In the reader's language
    pub name: String,
    /// Nothing is enforced
    pub report_only: bool,
    /// The four stages
    pub steps: Vec<Step>,
    /// To choose the stage from
    pub stages: Vec<Choice>,
    /// To plan the next from
    pub next: Vec<Choice>,
    /// The day of the plan
    pub on: String,
}

/// A stage of a feature.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// In the reader's language
    pub name: String,
    /// What it means
    pub text: String,
    /// `done`, `now` or nothing
    pub class: &'static str,
    /// Since when it is here
    pub since: Option<When>,
    /// When it comes
    pub planned: Option<When>,
}

/// What an organization chose about a feature.
#[derive(Debug, Clone, Default)]
pub struct ChoiceRow {
    /// Stable name
    pub key: &'static str,
    /// In the reader's language
    pub name: String,
    /// The feature's stage
    pub stage: String,
    /// Whether it can no longer be switched off
    pub fixed: bool,
    /// Whether it is on for them
    pub on: bool,
}

/// Who can be phished.
#[derive(Debug, Clone, Default)]
pub struct CoverageFigures {
    /// Customers with accounts
    pub organizations: i64,
    /// Of them: nobody can be phished
    pub covered: i64,
    /// Customers' people with factors
    pub people: i64,
    /// Of them: cannot be phished
    pub resistant: i64,
    /// Of them: with a second factor
    pub spare: i64,
    /// The same three of the vendor's people
    pub staff: Option<(i64, i64, i64)>,
    /// Organizations where somebody can be
    pub lagging: Vec<Lagging>,
}

impl CoverageFigures {
    fn share(&self, part: &i64) -> f64 {
        super::charts::share(*part, self.people)
    }

    fn whole(&self, shell: &Shell) -> String {
        shell.pct(&super::charts::share(self.covered, self.organizations))
    }
}

/// An organization where somebody can be phished.
#[derive(Debug, Clone, Default)]
pub struct Lagging {
    /// Its id
    pub id: String,
    /// Its name
    pub name: String,
    /// Its people with factors
    pub people: i64,
    /// Of them: cannot be phished
    pub resistant: i64,
}

/// Somebody whom a feature would have affected.
#[derive(Debug, Clone, Default)]
pub struct AffectedRow {
    /// Which feature
    pub feature: String,
    /// Id
    pub person: String,
    /// Name
    pub name: String,
    /// How often
    pub times: i64,
    /// When last
    pub last: When,
}

/// `POST /policy/review`
#[derive(Debug, Clone, Template)]
#[template(path = "policy/review.html")]
pub struct Review {
    /// Frame
    pub shell: Shell,
    /// Where to go instead
    pub back: String,
    /// Whether it changes anything
    pub changes: bool,
    /// Before and after
    pub rows: Vec<Difference>,
    /// Whether a second person has to agree
    pub weakens: bool,
    /// Who that can be
    pub others: Vec<String>,
    /// What the key is asked for
    pub action: &'static str,
    /// With which parameters
    pub parameters: String,
    /// The proposal as JSON
    pub proposal: String,
}

/// A setting before and after.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Which setting
    pub name: String,
    /// As it is
    pub before: String,
    /// As it would be
    pub after: String,
    /// Whether that is weaker
    pub weaker: bool,
}

/// `GET /approvals`
#[derive(Debug, Clone, Template)]
#[template(path = "policy/approvals.html")]
pub struct Approvals {
    /// Frame
    pub shell: Shell,
    /// Newest first
    pub rows: Vec<ApprovalRow>,
}

/// A change that waits or waited.
#[derive(Debug, Clone, Default)]
pub struct ApprovalRow {
    /// Number
    pub id: String,
    /// What it is about
    pub title: String,
    /// Before and after
    pub rows: Vec<Difference>,
    /// Why
    pub reason: String,
    /// Who asked
    pub by: String,
    /// When
    pub at: When,
    /// Until when it waits
    pub until: When,
    /// How it stands
    pub outcome: String,
    /// Who decided; may be empty
    pub decided_by: String,
    /// Whether the reader may decide now
    pub waiting: bool,
    /// Whether it is the reader's own
    pub own: bool,
    /// What the key is asked for
    pub action: &'static str,
    /// With which parameters
    pub parameters: String,
}
