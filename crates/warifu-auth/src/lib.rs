//! Sign-in without HTTP and without SQL: passkeys, tokens, throttling, and the rules by which a
//! session holds.

mod asn;
pub mod breached;
mod client;
mod network;
pub mod oidc;
mod passkeys;
pub mod password;
mod seal;
mod session;
mod throttle;
mod token;
pub mod totp;

pub use asn::{AsnError, Asns, network_of};
pub use client::{ForwardedBy, Malformed, Proxies};
pub use ipnetwork::IpNetwork;
pub use network::{Network, prefix, same_network};
pub use passkeys::{
    Begun, NewPasskey, PasskeyError, Passkeys, Presented, Proven, credential_id, is_synced,
};
pub use seal::{open_sealed, seal};
pub use session::{SESSION_COOKIE, SessionPolicy, SessionTimes, Verdict, judge};
pub use throttle::Throttle;
pub use token::{Token, TokenHash, digest, equal};
