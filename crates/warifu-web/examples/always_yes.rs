//! A server that lets everybody in: what a check costs is what it takes beyond this.
//! `always_yes PORT`; see bench/forward-auth.

use axum::Router;
use axum::http::StatusCode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("which port?")?.parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let yes = || async { (StatusCode::NO_CONTENT, [("remote-user", "1")]) };
    axum::serve(listener, Router::new().fallback(yes)).await?;
    Ok(())
}
