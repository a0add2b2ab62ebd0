//! Requests to identity providers. How they leave the server is a parameter; where to is a rule: to the
//! hosts that the connection declares and to no others.

use std::fmt;
use std::sync::Arc;
use url::Url;
use warifu_auth::oidc::{Fetch, FetchError, is_declared};

/// How requests leave the server.
#[derive(Clone)]
pub struct Outbound(Arc<Fetch>);

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

/// Nothing leaves.
impl Default for Outbound {
    fn default() -> Self {
        let closed = || FetchError("nothing here connects to other servers".into());
        Outbound(Arc::new(move |_| {
            let why = closed();
            Box::pin(async move { Err(why) })
        }))
    }
}

impl Outbound {
    pub fn new(send: Arc<Fetch>) -> Outbound {
        Outbound(send)
    }

    /// What sends requests to these hosts.
    pub(super) fn to(&self, hosts: Vec<String>) -> Arc<Fetch> {
        let send = self.0.clone();
        Arc::new(move |request| {
            let url = Url::parse(&request.uri().to_string());
            match url.is_ok_and(|url| is_declared(&url, &hosts)) {
                true => send(request),
                false => {
                    let host = request.uri().host().unwrap_or_default();
                    let why = FetchError(format!("{host} is not declared"));
                    Box::pin(async move { Err(why) })
                }
            }
        })
    }
}
