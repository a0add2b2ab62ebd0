//! The client's network as it may be recorded: never the whole address.
//!
//! It is found out once, before anything else: the connection's address (the socket's, or what a declared
//! proxy announced when it opened it), or what the declared proxies say in a header
//! ([`warifu_auth::Proxies`]).

use crate::certificates::Peer;
use crate::problem::Problem;
use crate::state::Web;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use warifu_auth::{Malformed, Network, network_of};
use warifu_domain::refusal;

/// Whether a declared proxy brought the request: what it says in `X-Forwarded-…` is then its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxied(pub bool);
/// The whole address of a request, for the rules about declared networks only: it is neither kept nor
/// recorded.
#[derive(Clone, Copy)]
pub struct Client(pub IpAddr);

/// What a proxy may ask for itself.
const HEALTH: &str = "/healthz";

/// Finds out where a request comes from. One whose network cannot be known goes no further.
pub async fn identify(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |c| c.0.ip());
    let proxies = &web.config.proxies;
    let header = proxies.by().header();
    let said = header.into_iter().flat_map(|name| request.headers().get_all(name).iter());
    // A proxy that looks whether this node lives speaks for nobody.
    let silent = header.is_none_or(|name| !request.headers().contains_key(name));
    let own = request.uri().path() == HEALTH && silent;
    let client = match proxies.client(peer, said.map(|value| value.as_bytes())) {
        Ok(client) => client,
        Err(_) if own => peer,
        Err(Malformed(header)) => {
            let what = refusal!(
                "forwarded",
                "the proxy's {header} header does not say which address the request comes from; whoever runs this installation looks at the proxy's configuration",
                header = header
            );
            return Problem::new(StatusCode::BAD_REQUEST, "forwarded").with(what).into_response();
        }
    };
    request.extensions_mut().insert(Proxied(proxies.wrote_headers(peer)));
    let network = network_of(client, web.config.asns.as_deref());
    request.extensions_mut().insert(network);
    request.extensions_mut().insert(Client(client));
    next.run(request).await
}

/// The same for the listener that asks for certificates: what is in front of it cannot write a header of a
/// request, so none is read.
pub async fn identify_peer(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |p| p.address.ip());
    let network = network_of(peer, web.config.asns.as_deref());
    request.extensions_mut().insert(network);
    next.run(request).await
}

/// The network of a request.
pub fn of(extensions: &Extensions) -> String {
    extensions.get::<Network>().map(Network::to_string).unwrap_or_default()
}
