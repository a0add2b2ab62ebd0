//! `warifu enrol`: the first way in, on the server's console.

use super::installation::Installation;
use super::{CliError, serve};
use clap::Args;
use warifu_domain::access::Role;

#[derive(Args)]
pub struct Enrol {
    #[command(flatten)]
    installation: Installation,
    /// Whose passkey; an unknown address with a staff role becomes a new colleague
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Full name of a new colleague
    #[arg(long, value_name = "NAME")]
    full_name: Option<String>,
    /// Role to grant: agent, administrator, super_administrator, responder, organization_administrator
    #[arg(long = "role", value_name = "ROLE", value_parser = role)]
    roles: Vec<Role>,
    /// How browsers reach the server; without it, as the server last said
    #[arg(long, env = "WARIFU_ORIGIN", value_name = "URL")]
    origin: Option<String>,
}

fn role(text: &str) -> Result<Role, String> {
    let keys = Role::ALL.map(Role::key).join(", ");
    Role::from_key(&text.replace('-', "_")).ok_or(format!("one of {keys}"))
}

impl Enrol {
    pub async fn run(self) -> Result<(), CliError> {
        let app = self.installation.open().await?;
        let origin = match self.origin {
            Some(origin) => origin,
            None => app.origin().await?.unwrap_or("http://localhost:8080".into()),
        };
        let origin = serve::config(&origin)?.origin_text();
        let name = self.full_name.as_deref();
        let invitation = app.invite_on_console(&self.email, name, &self.roles).await?;
        app.db.close().await;
        serve::say(&format!("{origin}/enrol/{}", invitation.token.text()))
    }
}
