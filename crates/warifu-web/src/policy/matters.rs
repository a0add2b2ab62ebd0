//! What waits for a second person, in words.

use super::words::Words;
use crate::views::policy::Difference;
use warifu_domain::Timestamp;
use warifu_domain::access::{Role, Roles};
use warifu_domain::applications::{Acr, Kind};
use warifu_domain::policy::Policies;
use warifu_domain::second_person::{Matter, Terms, Way};
use warifu_domain::services::Scopes;
use warifu_domain::time::SECOND;

/// The message that names a term. Every term has one: what is agreed to is read as a whole.
fn label(term: &str) -> &'static str {
    match term {
        "name" => "name",
        "enabled" => "matter-lets-in",
        "factors" => "matter-factors",
        "organization" => "organization",
        "issuer" => "provider-issuer",
        "client_id" => "provider-client",
        "hosts" => "provider-hosts",
        "scopes" => "service-may",
        "networks" => "service-from",
        "key" => "service-key",
        "expires_at" => "service-until",
        "kind" => "matter-kind",
        "origin" => "application-place",
        "redirect_uris" => "application-redirect-uris",
        "logout_uris" => "application-logout-uris",
        "backchannel_uri" => "application-backchannel-uri",
        "roles" => "application-who",
        "max_age" => "matter-max-age",
        "acr" => "application-acr",
        _ => "policy-setting",
    }
}

impl Words<'_> {
    /// What a matter is about, in one line.
    pub fn matter(&self, matter: &Matter) -> String {
        match matter {
            Matter::Policy(proposal) => self.title(proposal),
            Matter::Way { way, terms, .. } => {
                let name = terms.get("name").cloned().unwrap_or_default();
                let id = match way {
                    Way::IdentityProvider => "matter-provider",
                    Way::ServiceAccount => "matter-service",
                    Way::Application => "matter-application",
                    Way::SuperAdministrator => "matter-super-administrator",
                };
                self.lang.t_args(id, &[("name", &name)])
            }
        }
    }

    /// What would change; of a way in that would be opened, all that would hold for it.
    pub fn changed(&self, matter: &Matter, before: &Terms, now: &Policies) -> Vec<Difference> {
        let terms = match matter {
            Matter::Policy(proposal) => return self.differences(proposal, now),
            Matter::Way { terms, .. } => terms,
        };
        let opens = terms.get("enabled") != before.get("enabled");
        let row = |(term, after): (&String, &String)| Difference {
            name: self.lang.t(label(term)),
            before: before.get(term).map(|was| self.term(term, was)).unwrap_or_default(),
            after: self.term(term, after),
            weaker: term == "enabled",
        };
        let shown = |(term, after): &(&String, &String)| opens || before.get(*term) != Some(after);
        terms.iter().filter(shown).map(row).filter(|d| !d.after.is_empty()).collect()
    }

    fn term(&self, term: &str, text: &str) -> String {
        let comma = self.lang.t("list-comma");
        let listed = |words: Vec<String>| words.join(&comma);
        let said = match term {
            "factors" => Some(self.lang.n(text.split_whitespace().count() as i64)),
            "enabled" => match text {
                "true" => Some(self.lang.t("choice-on")),
                _ => Some(self.lang.t("choice-off")),
            },
            "scopes" => Scopes::parse(text).map(|scopes| {
                let word = |s| self.lang.t(crate::services::message(s));
                listed(scopes.iter().map(word).collect())
            }),
            "expires_at" => text.parse::<Timestamp>().ok().map(|t| self.day(t)),
            "roles" => {
                let known = text.split(',').filter_map(Role::from_key);
                let word = |r| self.lang.t(crate::session::role_message(Roles::default().with(r)));
                Some(listed(known.map(word).collect()))
            }
            "max_age" => Some(match text.parse::<i64>() {
                Ok(micros) => self.lang.span(micros / SECOND),
                Err(_) => self.lang.t("matter-session"),
            }),
            "acr" => Acr::from_key(text).map(|acr| {
                self.lang.t(match acr {
                    Acr::PhishingResistant => "application-phr",
                    Acr::Hardware => "application-phrh",
                })
            }),
            "kind" => Kind::from_key(text).map(|kind| {
                self.lang.t(match kind {
                    Kind::ForwardAuth => "application-proxied",
                    Kind::OpenId => "application-client",
                })
            }),
            _ => None,
        };
        said.unwrap_or_else(|| text.to_owned())
    }
}
