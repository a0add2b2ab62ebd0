//! Keys that sign what applications are told: one signs, the next is shown before it signs, and the one of
//! before is shown for as long as something it signed may still be read.

use crate::{App, AppError};
use warifu_auth::openid::TokenKey;
use warifu_domain::Timestamp;
use warifu_domain::time::DAY;
use warifu_storage::signing_keys;

/// How long a key signs, in microseconds.
const SIGNS: i64 = 30 * DAY;

/// The keys in use.
pub struct TokenKeys {
    /// The next, the one that signs, the one of before.
    all: Vec<TokenKey>,
    signing: usize,
}

impl TokenKeys {
    pub fn signing(&self) -> &TokenKey {
        &self.all[self.signing]
    }

    pub fn all(&self) -> &[TokenKey] {
        &self.all
    }
}

impl App {
    /// The keys in use; those that are missing are made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_keys(&self) -> Result<TokenKeys, AppError> {
        let now = self.now();
        let mut known = signing_keys::list(&mut self.db.read().await?.conn()).await?;
        let missing = |known: &[(String, Timestamp)]| match known.first() {
            None => Some(now),
            Some((_, newest)) => (*newest <= now).then(|| newest.plus(SIGNS)),
        };
        // At most: the first, and the next.
        for _ in 0..2 {
            let Some(from) = missing(&known) else { break };
            let kid = crate::attachments::hex(&self.random_bytes::<8>());
            let mut tx = self.db.begin_plain().await?;
            signing_keys::insert(&mut tx.conn(), &kid, from).await?;
            known = signing_keys::list(&mut tx.conn()).await?;
            tx.commit().await?;
        }
        let signing = known.iter().position(|(_, from)| *from <= now).unwrap_or(0);
        let made = known.iter().take(signing + 2).map(|(kid, _)| {
            let secret = |n: u32| self.keys.for_purpose(&format!("openid signing key {kid} {n}"));
            let no_key = || AppError::Internal(format!("no key can be derived for {kid}"));
            TokenKey::derived(kid, secret).ok_or_else(no_key)
        });
        let all = made.collect::<Result<Vec<_>, _>>()?;
        match all.is_empty() {
            false => Ok(TokenKeys { all, signing }),
            true => Err(AppError::Internal("there is no signing key".into())),
        }
    }
}
