//! Sign-in without HTTP and without SQL: passkeys, tokens, throttling, and the rules by which a
//! session holds.

pub mod applications;
mod asn;
pub mod breached;
mod certificates;
mod client;
mod device;
mod network;
pub mod oidc;
pub mod openid;
mod passkeys;
pub mod password;
mod proxy_header;
mod seal;
mod service;
mod session;
mod throttle;
mod token;
pub mod totp;

pub use asn::{AsnError, Asns, network_of};
pub use certificates::{
    CertificateError, CertificateFault, Certificates, HeldCertificate, PolicyOid, PolicyOidError,
    Trust,
};
pub use client::{ForwardedBy, Malformed, Proxies};
pub use device::{
    Binding, DEVICE_COOKIE, DeviceKey, ProofError, Request as ProvenRequest, device_cookie_holds,
    read_refresh, read_registration, read_request,
};
pub use ipnetwork::IpNetwork;
pub use network::{Network, is_member, is_new, one_group, prefix, same_network};
pub use passkeys::{
    Begun, NewPasskey, PasskeyError, Passkeys, Presented, Proven, credential_id, is_synced,
};
pub use proxy_header::{Announced, OPENING, Opening, ProxyHeaderError};
pub use seal::{open_sealed, seal};
pub use service::{
    Assertion, DeclaredNetworks, DpopProof, KeyError, NetworksError, Request as ServiceRequest,
    ServiceFault, ServiceKey, claimed_client, verify_assertion, verify_dpop,
};
pub use session::{SESSION_COOKIE, SessionPolicy, SessionTimes, Verdict, judge};
pub use throttle::Throttle;
pub use token::{Token, TokenHash, digest, equal};
