//! Who may enter an application of the company, and what its addresses may be.

use url::{Host, Url};
use warifu_domain::access::Roles;
use warifu_domain::applications::{Acr, Entry};
use warifu_domain::factors::Factor;
use warifu_domain::{Refusal, Timestamp, refusal};

/// Cookie of what somebody has open in an application behind a proxy, on the application's own host.
pub const APPLICATION_COOKIE: &str = "__Host-warifu-application";
/// Cookie that ties a way into an application to the browser that asked for it.
pub const ENTRY_COOKIE: &str = "__Host-warifu-entry";

/// What a sign-in is worth; `None` for one that a look-alike site could have relayed.
pub fn acr(factor: Factor, assurance: u8) -> Option<Acr> {
    if !factor.phishing_resistant() {
        return None;
    }
    match factor {
        Factor::Certificate => Some(Acr::Hardware),
        // A passkey that is not synced is at level 3.
        Factor::Passkey if assurance >= 3 => Some(Acr::Hardware),
        Factor::Passkey => Some(Acr::PhishingResistant),
        // A provider is taken at its word, and says nothing below level 2.
        Factor::Oidc if assurance >= 3 => Some(Acr::Hardware),
        Factor::Oidc if assurance == 2 => Some(Acr::PhishingResistant),
        Factor::Oidc | Factor::Password => None,
    }
}

/// Whether somebody with a session that holds may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Admitted(Acr),
    /// They proved too long ago who they are.
    Stale,
    /// Not with what they signed in with.
    Weak,
    /// None of their roles is enough.
    NoRole,
}

/// Judges somebody by the policy of an application.
pub fn admit(
    entry: &Entry,
    roles: Roles,
    (factor, assurance): (Factor, u8),
    proved_at: Timestamp,
    now: Timestamp,
) -> Admission {
    if !entry.roles.iter().any(|role| roles.has(role)) {
        return Admission::NoRole;
    }
    let Some(acr) = acr(factor, assurance).filter(|acr| *acr >= entry.acr) else {
        return Admission::Weak;
    };
    match entry.max_age {
        Some(limit) if now.0.saturating_sub(proved_at.0) > limit => Admission::Stale,
        _ => Admission::Admitted(acr),
    }
}

/// Where a request to an application goes, as a proxy names it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub scheme: &'a str,
    pub host: &'a str,
}

impl Place<'_> {
    /// Its origin, as browsers write it. A host that is written in any other way, such as with escapes or as
    /// a number, is none: proxies would take it for another one.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let Place { scheme, host } = self;
        if !matches!(*scheme, "http" | "https")
            || host.is_empty()
            || host.contains(['/', '@', ',', '?', '#', '\\'])
        {
            return None;
        }
        let url = Url::parse(&format!("{scheme}://{host}")).ok()?;
        let origin = url.origin().ascii_serialization();
        let written = origin.strip_prefix(scheme)?.strip_prefix("://")?;
        let default = if *scheme == "https" { ":443" } else { ":80" };
        let host = host.to_ascii_lowercase();
        (host.strip_suffix(default).unwrap_or(&host) == written).then_some(origin)
    }

    /// Whether it has this origin of an application.
    #[must_use]
    pub fn is(&self, origin: &str) -> bool {
        // Asked before every request; nearly all name the host as the application's origin does.
        let same = origin.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix("://"));
        same == Some(self.host) || self.origin().as_deref() == Some(origin)
    }
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address of an application: over TLS unless it stays on one machine, and never on this server's own
/// host, whose cookies browsers send to every port and path of it.
fn address(text: &str, own: &Url) -> Result<Url, Refusal> {
    let bad = || {
        refusal!(
            "application-address",
            "{address} is no address that an application can have: https, a host, nothing of a name or a password, no fragment",
            address = text
        )
    };
    let url = Url::parse(text).map_err(|_| bad())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let safe = url.scheme() == "https" || url.scheme() == "http" && loopback(&url);
    if !plain || !safe || url.host().is_none() || text.len() > 500 || text.contains('*') {
        return Err(bad());
    }
    if url.host() == own.host() {
        return Err(refusal!(
            "application-own-host",
            "{address} is on this server's own host; its cookies would reach the application",
            address = text
        ));
    }
    Ok(url)
}

/// The origin of an application behind a proxy, as browsers write it.
///
/// # Errors
/// Words for whoever declares it.
pub fn application_origin(text: &str, own: &Url) -> Result<String, Refusal> {
    let url = address(text.trim(), own)?;
    if url.path() != "/" || url.query().is_some() {
        return Err(refusal!(
            "application-origin",
            "{address} has a path; only scheme, host and port stand here",
            address = text
        ));
    }
    Ok(url.origin().ascii_serialization())
}

/// Addresses of a client, separated by blanks, as they were written: they are compared byte by byte.
///
/// # Errors
/// Words for whoever declares them.
pub fn client_addresses(text: &str, own: &Url) -> Result<Vec<String>, Refusal> {
    let each = text.split_whitespace();
    each.map(|uri| address(uri, own).map(|_| uri.to_owned())).collect()
}

