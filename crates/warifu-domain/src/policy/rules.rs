//! What can be set for a scope, and which change of it is a weakening.

use super::{LONGEST_IDLE, LONGEST_LIFETIME, SHORTEST};
use crate::time::{HOUR, MINUTE};
use crate::{Refusal, refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What happens when a session is used from another network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkRule {
    /// It is written down.
    Record,
    /// The session ends everywhere; its owner proves who they are and goes on.
    End,
}

impl NetworkRule {
    pub fn key(self) -> &'static str {
        match self {
            NetworkRule::Record => "record",
            NetworkRule::End => "end",
        }
    }

    pub fn from_key(key: &str) -> Option<NetworkRule> {
        [NetworkRule::Record, NetworkRule::End].into_iter().find(|r| r.key() == key)
    }
}

/// Whether a session works only with the key of the device that it was opened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceRule {
    Off,
    /// Where the browser can hold a key.
    Where,
    /// A browser that can hold none gets no session.
    Required,
}

impl DeviceRule {
    pub fn key(self) -> &'static str {
        match self {
            DeviceRule::Off => "off",
            DeviceRule::Where => "where",
            DeviceRule::Required => "required",
        }
    }

    pub fn from_key(key: &str) -> Option<DeviceRule> {
        let all = [DeviceRule::Off, DeviceRule::Where, DeviceRule::Required];
        all.into_iter().find(|r| r.key() == key)
    }
}

/// What a scope sets; `None` is left to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Microseconds until a session is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<i64>,
    /// Microseconds without use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceRule>,
    /// Whether a passkey may be one that is copied between devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced: Option<bool>,
    /// Whether a new authenticator has to prove its make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<bool>,
    /// Makes that are allowed: AAGUIDs in their text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticators: Option<BTreeSet<String>>,
}

/// Most makes that one scope may list.
const MAKES: usize = 500;

impl Rules {
    pub fn lifetime(&self) -> i64 {
        self.lifetime.unwrap_or(12 * HOUR)
    }

    pub fn idle(&self) -> i64 {
        self.idle.unwrap_or(15 * MINUTE)
    }

    pub fn network(&self) -> NetworkRule {
        self.network.unwrap_or(NetworkRule::End)
    }

    pub fn device(&self) -> DeviceRule {
        self.device.unwrap_or(DeviceRule::Where)
    }

    pub fn synced(&self) -> bool {
        self.synced.unwrap_or(true)
    }

    pub fn attestation(&self) -> bool {
        self.attestation.unwrap_or(false)
    }

