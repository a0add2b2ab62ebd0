//! What every page has around it: language, theme, who is signed in, where they are.

use askama::filters::Safe;

use super::markup;
use crate::assets;
use crate::i18n::{Arg, Lang, escape};

/// Context of the frame of a page.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// Language of the page
    pub lang: Lang,
    /// Light, dark or as the system has it
    pub theme: Theme,
    /// Name of this installation, e.g. `Hashira Cloud Support`
    pub installation: String,
    /// Token for forms; each form sends it back as `csrf`
    pub csrf: String,
    /// Name of the time zone in which times are shown, e.g. `Asia/Tokyo`
    pub zone: String,
    /// Path and query of this page, for coming back after the language changed
    pub here: String,
    /// Who is signed in; `None` on the pages before that
    pub me: Option<Me>,
    /// Their own session, for the block at the foot of the rail
    pub session: Option<SessionLeft>,
    /// Navigation of the console or the portal
    pub nav: Nav,
    /// A sentence about what was just done, already in the reader's language; shown once
    pub flash: Option<Flash>,
    /// What `assets/device.js` has to do
    pub device: ScriptKey,
}

/// What a page's script does about a key of its own, under the name of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ScriptKey {
    /// There is none to be used
    #[default]
    Nothing,
    /// Make one and bind it to the session
    Register(String),
    /// Sign protected requests
    Sign(String),
}

/// Who is signed in.
#[derive(Debug, Clone, Default)]
pub struct Me {
    /// Display name
    pub name: String,
    /// Role, in the reader's language
    pub role: String,
    /// One or two characters ([`markup::initials`])
    pub initials: String,
    /// Name of their organization; for customers
    pub organization: Option<String>,
    /// Whether they signed in with a password, which they can change
    pub password: bool,
}

/// The own session. All times in seconds.
#[derive(Debug, Clone, Default)]
pub struct SessionLeft {
    /// The network it is bound to, e.g. `AS64496 Hashira Tokyo` or a prefix
    pub network: String,
    /// Whether every request is held against a key of this device
    pub device_bound: bool,
    /// Whether protected requests are, against a key of the page's script
    pub device_signs: bool,
    /// Until the lifetime ends
    pub left: i64,
    /// The whole lifetime, 12 h by default
    pub lifetime: i64,
    /// Until it ends when nothing is done
    pub idle_left: i64,
    /// The whole idle time, 15 min by default
    pub idle_limit: i64,
}

/// A sentence about what was just done.
#[derive(Debug, Clone, Default)]
pub struct Flash {
    /// How it went
    pub tone: markup::Tone,
    /// In the reader's language
    pub text: String,
}

/// Colours of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has it
    #[default]
    System,
    /// Light
    Light,
    /// Dark
    Dark,
}

impl Theme {
    /// Value for `data-theme`; empty for the system's.
    pub fn name(&self) -> &'static str {
        match self {
            Theme::System => "",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// A place of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// None of them
    #[default]
    Elsewhere,
    /// `/cases` and what is below; the view in use is marked by itself
    Cases,
    /// `/people`
    People,
    /// `/organizations`
    Organizations,
    /// `/people/import`
    Import,
    /// `/reports`
    Reports,
    /// `/runs`
    Runs,
    /// `/ledger`
    Ledger,
    /// `/incidents`
    Incidents,
    /// `/account/passkeys`
    Passkeys,
    /// `/sessions`
    Sessions,
    /// `/policy`
    Policy,
    /// `/approvals`
    Approvals,
    /// `/applications`
    Applications,
    /// `/identity-providers`
    IdentityProviders,
    /// `/service-accounts`
    Services,
    /// `/verifications`
    Verifications,
    /// `/portal/cases`
    PortalCases,
    /// `/portal/cases/new`
    PortalNew,
    /// `/portal/access`
    PortalAccess,
    /// `/security` and what is below, in the portal
    PortalSecurity,
}

/// Navigation. What a person may not enter is `false` or `None` and is left out.
#[derive(Debug, Clone, Default)]
pub struct Nav {
    /// Where the page is
    pub place: Place,
    /// Saved views of the desk with their counts
    pub views: Vec<ViewLink>,
    /// Number of things that wait for a decision of this person, and where they are listed
    pub decisions: i64,
    /// Address of that list; the entry is left out when empty
    pub decisions_href: String,
    /// People and organizations
    pub people: bool,
    /// Import of people
    pub import: bool,
    /// Reports and runs
    pub reports: bool,
    /// The ledger
    pub ledger: bool,
    /// Number of open incidents for those who may enter the room
    pub incidents: Option<i64>,
    /// Open cases of the customer, in the portal
    pub portal_cases: i64,
    /// Notices about the reader's own account that they have not seen
    pub notices: i64,
    /// Further entries (administration), already in the reader's language
    pub more: Vec<ViewLink>,
}

/// A link of the rail.
#[derive(Debug, Clone, Default)]
pub struct ViewLink {
    /// Address
    pub href: String,
    /// Name, in the reader's language or as its owner named it
    pub label: String,
    /// Icon of the sprite without `i-`: inbox, st-new, globe, st-open, st-wait, alarm …
    pub icon: &'static str,
    /// Number of entries; counts never scan, so one may be missing
    pub count: Option<i64>,
    /// Whether it is the one in use
    pub current: bool,
}

impl Nav {
    /// `aria-current` for an entry.
    pub fn at(&self, place: &str) -> Safe<&'static str> {
        let name = match self.place {
            Place::Elsewhere => "",
            Place::Cases => "cases",
            Place::People => "people",
            Place::Organizations => "organizations",
            Place::Import => "import",
            Place::Reports => "reports",
            Place::Runs => "runs",
            Place::Ledger => "ledger",
            Place::Incidents => "incidents",
            Place::Passkeys => "passkeys",
            Place::Sessions => "sessions",
            Place::Policy => "policy",
            Place::Approvals => "approvals",
            Place::Applications => "applications",
            Place::IdentityProviders => "identity-providers",
            Place::Services => "services",
            Place::Verifications => "verifications",
            Place::PortalCases => "portal-cases",
            Place::PortalNew => "portal-new",
            Place::PortalAccess => "portal-access",
            Place::PortalSecurity => "portal-security",
        };
        Safe(if name == place { " aria-current=\"page\"" } else { "" })
    }
}

