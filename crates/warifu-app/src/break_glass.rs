//! Break-glass: when no way of the help desk is left, the sealed code of the installation lets a super
//! administrator in again. On the server's console only, and never quietly.

use crate::enrolment::{INVITATION, Invitation};
use crate::notices::notify;
use crate::verifications::end_every_session;
use crate::{App, AppError, Change};
use warifu_auth::{Token, TokenHash, digest, equal};
use warifu_domain::PersonId;
use warifu_domain::access::Role;
use warifu_domain::notices::NoticeKind;
use warifu_domain::refusal;
use warifu_domain::verification::{code_text, normal};
use warifu_ledger::body::{ProtectedAction, Verification as Verified};
use warifu_storage::{credentials, people, settings};

/// Where the SHA-256 of the sealed code stands, hexadecimal.
const SEAL: &str = "break_glass";

fn seal_hash(code: &str) -> TokenHash {
    digest(format!("break glass:{}", normal(code)).as_bytes())
}

async fn tell_super_administrators(
    change: &mut Change<'_>,
    kind: NoticeKind,
    name: &str,
) -> Result<(), AppError> {
    for person in people::holders(&mut change.conn(), Role::SuperAdministrator).await? {
        notify(change, person, kind, &[("name", name)]).await?;
    }
    Ok(())
}

impl App {
    /// Makes a new sealed code, of 150 bits; one that was made before is good for nothing then. It is
    /// printed once and not kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal(&self) -> Result<String, AppError> {
        let parts: [[u8; 32]; 3] = [self.random_bytes(), self.random_bytes(), self.random_bytes()];
        let text: String = parts.iter().map(code_text).collect();
        let groups: Vec<&str> =
            text.as_bytes().chunks(5).filter_map(|g| std::str::from_utf8(g).ok()).collect();
        let code = groups.join("-");
        let mut change = self.change().await?;
        let hash = crate::attachments::hex(&seal_hash(&code));
        settings::set(&mut change.conn(), SEAL, &hash).await?;
        let body =
            ProtectedAction { action: "break_glass_sealed".into(), target: None, approver: None };
        change.record_own(None, &body).await?;
        tell_super_administrators(&mut change, NoticeKind::BreakGlassSealed, "").await?;
        change.commit().await?;
        Ok(code)
    }

    /// Whether there is or was a sealed code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_sealed(&self) -> Result<bool, AppError> {
        let seal = settings::get(&mut self.db.read().await?.conn(), SEAL).await?;
        Ok(seal.is_some())
    }

    /// Breaks the seal for a super administrator: ends their sessions and gives an invitation. All super
    /// administrators are told, and the code is spent.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a code that is not the sealed one (the ledger and the super
    /// administrators are told) or an address of nobody who is a super administrator.
    pub async fn break_glass(&self, email: &str, code: &str) -> Result<Invitation, AppError> {
        let mut change = self.change().await?;
        let at = change.at();
        let seal = settings::get(&mut change.conn(), SEAL).await?.unwrap_or_default();
        let found = people::find_by_email(&mut change.conn(), email).await?.filter(|p| p.active);
        let mut above = false;
        if let Some(person) = &found {
            let roles = people::roles(&mut change.conn(), person.id).await?;
            above = roles.has(Role::SuperAdministrator);
        }
        let person = found.filter(|_| above).ok_or_else(|| {
            AppError::invalid(
                "email",
                refusal!(
                    "break-glass-who",
                    "{email} is no super administrator; the sealed code is for nobody else",
                    email = email
                ),
            )
        })?;
        let fits = equal(&crate::attachments::hex(&seal_hash(code)), &seal);
        let entry = Verified {
            person: person.id.to_string(),
            method: "break_glass".into(),
            passed: fits,
            approver: None,
        };
        change.record_own(Some(person.organization), &entry).await?;
        let name = person.record.display_name().to_owned();
        if !fits {
            tell_super_administrators(&mut change, NoticeKind::BreakGlassRefused, &name).await?;
            change.commit().await?;
            return Err(AppError::invalid(
                "code",
                refusal!("break-glass-code", "this is not the sealed code of this installation"),
            ));
        }
        settings::set(&mut change.conn(), SEAL, "").await?;
        let body = ProtectedAction {
            action: "break_glass".into(),
            target: Some(person.id.to_string()),
            approver: None,
        };
        change.record_own(Some(person.organization), &body).await?;
        end_every_session(&mut change, None, &person, "break_glass").await?;
        credentials::end_enrolments(&mut change.conn(), person.id, at).await?;
        let token = Token::from_random(self.random_bytes());
        let (hash, expires_at) = (token.hash(), at.plus(INVITATION));
        let nobody = PersonId(0);
        credentials::insert_enrolment(&mut change.conn(), &hash, person.id, nobody, at, expires_at)
            .await?;
        tell_super_administrators(&mut change, NoticeKind::BreakGlass, &name).await?;
        change.commit().await?;
        Ok(Invitation { person: person.id, token, expires_at })
    }
}
