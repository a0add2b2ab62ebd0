//! The running installation: its database, blobs, keys, clock and randomness.

use crate::AppError;
use crate::cases::Reads;
use crate::incidents::Matches;
use crate::live::Live;
use crate::oidc::Outbound;
use crate::policies::KnownPolicies;
use crate::reports::{Replays, Tables, Transfers, node_name};
use crate::verifications::ResetDelay;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use warifu_auth::Throttle;
use warifu_domain::cases::Priority;
use warifu_domain::reports::Limits;
use warifu_domain::time::{HOUR, MINUTE};
use warifu_domain::{Clock, Timestamp};
use warifu_ledger::SigningKey;
use warifu_storage::{Db, blobs::Blobs};

/// Where random bytes come from. A parameter, so that tests and the demo can be reproduced.
pub trait Random: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random source.
pub struct SystemRandom;

#[expect(clippy::disallowed_methods, reason = "the one place where randomness comes in")]
impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        use rand::RngCore;
        rand::rng().fill_bytes(bytes);
    }
}

/// The installation's secrets, derived from one file `warifu.key` in the data folder.
pub struct Keys {
    /// Signs the ledger's checkpoints.
    pub ledger: SigningKey,
    secret: [u8; 32],
}

impl Keys {
    /// Reads the key file, or makes it (readable by its owner only) on the first start.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no key file.
    pub fn open(folder: &Path, random: &dyn Random) -> Result<Keys, AppError> {
        let path = folder.join("warifu.key");
        let file = |source| AppError::File { path: path.display().to_string(), source };
        let secret: [u8; 32] = match std::fs::read(&path) {
            Ok(bytes) => bytes.try_into().map_err(|_| {
                file(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    "is no key file (32 bytes); put the installation's own back from its backup",
                ))
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let mut secret = [0; 32];
                random.fill(&mut secret);
                write_secret(&path, &secret).map_err(file)?;
                secret
            }
            Err(e) => return Err(file(e)),
        };
        let seed = derive(&secret, "ledger signing key");
        let ledger = SigningKey::from_seed("warifu.local/ledger", &seed)
            .map_err(|e| AppError::Ledger(e.to_string()))?;
        Ok(Keys { ledger, secret })
    }

    /// A secret for one purpose.
    pub fn for_purpose(&self, purpose: &str) -> [u8; 32] {
        derive(&self.secret, purpose)
    }
}

/// HMAC-SHA-256 as a key derivation with the purpose as its only input (RFC 5869, one block).
fn derive(secret: &[u8; 32], purpose: &str) -> [u8; 32] {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        // HMAC takes keys of every length; there is no other failure.
        Err(_) => unreachable!("HMAC takes keys of every length"),
    };
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

fn write_secret(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(secret)?;
    file.sync_all()
}

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// Where keys, blobs and (with SQLite) the database lie.
    pub data: PathBuf,
    /// This node's name among those on the same database; see [`node_name`].
    pub node: String,
    /// Shown in the pages: the desk's name.
    pub name: String,
    /// What case numbers begin with.
    pub case_prefix: String,
    /// Product keys a case can be about.
    pub products: Vec<String>,
    pub limits: Limits,
    /// People whose records somebody is shown within a day without their key.
    pub reading_limit: u64,
    /// Largest attachment in bytes.
    pub attachment_limit: u64,
    pub default_priority: Priority,
    /// How long a reset of somebody's factors waits after its approval.
    pub reset_delay: ResetDelay,
    /// How requests leave for identity providers.
    pub outbound: Outbound,
}

impl AppConfig {
    pub fn new(data: &Path) -> AppConfig {
        AppConfig {
            data: data.to_owned(),
            node: node_name(data),
            name: "Warifu".into(),
            case_prefix: "HC".into(),
            products: vec!["wic".into(), "cis".into()],
            limits: Limits::default(),
            reading_limit: crate::reading::PEOPLE,
            attachment_limit: 256 << 20,
            default_priority: Priority::Normal,
            reset_delay: ResetDelay { roles: 24 * HOUR, users: 0 },
            outbound: Outbound::default(),
        }
    }
}

/// The running installation. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

pub struct Inner {
    pub db: Db,
    pub blobs: Blobs,
    pub keys: Keys,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub config: AppConfig,
    pub live: Live,
    pub(crate) reads: Reads,
    pub(crate) listed: Reads,
    /// Whose requester was counted as shown beside their case.
    pub(crate) dossiers: Reads,
    pub(crate) stopped: crate::reading::Stopped,
    pub transfers: Transfers,
    pub replays: Replays,
    pub(crate) tables: Tables,
    pub(crate) known_policies: KnownPolicies,
    pub matches: Matches,
    pub(crate) oidc: crate::oidc::Providers,
    pub(crate) passwords: crate::password::Passwords,
    /// By person: reports that they had no right to.
    pub(crate) refused_reports: Mutex<Throttle>,
    pub(crate) refused_programs: crate::refused_programs::RefusedPrograms,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Puts an installation together on an open database.
    ///
    /// # Errors
    /// When keys or blobs cannot be opened.
    pub fn open(
        db: Db,
        config: AppConfig,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<App, AppError> {
        let blobs = Blobs::local(&config.data)?;
        let keys = Keys::open(&config.data, &*random)?;
        let inner = Inner {
            db,
            blobs,
            keys,
            clock,
            random,
            config,
            live: Live::default(),
            reads: Reads::default(),
            listed: Reads::default(),
            dossiers: Reads::default(),
            stopped: crate::reading::Stopped::default(),
            transfers: Transfers::default(),
            replays: Replays::default(),
            tables: Tables::default(),
            known_policies: KnownPolicies::default(),
            matches: Matches::default(),
            oidc: crate::oidc::Providers::default(),
            passwords: crate::password::Passwords::default(),
            refused_reports: Mutex::new(Throttle::new(5, 3 * MINUTE)),
            refused_programs: crate::refused_programs::RefusedPrograms::default(),
        };
        Ok(App { inner: Arc::new(inner) })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Fresh random bytes.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}