    /// Both together: of what both set, the stricter.
    pub fn strictest(&self, other: &Rules) -> Rules {
        let authenticators = match (&self.authenticators, &other.authenticators) {
            (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Rules { authenticators, ..self.strictest_but_makes(other) }
    }

    /// The same without the makes, which may be many: it copies nothing.
    pub(super) fn strictest_but_makes(&self, other: &Rules) -> Rules {
        Rules {
            lifetime: both(self.lifetime, other.lifetime, i64::min),
            idle: both(self.idle, other.idle, i64::min),
            network: both(self.network, other.network, NetworkRule::max),
            device: both(self.device, other.device, DeviceRule::max),
            synced: both(self.synced, other.synced, |a, b| a && b),
            attestation: both(self.attestation, other.attestation, |a, b| a || b),
            authenticators: None,
        }
    }

    /// Which settings are weaker than they were, by name. Taking a setting away counts as what it
    /// falls back to; a list of makes that loses nothing but gains one is weaker too.
    pub fn weaker_than(&self, before: &Rules) -> Vec<&'static str> {
        let makes = match (&before.authenticators, &self.authenticators) {
            (Some(before), Some(after)) => !after.is_subset(before),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let all = [
            ("lifetime", self.lifetime() > before.lifetime()),
            ("idle", self.idle() > before.idle()),
            ("network", self.network() < before.network()),
            ("device", self.device() < before.device()),
            ("synced", self.synced() && !before.synced()),
            ("attestation", !self.attestation() && before.attestation()),
            ("authenticators", makes),
        ];
        all.into_iter().filter_map(|(name, weaker)| weaker.then_some(name)).collect()
    }

    /// # Errors
    /// The first setting beyond its limits, by the name of its field.
    pub fn check(&self) -> Result<(), (&'static str, Refusal)> {
        let between = |value: Option<i64>, longest: i64| {
            value.is_none_or(|v| (SHORTEST..=longest).contains(&v))
        };
        if !between(self.lifetime, LONGEST_LIFETIME) {
            return Err(("lifetime", refusal!("policy-lifetime", "1 minute to 24 hours")));
        }
        if !between(self.idle, LONGEST_IDLE) {
            return Err(("idle", refusal!("policy-idle", "1 minute to 2 hours")));
        }
        if self.idle.is_some_and(|idle| idle > self.lifetime()) {
            let why = refusal!("policy-idle-longer", "not longer than the session itself");
            return Err(("idle", why));
        }
        // It would let nobody in, whoever comes after a breach of glass included.
        if self.authenticators.as_ref().is_some_and(BTreeSet::is_empty) {
            let why = refusal!("policy-makes-none", "name a make, or take the list away");
            return Err(("authenticators", why));
        }
        let makes = self.authenticators.iter().flatten();
        if let Some(wrong) = makes.clone().find(|make| !is_aaguid(make)) {
            let why = refusal!("policy-aaguid", "{text} is no AAGUID", text = wrong.as_str());
            return Err(("authenticators", why));
        }
        if makes.count() > MAKES {
            let why = refusal!("policy-aaguids", "at most {limit} makes", limit = MAKES as i64);
            return Err(("authenticators", why));
        }
        // Without a list there is no make to prove.
        if self.attestation == Some(true) && self.authenticators.is_none() {
            let why = refusal!("policy-attestation", "list the makes that are allowed");
            return Err(("attestation", why));
        }
        Ok(())
    }
}

fn both<T: Copy>(a: Option<T>, b: Option<T>, stricter: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(stricter(a, b)),
        (a, b) => a.or(b),
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, lower case.
fn is_aaguid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match dashes.contains(&i) {
            true => b == b'-',
            false => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> impl Strategy<Value = Rules> {
        let time = || proptest::option::of(SHORTEST..=LONGEST_IDLE);
        let flag = || proptest::option::of(any::<bool>());
        let network =
            proptest::option::of(prop_oneof![Just(NetworkRule::Record), Just(NetworkRule::End)]);
        let device = proptest::option::of(prop_oneof![
            Just(DeviceRule::Off),
            Just(DeviceRule::Where),
            Just(DeviceRule::Required)
        ]);
        let makes = proptest::option::of(proptest::collection::btree_set("[abc]", 0..3));
        (time(), time(), network, device, flag(), flag(), makes).prop_map(
            |(lifetime, idle, network, device, synced, attestation, authenticators)| Rules {
                lifetime,
                idle,
                network,
                device,
                synced,
                attestation,
                authenticators,
            },
        )
    }

    proptest! {
        #[test]
        fn a_further_setting_of_what_is_set_never_weakens(a in rules(), b in rules()) {
            let together = a.strictest(&b);
            // What only the other sets replaces a default; it is the setting of a scope, and judged there.
            let set = Rules {
                lifetime: a.lifetime.and(together.lifetime), idle: a.idle.and(together.idle),
                network: a.network.and(together.network), device: a.device.and(together.device),
                synced: a.synced.and(together.synced), attestation: a.attestation.and(together.attestation),
                authenticators: a.authenticators.as_ref().and(together.authenticators.clone()),
            };
            prop_assert_eq!(set.weaker_than(&a), Vec::<&str>::new());
        }

        #[test]
        fn the_order_of_scopes_is_no_matter(a in rules(), b in rules(), c in rules()) {
            prop_assert_eq!(a.strictest(&b), b.strictest(&a));
            prop_assert_eq!(a.strictest(&b).strictest(&c), a.strictest(&b.strictest(&c)));
        }

        #[test]
        fn what_is_written_is_read(a in rules()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), a);
        }

        #[test]
        fn nothing_is_weaker_than_itself(a in rules()) {
            prop_assert!(a.weaker_than(&a).is_empty());
        }
    }

    #[test]
    fn limits() {
        let idle = |minutes: i64| Rules { idle: Some(minutes * MINUTE), ..Rules::default() };
        assert!(idle(1).check().is_ok() && idle(120).check().is_ok());
        assert!(idle(0).check().is_err() && idle(121).check().is_err());
        let short =
            Rules { lifetime: Some(10 * MINUTE), idle: Some(11 * MINUTE), ..Rules::default() };
        assert_eq!(short.check().map_err(|(field, _)| field), Err("idle"));
        let make = |text: &str| Rules {
            authenticators: Some([text.to_owned()].into()),
            ..Rules::default()
        };
        assert!(make("ee882879-721c-4913-9775-3dfcce97072a").check().is_ok());
        for wrong in
            ["", "EE882879-721c-4913-9775-3dfcce97072a", "ee882879-721c-4913-9775-3dfcce97072"]
        {
            assert!(make(wrong).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn weakening_is_seen() {
        let strict = Rules { idle: Some(5 * MINUTE), synced: Some(false), ..Rules::default() };
        assert_eq!(Rules::default().weaker_than(&strict), ["idle", "synced"]);
        assert!(strict.weaker_than(&Rules::default()).is_empty());
        let one = Rules { authenticators: Some(["a".to_owned()].into()), ..Rules::default() };
        let two = Rules {
            authenticators: Some(["a".to_owned(), "b".to_owned()].into()),
            ..Rules::default()
        };
        assert_eq!(two.weaker_than(&one), ["authenticators"]);
        assert_eq!(Rules::default().weaker_than(&one), ["authenticators"]);
        assert!(one.weaker_than(&two).is_empty());
    }
}
