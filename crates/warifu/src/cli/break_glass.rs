//! `warifu break-glass`: the sealed code, on the server's console only.

use super::installation::Installation;
use super::{CliError, serve};
use clap::{Args, Subcommand};
use std::io::BufRead;

#[derive(Subcommand)]
pub enum BreakGlass {
    /// Make a new sealed code and print it, once; put it on paper into a safe. One that was made before
    /// is good for nothing then
    Seal(Seal),
    /// Use the sealed code, which is read from standard input: a one-time link for a super
    /// administrator. Their sessions end, and all super administrators are told
    Open(Open),
}

#[derive(Args)]
pub struct Seal {
    #[command(flatten)]
    installation: Installation,
}

#[derive(Args)]
pub struct Open {
    #[command(flatten)]
    installation: Installation,
    /// The super administrator
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// How browsers reach the server; without it, as the server last said
    #[arg(long, env = "WARIFU_ORIGIN", value_name = "URL")]
    origin: Option<String>,
}

/// Longest line that is read as a code, in bytes.
const LINE: u64 = 200;

impl BreakGlass {
    pub async fn run(self) -> Result<(), CliError> {
        match self {
            BreakGlass::Seal(seal) => seal.run().await,
            BreakGlass::Open(open) => open.run().await,
        }
    }
}

impl Installation {
    /// What is there already: this command makes no installation by mistake.
    fn there(&self) -> Result<(), CliError> {
        match self.data.join("warifu.key").exists() {
            true => Ok(()),
            false => {
                let folder = self.data.display();
                Err(CliError::Said(format!(
                    "{folder} holds no installation; say where it is with --data"
                )))
            }
        }
    }
}

impl Seal {
    async fn run(self) -> Result<(), CliError> {
        self.installation.there()?;
        let app = self.installation.open().await?;
        let code = app.seal().await?;
        app.db.close().await;
        serve::say(&code)
    }
}

impl Open {
    async fn run(self) -> Result<(), CliError> {
        self.installation.there()?;
        // Not as an argument: others on the machine would see it in the list of processes.
        let mut code = String::new();
        let mut input = std::io::Read::take(std::io::stdin().lock(), LINE);
        input.read_line(&mut code).map_err(CliError::io("standard input"))?;
        let code = code.trim();
        if code.is_empty() {
            return Err(CliError::Said(
                "the sealed code is read from standard input; there was none".into(),
            ));
        }
        let app = self.installation.open().await?;
        let origin = match self.origin {
            Some(origin) => origin,
            None => app.origin().await?.unwrap_or("http://localhost:8080".into()),
        };
        let origin = serve::config(&origin)?.origin_text();
        let invitation = app.break_glass(&self.email, code).await;
        app.db.close().await;
        serve::say(&format!("{origin}/enrol/{}", invitation?.token.text()))
    }
}
