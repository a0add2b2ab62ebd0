//! Sign-in without HTTP and without SQL: passkeys, tokens, throttling, and the rules by which a
//! session holds.

mod asn;
mod certificates;
mod client;
mod network;
mod passkeys;
mod service;
mod session;
mod throttle;
mod token;

pub use asn::{AsnError, Asns, network_of};
pub use certificates::{CertificateError, CertificateFault, Certificates, HeldCertificate, Trust};
pub use client::{ForwardedBy, Malformed, Proxies};
pub use ipnetwork::IpNetwork;
pub use network::{Network, prefix, same_network};
pub use passkeys::{
    Begun, NewPasskey, PasskeyError, Passkeys, Presented, Proven, credential_id, is_synced,
};
pub use service::{
    Assertion, DeclaredNetworks, DpopProof, KeyError, NetworksError, Request as ServiceRequest,
    ServiceFault, ServiceKey, claimed_client, verify_assertion, verify_dpop,
};
pub use session::{SESSION_COOKIE, SessionPolicy, SessionTimes, Verdict, judge};
pub use throttle::Throttle;
pub use token::{Token, TokenHash, digest, equal};
