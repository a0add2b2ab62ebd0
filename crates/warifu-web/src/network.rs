//! The client's network as it may be recorded: never the whole address.
//!
//! It is found out once, before anything else: the connection's address (the socket's, or what a declared
//! proxy announced when it opened it), or what the declared proxies say in a header
//! ([`warifu_auth::Proxies`]).

use crate::certificates::Peer;
use crate::problem::Problem;
use crate::state::Web;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, StatusCode};
use std::net::{IpAddr, Ipv4Addr};
use warifu_auth::{Malformed, Network, network_of};
use warifu_domain::refusal;

/// Whether a declared proxy brought the request: what it says in `X-Forwarded-…` is then its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxied(pub bool);
/// The whole address of a request, for the rules about declared networks only: it is neither kept nor
/// recorded.
#[derive(Clone, Copy)]
pub struct Client(pub IpAddr);

/// The connection's address.
pub fn peer(extensions: &Extensions) -> IpAddr {
    extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |p| p.address.ip())
}

/// Where a request comes from.
pub struct Origin {
    pub network: Network,
    pub client: IpAddr,
    pub proxied: bool,
}

impl Origin {
    fn of(web: &Web, peer: IpAddr, client: IpAddr) -> Origin {
        let network = network_of(client, web.config.asns.as_deref());
        Origin { network, client, proxied: web.config.proxies.wrote_headers(peer) }
    }
}

/// Finds out where a request comes from.
///
/// # Errors
/// `forwarded`: its network cannot be known. It goes no further.
pub fn origin(web: &Web, headers: &HeaderMap, peer: IpAddr) -> Result<Origin, Problem> {
    let proxies = &web.config.proxies;
    let header = proxies.by().header();
    let said = header.into_iter().flat_map(|name| headers.get_all(name).iter());
    let client = proxies.client(peer, said.map(|value| value.as_bytes()));
    let client = client.map_err(|Malformed(header)| {
        let what = refusal!(
            "forwarded",
            "the proxy's {header} header does not say which address the request comes from; whoever runs this installation looks at the proxy's configuration",
            header = header
        );
        Problem::new(StatusCode::BAD_REQUEST, "forwarded").with(what)
    })?;
    Ok(Origin::of(web, peer, client))
}

/// What a proxy may ask for itself: whether this node lives.
fn is_own(web: &Web, request: &Request) -> bool {
    let said = web.config.proxies.by().header().is_some_and(|n| request.headers().contains_key(n));
    request.uri().path() == "/healthz" && !said
}

/// Lets the handlers know where a request comes from.
///
/// # Errors
/// As [`origin`].
pub fn identify(web: &Web, request: &mut Request) -> Result<(), Problem> {
    let peer = peer(request.extensions());
    let found = match origin(web, request.headers(), peer) {
        Err(_) if is_own(web, request) => Origin::of(web, peer, peer),
        found => found?,
    };
    let Origin { network, client, proxied } = found;
    request.extensions_mut().insert(Proxied(proxied));
    request.extensions_mut().insert(network);
    request.extensions_mut().insert(Client(client));
    Ok(())
}

/// The same for the listener that asks for certificates: what is in front of it cannot write a header of a
/// request, so none is read.
pub fn identify_peer(web: &Web, request: &mut Request) {
    let network = network_of(peer(request.extensions()), web.config.asns.as_deref());
    request.extensions_mut().insert(network);
}

/// The network of a request.
pub fn of(extensions: &Extensions) -> String {
    extensions.get::<Network>().map(Network::to_string).unwrap_or_default()
}
