//! Sign-in and where it leads.

use crate::session::{SignedIn, home};
use axum::response::Redirect;

/// `GET /`: to where the person begins.
pub async fn start(signed_in: SignedIn) -> Redirect {
    Redirect::to(home(signed_in.actor().roles))
}
