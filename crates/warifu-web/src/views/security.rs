//! Pages of an organization's administrators: what protects their people, and their sessions.

use super::cases::Pager;
use super::charts::share;
use super::policy::{AffectedRow, FeatureRow};
use super::sessions::SessionTable;
use super::shell::Shell;
use askama::Template;
use warifu_app::security::Ways;
use warifu_domain::policy::Reach;

/// `GET /security`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/security.html")]
pub struct SecurityPage {
    /// Frame
    pub shell: Shell,
    /// What comes to customers in stages
    pub features: Vec<FeatureHere>,
    /// How their people sign in
    pub coverage: WaysHere,
    /// Whether a password with a code is enough for users without a role
    pub passwords: bool,
    /// Whether a provider is that does not say how it knew somebody
    pub weaker_providers: bool,
    /// What holds for users and administrators
    pub limits: Vec<Limit>,
    /// Names of their identity providers
    pub providers: Vec<String>,
    /// Networks that count as one
    pub networks: Vec<String>,
    /// Who can be phished or has nothing yet
    pub people: Vec<PersonHere>,
    /// Where that list goes on
    pub pager: Pager,
}

/// A feature, as it stands for an organization.
#[derive(Debug, Clone)]
pub struct FeatureHere {
    /// Its name and stages
    pub row: FeatureRow,
    /// Message: what it does
    pub text: &'static str,
    /// How far it has come
    pub reach: Reach,
    /// What the organization has chosen
    pub chosen: Option<bool>,
    /// How many of its people it would have affected
    pub count: i64,
    /// Who they are; not more than are shown at once
    pub affected: Vec<AffectedRow>,
    /// Where it can be chosen
    pub choice: Option<Choosing>,
}

impl FeatureHere {
    fn state(&self) -> &'static str {
        match self.reach {
            Reach::Open => "security-open",
            Reach::Reported => "rollout-reported",
            Reach::Holds => "security-holds",
        }
    }

    fn tone(&self) -> &'static str {
        match self.reach {
            Reach::Open => "",
            Reach::Reported => "warn",
            Reach::Holds => "ok",
        }
    }

    fn icon(&self) -> &'static str {
        match self.reach {
            Reach::Open => "st-new",
            Reach::Reported => "eye",
            Reach::Holds => "check",
        }
    }

    fn is_reported(&self) -> bool {
        self.reach == Reach::Reported
    }

    fn more(&self) -> i64 {
        (self.count - self.affected.len() as i64).max(0)
    }
}

/// What choosing a feature means.
#[derive(Debug, Clone, Default)]
pub struct Choosing {
    /// What the key is asked for
    pub action: &'static str,
    /// With which parameters
    pub parameters: String,
    /// People who lose their password by it
    pub passwords: i64,
    /// Whether providers have to say more from then on
    pub providers: bool,
}

/// How people sign in; each counts once.
#[derive(Debug, Clone, Default)]
pub struct WaysHere {
    /// All who may
    pub people: i64,
    /// By way: message, how many, tone of the bar
    pub ways: Vec<(&'static str, i64, &'static str)>,
    /// Of them: nothing that can be phished
    pub resistant: i64,
}

impl From<Ways> for WaysHere {
    fn from(w: Ways) -> WaysHere {
        let nothing = w.people - w.keys - w.providers - w.passwords;
        let ways = vec![
            ("security-keys", w.keys, "fill"),
            ("factor-oidc", w.providers, "soft"),
            ("factor-password", w.passwords, "warn"),
            ("security-nothing", nothing, "ink"),
        ];
        WaysHere { people: w.people, ways, resistant: w.resistant }
    }
}

impl WaysHere {
    fn share(&self, part: &i64) -> f64 {
        share(*part, self.people)
    }

    fn whole(&self, shell: &Shell) -> String {
        shell.pct(&self.share(&self.resistant))
    }
}

/// A limit.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    /// Message that names it
    pub name: &'static str,
    /// For users without a role
    pub users: String,
    /// For administrators
    pub administrators: String,
}

/// Somebody who can be phished or has nothing yet.
#[derive(Debug, Clone, Default)]
pub struct PersonHere {
    /// Name
    pub name: String,
    /// Initials
    pub initials: String,
    /// Address; may be empty
    pub email: String,
    /// Role, in the reader's language
    pub role: String,
    /// What they sign in with; empty for nothing yet
    pub ways: String,
}

/// `GET /security/sessions`
#[derive(Debug, Clone, Template)]
#[template(path = "portal/security_sessions.html")]
pub struct SecuritySessions {
    /// Frame
    pub shell: Shell,
    /// The sessions
    pub table: SessionTable,
}
