//! One's own account and session.

pub mod notices;
pub mod passkeys;
pub mod password;
pub mod recovery;
pub mod sessions;

use crate::csrf::Form;
use crate::lang::local;
use crate::session::SignedIn;
use axum::response::Redirect;
use serde::Deserialize;

/// Body of `POST /session/stay`.
#[derive(Deserialize)]
pub struct Stay {
    #[serde(default)]
    back: String,
}

/// `POST /session/stay`: "I am still here". Asking is what extends the session.
pub async fn stay(_: SignedIn, form: Form<Stay>) -> Redirect {
    Redirect::to(local(&form.back))
}
