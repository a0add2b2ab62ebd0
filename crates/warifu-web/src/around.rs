//! What stands around every route: where a request comes from, a body for every error, the headers of every
//! answer. One layer, because each costs every request a little.

use crate::i18n::Lang;
use crate::lang::{self, Taste};
use crate::problem::wants_json;
use crate::state::Web;
use crate::{headers, network, problem};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What of a request its answer depends on, whatever the handler does with it.
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub taste: Taste,
    /// Whether a program asks.
    pub json: bool,
    /// The language that the address asks for.
    lang: Option<Lang>,
}

impl Asked {
    pub fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Asked {
        Asked {
            method: method.clone(),
            path: uri.path().to_owned(),
            taste: Taste::of(uri.query(), headers),
            json: wants_json(uri.path(), headers),
            lang: lang::asked(uri.query()),
        }
    }

    /// The answer as it leaves.
    pub async fn answer(&self, web: &Web, response: impl IntoResponse) -> Response {
        let mut response = problem::render(web, self, response.into_response()).await;
        headers::secure(web, self.lang, response.headers_mut());
        response
    }
}

/// Around the routes of the main listener. A request whose network cannot be known reaches none.
pub async fn around(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(request.method(), request.uri(), request.headers());
    match network::identify(&web, &mut request) {
        Ok(()) => asked.answer(&web, next.run(request).await).await,
        Err(problem) => asked.answer(&web, problem).await,
    }
}

/// Around those of the listener for certificates.
pub async fn around_certificates(
    State(web): State<Web>,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = Asked::of(request.method(), request.uri(), request.headers());
    network::identify_peer(&web, &mut request);
    asked.answer(&web, next.run(request).await).await
}
