//! What a connection of the main listener reaches first. Forward-auth is asked before every request to every
//! application, and nearly always about somebody who was asked about a moment ago: they go on at once, without
//! what stands around the routes. Everything else goes there.

use crate::applications::verify;
use crate::certificates::Peer;
use crate::state::Web;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::AddExtension;
use axum::response::Response;
use axum::{Extension, Router};
use futures_util::future::Either;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use tower::{Layer as _, Service};

/// The server, as one connection reaches it.
#[derive(Clone)]
pub struct Front {
    web: Web,
    peer: IpAddr,
    routes: AddExtension<Router, Peer>,
}

/// What makes one for each connection.
pub fn fronts(web: Web) -> impl Fn(Peer) -> Front + Clone + Send + 'static {
    let routes = crate::router(web.clone());
    move |peer| Front {
        web: web.clone(),
        peer: peer.address.ip(),
        routes: Extension(peer).layer(routes.clone()),
    }
}

impl Front {
    fn at_once(&self, request: &Request) -> Option<Response> {
        let asked = request.method() == Method::GET && request.uri().path() == verify::PATH;
        let answer = || verify::at_once(&self.web, request.uri(), request.headers(), self.peer);
        // What breaks here is tried again behind the route, where it is answered with a reference.
        asked.then(|| catch_unwind(AssertUnwindSafe(answer)).ok().flatten()).flatten()
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<
        Ready<Result<Response, Infallible>>,
        <AddExtension<Router, Peer> as Service<Request>>::Future,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.at_once(&request) {
            Some(answer) => Either::Left(ready(Ok(answer))),
            None => Either::Right(self.routes.call(request)),
        }
    }
}