/// A text as a header's value: what is not printable ASCII, and `%`, as percent-encoded UTF-8.
pub fn header_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use warifu_domain::access::Role;
    use warifu_domain::time::MINUTE;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn own() -> Url {
        Url::parse("https://support.example.com").unwrap()
    }

    #[test]
    fn only_phishing_resistant_factors_have_an_acr() {
        assert_eq!(acr(Factor::Password, 3), None);
        assert_eq!(acr(Factor::Passkey, 2), Some(Acr::PhishingResistant));
        assert_eq!(acr(Factor::Passkey, 3), Some(Acr::Hardware));
        assert_eq!(acr(Factor::Certificate, 2), Some(Acr::Hardware));
        assert_eq!(acr(Factor::Oidc, 3), Some(Acr::Hardware));
        assert_eq!(acr(Factor::Oidc, 2), Some(Acr::PhishingResistant));
        assert_eq!(acr(Factor::Oidc, 1), None, "a provider that did not say how");
    }

    #[test]
    fn all_of_a_policy_has_to_be_met() {
        let agent = Roles::default().with(Role::Agent);
        let entry = Entry { roles: agent, max_age: Some(5 * MINUTE), acr: Acr::Hardware };
        let of = |roles, factor, age: i64| admit(&entry, roles, factor, NOW.plus(-age), NOW);
        let key = (Factor::Passkey, 3);
        assert_eq!(of(agent, key, 5 * MINUTE), Admission::Admitted(Acr::Hardware));
        assert_eq!(of(agent, key, 5 * MINUTE + 1), Admission::Stale);
        assert_eq!(of(agent, (Factor::Passkey, 2), 0), Admission::Weak);
        assert_eq!(of(agent, (Factor::Password, 3), 0), Admission::Weak);
        assert_eq!(of(Roles::default(), key, 0), Admission::NoRole);
        assert_eq!(of(Roles::default().with(Role::Administrator), key, 0), Admission::NoRole);
        let nobody = Entry::default();
        assert_eq!(admit(&nobody, agent, key, NOW, NOW), Admission::NoRole);
    }

    #[test]
    fn an_application_has_a_host_of_its_own() {
        let of = |text| application_origin(text, &own());
        assert_eq!(of("https://App.example.com").as_deref(), Ok("https://app.example.com"));
        assert_eq!(of("https://app.example.com:443/").as_deref(), Ok("https://app.example.com"));
        assert_eq!(of("http://127.0.0.1:81").as_deref(), Ok("http://127.0.0.1:81"));
        for bad in [
            "",
            "app.example.com",
            "http://app.example.com",
            "https://support.example.com:8443",
            "ftp://x.example",
            "https://a:b@x.example",
            "https://x.example/path",
            "https://x.example?q",
            "https://*.example",
            "javascript:alert(1)",
            "https://x.example#f",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_proxy_names_is_one_host() {
        let of = |scheme, host| Place { scheme, host }.origin();
        assert_eq!(of("https", "App.example.com").as_deref(), Some("https://app.example.com"));
        assert_eq!(of("https", "app.example.com:443").as_deref(), Some("https://app.example.com"));
        assert_eq!(of("http", "[::1]:80").as_deref(), Some("http://[::1]"));
        for (scheme, host) in [
            ("https", ""),
            ("https", "a, b"),
            ("https", "a/b"),
            ("https", "u@a"),
            ("ws", "a"),
            ("https", "a\\b"),
            ("https", "a?b"),
            ("https", "a#b"),
            // Another proxy would take these for another host.
            ("https", "app%2eexample.com"),
            ("https", "2130706433"),
            ("https", "0x7f.1"),
            ("https", "a\tb"),
            ("https,http", "a"),
        ] {
            assert_eq!(of(scheme, host), None, "{scheme} {host}");
        }
    }

    proptest! {
        #[test]
        fn hosts_of_any_kind_make_an_origin_or_none(scheme in "https?|.{0,6}", host in ".{0,40}") {
            let place = Place { scheme: &scheme, host: &host };
            if let Some(origin) = place.origin() {
                prop_assert!(place.is(&origin));
                // What is written as the origin is needs no reading, and reads the same.
                let (scheme, host) = origin.split_once("://").unwrap();
                let same = Place { scheme, host };
                prop_assert!(same.is(&origin));
                prop_assert_eq!(same.origin(), Some(origin));
            } else {
                prop_assert!(!place.is("https://app.example.com"));
            }
        }

        #[test]
        fn every_text_can_be_a_header(text in ".{0,40}") {
            let shown = header_text(&text);
            prop_assert!(shown.bytes().all(|b| (b' '..=b'~').contains(&b)));
        }

        #[test]
        fn addresses_of_any_kind_do_no_harm(text in "\\PC{0,60}") {
            let _ = client_addresses(&text, &own());
        }
    }
}
