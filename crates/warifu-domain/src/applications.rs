//! Management applications of the company, which people enter with their session here.

use crate::access::{Role, Roles};
use crate::second_person::Terms;
use crate::{ApplicationId, Timestamp};

/// How an application learns who is there. The names are stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A reverse proxy asks before every request.
    #[default]
    ForwardAuth,
    /// It is a client of OpenID Connect.
    OpenId,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::ForwardAuth, Kind::OpenId];

    pub fn key(self) -> &'static str {
        match self {
            Kind::ForwardAuth => "forward_auth",
            Kind::OpenId => "openid",
        }
    }

    pub fn from_key(key: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.key() == key)
    }
}

/// How somebody proved who they are, as programs write it (OpenID Extended Authentication Profile
/// ACR Values 1.0). What is not phishing-resistant has none. The greater is the stronger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acr {
    /// A look-alike site could not have relayed it.
    #[default]
    PhishingResistant,
    /// The same, with a key that cannot leave its device.
    Hardware,
}

impl Acr {
    pub const ALL: [Acr; 2] = [Acr::PhishingResistant, Acr::Hardware];

    pub fn key(self) -> &'static str {
        match self {
            Acr::PhishingResistant => "phr",
            Acr::Hardware => "phrh",
        }
    }

    pub fn from_key(key: &str) -> Option<Acr> {
        Acr::ALL.into_iter().find(|a| a.key() == key)
    }
}

/// Who may enter an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// One of these roles is needed.
    pub roles: Roles,
    /// Microseconds that may have passed since the person proved who they are.
    pub max_age: Option<i64>,
    /// The least that is enough.
    pub acr: Acr,
}

/// An application as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub name: String,
    pub kind: Kind,
    /// Forward-auth: scheme, host and port as browsers see them. OpenID: the client's id.
    pub origin: String,
    /// OpenID: SHA-256 of the secret; `None` for a public client.
    pub secret: Option<Vec<u8>>,
    /// OpenID: where a code may be sent.
    pub redirect_uris: Vec<String>,
    /// OpenID: where somebody may be sent after signing out.
    pub logout_uris: Vec<String>,
    /// OpenID: where ended sessions are told; empty for nowhere.
    pub backchannel_uri: String,
    pub entry: Entry,
    pub created_at: Timestamp,
}

impl Application {
    /// What holds for it, as texts: all but its secret and when it was made.
    pub fn terms(&self) -> Terms {
        let roles: Vec<&str> = self.entry.roles.iter().map(Role::key).collect();
        let texts = [
            ("name", self.name.clone()),
            ("kind", self.kind.key().to_owned()),
            ("origin", self.origin.clone()),
            ("redirect_uris", self.redirect_uris.join(" ")),
            ("logout_uris", self.logout_uris.join(" ")),
            ("backchannel_uri", self.backchannel_uri.clone()),
            ("roles", roles.join(",")),
            ("max_age", self.entry.max_age.map(|m| m.to_string()).unwrap_or_default()),
            ("acr", self.entry.acr.key().to_owned()),
            ("public", self.secret.is_none().to_string()),
        ];
        texts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
    }

    /// The same application with other terms; its kind and its secret stay. `None` for texts that
    /// [`Application::terms`] did not write.
    pub fn with(&self, terms: &Terms) -> Option<Application> {
        let text = |name: &str| terms.get(name).map(String::as_str);
        let words = |name: &str| Some(text(name)?.split_whitespace().map(str::to_owned).collect());
        let roles = text("roles")?.split(',').filter(|key| !key.is_empty());
        let max_age = match text("max_age")? {
            "" => None,
            micros => Some(micros.parse().ok()?),
        };
        Some(Application {
            name: text("name")?.to_owned(),
            origin: text("origin")?.to_owned(),
            redirect_uris: words("redirect_uris")?,
            logout_uris: words("logout_uris")?,
            backchannel_uri: text("backchannel_uri")?.to_owned(),
            entry: Entry {
                roles: roles.map(Role::from_key).collect::<Option<Roles>>()?,
                max_age,
                acr: Acr::from_key(text("acr")?)?,
            },
            ..self.clone()
        })
    }

    /// What it asks for less than before, by the names of its terms: who may enter, how lately and how
    /// well they proved who they are, and where what is said about them may be sent.
    pub fn weaker_than(&self, before: &Application) -> Vec<&'static str> {
        let more = |after: &[String], before: &[String]| after.iter().any(|a| !before.contains(a));
        let age = |a: &Application| a.entry.max_age.unwrap_or(i64::MAX);
        let told = &self.backchannel_uri;
        let weaker = [
            ("roles", self.entry.roles.iter().any(|r| !before.entry.roles.has(r))),
            ("max_age", age(self) > age(before)),
            ("acr", self.entry.acr < before.entry.acr),
            ("origin", self.origin != before.origin),
            ("redirect_uris", more(&self.redirect_uris, &before.redirect_uris)),
            ("logout_uris", more(&self.logout_uris, &before.logout_uris)),
            ("backchannel_uri", !told.is_empty() && *told != before.backchannel_uri),
        ];
        weaker.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application() -> Application {
        Application {
            id: ApplicationId(1),
            name: "Wiki".into(),
            kind: Kind::OpenId,
            origin: "client".into(),
            secret: Some(vec![1]),
            redirect_uris: vec!["https://wiki.example/back".into()],
            logout_uris: Vec::new(),
            backchannel_uri: String::new(),
            entry: Entry {
                roles: Roles::default().with(Role::Agent),
                max_age: Some(60),
                acr: Acr::Hardware,
            },
            created_at: Timestamp(5),
        }
    }

    #[test]
    fn terms_are_read_as_they_are_written() {
        let wiki = application();
        let other = Application { name: "Other".into(), entry: Entry::default(), ..wiki.clone() };
        assert_eq!(other.with(&wiki.terms()), Some(wiki));
        assert_eq!(other.with(&Terms::new()), None);
    }

    #[test]
    fn less_is_weaker_and_more_is_not() {
        let before = application();
        let strict = Entry { max_age: Some(30), ..before.entry };
        assert!(Application { entry: strict, ..before.clone() }.weaker_than(&before).is_empty());
        let lax = Entry {
            roles: before.entry.roles.with(Role::Responder),
            max_age: None,
            acr: Acr::PhishingResistant,
        };
        let after = Application { entry: lax, ..before.clone() };
        assert_eq!(after.weaker_than(&before), ["roles", "max_age", "acr"]);
        let elsewhere = vec!["https://elsewhere.example/".to_owned()];
        let after = Application { redirect_uris: elsewhere, ..before.clone() };
        assert_eq!(after.weaker_than(&before), ["redirect_uris"]);
    }
}