/// Shorthands for templates.
impl Shell {
    /// A message.
    pub fn t(&self, id: impl AsRef<str>) -> String {
        self.lang.t(id)
    }

    /// A message with one argument.
    pub fn t1(&self, id: impl AsRef<str>, name: &str, value: impl Arg) -> String {
        self.lang.t_args(id, &[(name, &value)])
    }

    /// A message with two arguments.
    pub fn t2(
        &self,
        id: impl AsRef<str>,
        name: &str,
        value: impl Arg,
        name2: &str,
        value2: impl Arg,
    ) -> String {
        self.lang.t_args(id, &[(name, &value), (name2, &value2)])
    }

    /// A message with markup and no argument.
    pub fn h(&self, id: impl AsRef<str>) -> Safe<String> {
        self.lang.h_args(id, &[])
    }

    /// A message with markup and one argument, which is escaped.
    pub fn h1(&self, id: impl AsRef<str>, name: &str, value: impl Arg) -> Safe<String> {
        self.lang.h_args(id, &[(name, &value)])
    }

    /// A message with markup and two arguments, which are escaped.
    pub fn h2(
        &self,
        id: impl AsRef<str>,
        name: &str,
        value: impl Arg,
        name2: &str,
        value2: impl Arg,
    ) -> Safe<String> {
        self.lang.h_args(id, &[(name, &value), (name2, &value2)])
    }

    /// A whole number.
    pub fn n(&self, number: &i64) -> String {
        self.lang.n(*number)
    }

    /// An exact size with its unit.
    pub fn bytes(&self, bytes: &i64) -> String {
        self.lang.bytes(*bytes)
    }

    /// A share of 0 to 1.
    pub fn pct(&self, share: &f64) -> String {
        self.lang.percent(*share)
    }

    /// A length of time in seconds.
    pub fn span(&self, seconds: &i64) -> String {
        self.lang.span(*seconds)
    }

    /// An icon.
    pub fn i(&self, name: &str) -> Safe<String> {
        markup::icon(name)
    }

    /// The mark of the product.
    pub fn mark(&self) -> Safe<&'static str> {
        markup::mark()
    }

    /// The cut of a tally.
    pub fn cut(&self) -> Safe<&'static str> {
        markup::cut()
    }

    /// A face; `class` is `""`, `cust`, `sm`, `lg` or a combination.
    pub fn face(&self, initials: &str, class: &str) -> Safe<String> {
        markup::face(initials, class)
    }

    /// A bar of `share` (0 to 1) in a tone of the stylesheet: fill, soft, warn, bad, ink, ok.
    pub fn bar(&self, share: impl std::borrow::Borrow<f64>, tone: &str) -> Safe<String> {
        super::charts::bar(*share.borrow(), tone, "", None)
    }

    /// A thin bar.
    pub fn thin(&self, part: &i64, whole: &i64, tone: &str) -> Safe<String> {
        super::charts::bar(super::charts::share(*part, *whole), tone, "thin", None)
    }

    /// Name of the session for the key of a script, and whether one is to be registered.
    pub fn script_key(&self) -> Option<(&str, bool)> {
        match &self.device {
            ScriptKey::Nothing => None,
            ScriptKey::Register(name) => Some((name, true)),
            ScriptKey::Sign(name) => Some((name, false)),
        }
    }

    /// Address of an asset.
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }

    /// The hidden field with the token that every form carries.
    pub fn csrf_field(&self) -> Safe<String> {
        Safe(format!("<input type=\"hidden\" name=\"csrf\" value=\"{}\">", escape(&self.csrf)))
    }

    /// The languages that this page is not in: tag and own name.
    pub fn other_languages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = self.lang;
        Lang::ALL
            .into_iter()
            .filter(move |lang| *lang != own)
            .map(|lang| (lang.tag(), lang.own_name()))
    }
}
