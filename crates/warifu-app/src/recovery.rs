//! Printed recovery codes. A code opens a request for a check of the help desk and nothing else: it is
//! never a session, and whoever finds the paper still has to be the person.

use crate::notices::notify;
use crate::sign_in::From;
use crate::step_up::spend;
use crate::verifications::reference;
use crate::{App, AppError};
use warifu_auth::{TokenHash, digest};
use warifu_domain::Timestamp;
use warifu_domain::access::Actor;
use warifu_domain::notices::NoticeKind;
use warifu_domain::protected::{Action, Protected};
use warifu_domain::verification::{Channel, Payload, Verification, Wish, code_text, normal};
use warifu_ledger::body::{ProtectedAction, SignInRefused, Verification as Verified};
use warifu_storage::{people, recovery, verifications as store};

/// Codes of a set.
pub const CODES: usize = 8;

/// The codes that are left of the actor's set.
#[derive(Clone, Copy, Debug)]
pub struct CodesLeft {
    pub left: i64,
    pub made_at: Option<Timestamp>,
}

fn code_hash(code: &str) -> TokenHash {
    digest(format!("recovery code:{}", normal(code)).as_bytes())
}

/// A code of 125 bits, as it is printed: five groups of five. From 112 bits on a plain digest of it is
/// enough (OWASP ASVS 5.0, 6.5.2).
fn printed(random: [[u8; 32]; 3]) -> String {
    let mut text: String = random.iter().map(code_text).collect();
    text.truncate(25);
    let groups: Vec<&str> =
        text.as_bytes().chunks(5).filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join("-")
}

impl App {
    /// How many of the actor's codes are left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recovery_codes_left(&self, actor: &Actor) -> Result<CodesLeft, AppError> {
        let (left, made_at) =
            recovery::left(&mut self.db.read().await?.conn(), actor.person).await?;
        Ok(CodesLeft { left, made_at })
    }

    /// Makes a new set in the place of the old one. The codes are shown once and not kept.
    ///
    /// # Errors
    /// [`AppError::StepUp`] without a proof for it.
    pub async fn make_recovery_codes(
        &self,
        actor: &Actor,
        proof: Option<&str>,
    ) -> Result<Vec<String>, AppError> {
        let mut change = self.change().await?;
        spend(&mut change, actor, &Protected::new(Action::RecoveryCodes), proof).await?;
        let codes: Vec<String> =
            (0..CODES).map(|_| printed([(); 3].map(|()| self.random_bytes()))).collect();
        let hashes: Vec<TokenHash> = codes.iter().map(|c| code_hash(c)).collect();
        let at = change.at();
        recovery::replace(&mut change.conn(), actor.person, &hashes, at).await?;
        let body = ProtectedAction {
            action: Action::RecoveryCodes.key().into(),
            target: Some(actor.person.to_string()),
            approver: None,
        };
        change.record(actor, Some(actor.organization), &body).await?;
        notify(&mut change, actor.person, NoticeKind::RecoveryCodes, &[]).await?;
        change.commit().await?;
        Ok(codes)
    }

    /// Takes a code and opens a request for the help desk. Whatever the code was, the answer is the
    /// same: only the ledger and the owner are told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self, code: &str, from: From<'_>) -> Result<(), AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let whose = recovery::take(&mut change.conn(), &code_hash(code)).await?;
        let owner = match whose {
            Some(person) => people::find(&mut change.conn(), person).await?.filter(|p| p.active),
            None => None,
        };
        let Some(owner) = owner else {
            let body = SignInRefused {
                factor: "recovery_code".into(),
                reason: "unknown".into(),
                person: None,
                times: None,
            };
            change.record_stranger(from.network, &body).await?;
            change.commit().await?;
            return Ok(());
        };
        let body = Verified {
            person: owner.id.to_string(),
            method: "recovery_code".into(),
            passed: true,
            approver: None,
        };
        change.record_stranger(from.network, &body).await?;
        let check = match self.open_check(&mut change, owner.id).await? {
            Some(id) => reference(id),
            None => {
                let id = change.conn().take_ids("verifications", 1).await?;
                let payload = Payload {
                    person: owner.id,
                    wish: Wish::ResetFactors,
                    caller: owner.record.display_name().to_owned(),
                    channel: Channel::RecoveryCode,
                    reason: "–".into(),
                };
                let v = Verification::open(id, payload, None, at)
                    .map_err(|what| AppError::invalid("code", what))?;
                store::insert(&mut change.conn(), &v).await?;
                reference(id)
            }
        };
        let details = [("check", check.as_str())];
        notify(&mut change, owner.id, NoticeKind::RecoveryUsed, &details).await?;
        change.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_typed() {
        let code = printed([[7; 32], [9; 32], [3; 32]]);
        assert_eq!(code.len(), 29);
        let typed = code.to_lowercase().replace('-', " ").replace('0', "o");
        assert_eq!(code_hash(&code), code_hash(&typed));
    }
}
