//! How sure a sign-in is: what an identity provider says about it, and who may sign in with less.

use crate::access::Roles;
use crate::factors::Factor;
use serde::{Deserialize, Serialize};

/// What an organization lets its users do beyond what everybody may. Nobody with a role is one of
/// them. The default allows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationAccess {
    /// A password with a time-based code.
    pub passwords: bool,
    /// A provider that does not say how it knew the person.
    pub weaker_providers: bool,
}

impl OrganizationAccess {
    /// Whether it allows anything that another does not.
    pub fn exceeds(self, other: OrganizationAccess) -> bool {
        (self.passwords && !other.passwords) || (self.weaker_providers && !other.weaker_providers)
    }
}

/// The assurance level of a provider's statement that no look-alike site could have relayed what
/// somebody signed in with: 3 where it speaks of hardware, else 2. `None` where it does not say so.
///
/// By `acr`: `phr` and `phrh` of OpenID Connect Extended Authentication Profile ACR Values 1.0,
/// section 3. By `amr` (RFC 8176, section 2): `pop`, the proof that somebody holds a key; or `hwk`,
/// that a piece of hardware holds it, together with `user`, that somebody was there and touched it.
/// `hwk` alone is also said of one-time code generators.
pub fn phishing_resistant<S: AsRef<str>>(acr: Option<&str>, amr: &[S]) -> Option<u8> {
    let did = |method: &str| amr.iter().any(|m| m.as_ref() == method);
    match acr {
        Some("phrh") => Some(3),
        Some("phr") => Some(2),
        _ if did("pop") || did("hwk") && did("user") => Some(2),
        _ => None,
    }
}

/// The assurance level of a session that a provider's statement opens for somebody with these roles;
/// `None` opens none. Less than phishing-resistant is for an organization's users only, where it is
/// allowed, and counts as level 1.
pub fn by_provider<S: AsRef<str>>(
    acr: Option<&str>,
    amr: &[S],
    roles: Roles,
    allowed: OrganizationAccess,
) -> Option<u8> {
    let weaker = roles.is_empty() && allowed.weaker_providers;
    phishing_resistant(acr, amr).or_else(|| weaker.then_some(1))
}

/// Whether somebody may sign in with a password and a code: a customer's user without any role,
/// where the organization allows it.
pub fn may_use_password(roles: Roles, of_vendor: bool, allowed: OrganizationAccess) -> bool {
    !of_vendor && roles.is_empty() && allowed.passwords
}

/// Whether what opened a session is enough for whoever has a role.
pub fn enough_for_a_role(factor: Factor, assurance: u8) -> bool {
    factor.phishing_resistant() && !(factor == Factor::Oidc && assurance < 2)
}

/// Whether what opened a session is still enough for its owner: an organization may have chosen against
/// it, or a feature's stage have come, since then.
pub fn still_enough(
    factor: Factor,
    assurance: u8,
    roles: Roles,
    allowed: OrganizationAccess,
) -> bool {
    let allowed = match factor {
        Factor::Password => allowed.passwords,
        Factor::Oidc => allowed.weaker_providers,
        Factor::Passkey | Factor::Certificate => false,
    };
    enough_for_a_role(factor, assurance) || roles.is_empty() && allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use proptest::prelude::*;

    const ALL: OrganizationAccess = OrganizationAccess { passwords: true, weaker_providers: true };
    const NOTHING: &[&str] = &[];

    #[test]
    fn only_what_says_so_is_phishing_resistant() {
        assert_eq!(phishing_resistant(Some("phrh"), NOTHING), Some(3));
        assert_eq!(phishing_resistant(Some("phr"), NOTHING), Some(2));
        assert_eq!(phishing_resistant(None, &["hwk", "user"]), Some(2));
        assert_eq!(phishing_resistant(Some("urn:x"), &["user", "pin", "hwk"]), Some(2));
        assert_eq!(phishing_resistant(None, &["pop"]), Some(2));
        for acr in
            [None, Some(""), Some("PHR"), Some("phr phrh"), Some("phr "), Some("phrhx"), Some("1")]
        {
            assert_eq!(phishing_resistant(acr, &["pwd", "otp", "mfa", "hwk"]), None, "{acr:?}");
        }
        assert_eq!(phishing_resistant(None, &["user", "mfa", "sms"]), None);
    }

    #[test]
    fn passwords_are_for_customers_without_roles_where_it_is_allowed() {
        let nobody = Roles::default();
        assert!(may_use_password(nobody, false, ALL));
        assert!(!may_use_password(nobody, true, ALL));
        assert!(!may_use_password(nobody, false, OrganizationAccess::default()));
        for role in Role::ALL {
            assert!(!may_use_password(nobody.with(role), false, ALL), "{role:?}");
        }
    }

    proptest! {
        #[test]
        fn nobody_with_a_role_gets_in_by_less(
            acr in proptest::option::of("[a-z]{0,5}"),
            amr in proptest::collection::vec("[a-z]{0,5}", 0..4),
            role in 0..Role::ALL.len(),
        ) {
            let role = Roles::default().with(Role::ALL[role]);
            let level = by_provider(acr.as_deref(), &amr, role, ALL);
            prop_assert_eq!(level, phishing_resistant(acr.as_deref(), &amr));
            prop_assert!(level.is_none_or(|level| enough_for_a_role(Factor::Oidc, level)));
            let user = by_provider(acr.as_deref(), &amr, Roles::default(), ALL);
            prop_assert!(user.is_some());
            let strict = by_provider(acr.as_deref(), &amr, Roles::default(), OrganizationAccess::default());
            prop_assert_eq!(strict, level);
        }
    }

    #[test]
    fn a_session_goes_on_while_what_opened_it_is_allowed() {
        let (nobody, nothing) = (Roles::default(), OrganizationAccess::default());
        let admin = nobody.with(Role::OrganizationAdministrator);
        for (factor, assurance) in [(Factor::Password, 2), (Factor::Oidc, 1)] {
            assert!(still_enough(factor, assurance, nobody, ALL), "{factor:?}");
            assert!(!still_enough(factor, assurance, nobody, nothing), "{factor:?}");
            assert!(!still_enough(factor, assurance, admin, ALL), "{factor:?}");
        }
        let passwords = OrganizationAccess { passwords: true, weaker_providers: false };
        assert!(!still_enough(Factor::Oidc, 1, nobody, passwords), "one is not the other");
        for (factor, assurance) in
            [(Factor::Passkey, 2), (Factor::Certificate, 3), (Factor::Oidc, 2)]
        {
            assert!(still_enough(factor, assurance, admin, nothing), "{factor:?}");
        }
    }

    #[test]
    fn a_role_needs_more_than_a_password() {
        assert!(!enough_for_a_role(Factor::Password, 2));
        assert!(!enough_for_a_role(Factor::Oidc, 1));
        assert!(enough_for_a_role(Factor::Oidc, 2));
        assert!(enough_for_a_role(Factor::Passkey, 2) && enough_for_a_role(Factor::Certificate, 3));
    }
}
