//! A server that lets everybody in: what a check costs is what it takes beyond this.
//! `always_yes PORT [NAME=VALUE ...]`: the headers of its answer, else `remote-user=1`; see bench/forward-auth.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().ok_or("which port?")?.parse()?;
    let mut headers = HeaderMap::new();
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or("NAME=VALUE")?;
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    if headers.is_empty() {
        headers.insert("remote-user", HeaderValue::from_static("1"));
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let yes = move || std::future::ready((StatusCode::NO_CONTENT, headers.clone()));
    axum::serve(listener, Router::new().fallback(yes)).await?;
    Ok(())
}
