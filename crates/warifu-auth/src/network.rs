//! Networks as sessions are bound to them and as the ledger names them: an autonomous system and a
//! prefix, never a whole address.

use ipnetwork::IpNetwork;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a request comes from. As text `AS64496 192.0.2.0/24`, or the prefix alone where the
/// autonomous system is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Number of the autonomous system, where an ASN database knows the address.
    pub asn: Option<u32>,
    /// The /24 of an IPv4 address, the /48 of an IPv6 one; `loopback` for this machine.
    pub prefix: String,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.asn {
            Some(asn) => write!(f, "AS{asn} {}", self.prefix),
            None => f.write_str(&self.prefix),
        }
    }
}

impl Network {
    /// Reads what [`fmt::Display`] wrote.
    pub fn of_text(text: &str) -> Network {
        let (asn, prefix) = parts(text);
        Network { asn, prefix: prefix.to_owned() }
    }
}

/// Number and prefix of a network's text.
fn parts(text: &str) -> (Option<u32>, &str) {
    let split = text.strip_prefix("AS").and_then(|rest| rest.split_once(' '));
    match split.and_then(|(asn, prefix)| Some((asn.parse().ok()?, prefix))) {
        Some((asn, prefix)) => (Some(asn), prefix),
        None => (None, text),
    }
}

/// Whether two networks (as texts) count as one for a session: the same autonomous system where both
/// are known, else the same prefix.
pub fn same_network(a: &str, b: &str) -> bool {
    match (parts(a), parts(b)) {
        ((Some(a), _), (Some(b), _)) => a == b,
        ((_, a), (_, b)) => a == b,
    }
}

/// Whether a text can be a member of a group of networks: `AS64496`, or a prefix such as
/// `203.0.113.0/24` of at least a /16 (IPv4) or a /32 (IPv6).
pub fn is_member(text: &str) -> bool {
    match Member::of_text(text) {
        Some(Member::System(_)) => true,
        Some(Member::Prefix(IpNetwork::V4(v4))) => v4.prefix() >= 16 && v4.network() == v4.ip(),
        Some(Member::Prefix(IpNetwork::V6(v6))) => v6.prefix() >= 32 && v6.network() == v6.ip(),
        None => false,
    }
}

/// Whether both networks (as texts) are in one group.
pub fn one_group(members: &[String], a: &str, b: &str) -> bool {
    let within = |network: &str| {
        members.iter().filter_map(|m| Member::of_text(m)).any(|member| member.has(network))
    };
    within(a) && within(b)
}

/// Whether somebody who was in these networks comes from one that is none of them. Their first is not new:
/// there is nothing to compare it with. A group of the organization's counts as one.
pub fn is_new(before: &[String], group: &[String], network: &str) -> bool {
    let known = |was: &String| same_network(was, network) || one_group(group, was, network);
    !before.is_empty() && !before.iter().any(known)
}

enum Member {
    System(u32),
    Prefix(IpNetwork),
}

impl Member {
    fn of_text(text: &str) -> Option<Member> {
        match text.strip_prefix("AS") {
            Some(number) => number.parse().ok().map(Member::System),
            None if text.contains('/') => text.parse().ok().map(Member::Prefix),
            None => None,
        }
    }

    /// A network is a member when its autonomous system is, or when its whole prefix lies within.
    fn has(&self, network: &str) -> bool {
        let (asn, prefix) = parts(network);
        match self {
            Member::System(number) => asn == Some(*number),
            Member::Prefix(wide) => prefix.parse::<IpNetwork>().is_ok_and(|narrow| {
                wide.prefix() <= narrow.prefix() && wide.contains(narrow.network())
            }),
        }
    }
}

/// The /24 of an IPv4 address, the /48 of an IPv6 one; `loopback` for this machine, whose browsers
/// use both kinds of address in turn.
pub fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        a if a.is_loopback() => "loopback".into(),
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_counts_as_one_and_nothing_beyond_it() {
        let group = ["AS64496".to_owned(), "198.51.100.0/22".to_owned()];
        assert!(one_group(&group, "AS64496 203.0.113.0/24", "198.51.101.0/24"));
        assert!(one_group(&group, "198.51.100.0/24", "AS7 198.51.103.0/24"));
        assert!(!one_group(&group, "AS64496 203.0.113.0/24", "198.51.104.0/24"));
        assert!(!one_group(&group, "AS64497 203.0.113.0/24", "198.51.100.0/24"));
        assert!(!one_group(&group, "loopback", "198.51.100.0/24"));
        assert!(!one_group(&[], "loopback", "loopback"));
        for good in ["AS1", "10.0.0.0/16", "2001:db8::/32"] {
            assert!(is_member(good), "{good}");
        }
        for bad in ["", "AS", "ASx", "0.0.0.0/0", "10.0.0.1/16", "203.0.113.9", "::/0", "loopback"]
        {
            assert!(!is_member(bad), "{bad}");
        }
    }

    #[test]
    fn a_network_is_new_to_whoever_was_elsewhere_only() {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let before = texts(&["AS64496 192.0.2.0/24", "198.51.100.0/24"]);
        let group = texts(&["AS64496", "203.0.113.0/24"]);
        assert!(is_new(&before, &[], "AS64497 192.0.2.0/24"));
        assert!(is_new(&before, &[], "203.0.113.0/24"));
        for known in ["AS64496 2001:db8::/48", "198.51.100.0/24", "AS7 198.51.100.0/24"] {
            assert!(!is_new(&before, &[], known), "{known}");
        }
        assert!(!is_new(&before, &group, "203.0.113.0/24"), "one group");
        assert!(!is_new(&[], &[], "203.0.113.0/24"), "the first");
    }

    #[test]
    fn prefixes() {
        let of = |text: &str| text.parse().map(prefix).unwrap_or_default();
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(of("127.0.0.1"), "loopback");
        assert_eq!(of("::1"), "loopback");
    }

    #[test]
    fn the_autonomous_system_counts_where_both_are_known() {
        for (a, b, same) in [
            ("AS64496 192.0.2.0/24", "AS64496 2001:db8:1::/48", true),
            ("AS64496 192.0.2.0/24", "AS64497 192.0.2.0/24", false),
            ("AS64496 192.0.2.0/24", "192.0.2.0/24", true),
            ("AS64496 192.0.2.0/24", "198.51.100.0/24", false),
            ("192.0.2.0/24", "192.0.2.0/24", true),
            ("192.0.2.0/24", "198.51.100.0/24", false),
            ("loopback", "loopback", true),
            ("ASx 192.0.2.0/24", "ASx 192.0.2.0/24", true),
        ] {
            assert_eq!(same_network(a, b), same, "{a} and {b}");
            assert_eq!(same_network(b, a), same, "{b} and {a}");
        }
    }

    #[test]
    fn text_and_parts_agree() {
        let known = Network { asn: Some(64496), prefix: "192.0.2.0/24".into() };
        assert_eq!(known.to_string(), "AS64496 192.0.2.0/24");
        assert_eq!(parts(&known.to_string()), (Some(64496), "192.0.2.0/24"));
    }
}
