//! What goes out about accounts and policy: notices by mail, ledger entries to a webhook. This module
//! says what is due and keeps what became of it; sending is the caller's.

use crate::{App, AppError};
use warifu_auth::digest;
use warifu_domain::access::Roles;
use warifu_domain::notices::{Details, NoticeKind};
use warifu_domain::time::{DAY, MINUTE};
use warifu_domain::{PersonId, Timestamp};
use warifu_ledger::body::MailSent;
use warifu_ledger::{Count, Entry, Hash};
use warifu_storage::moment::Wait;
use warifu_storage::{ledger, notices, people, settings};

/// A mail that cannot be delivered is given up after this long, in microseconds.
const PATIENCE: i64 = DAY;
/// Between two tries of one mail, in microseconds. Also how long one node has it to itself.
const AGAIN: i64 = 5 * MINUTE;
/// Mails taken at once, and ledger entries looked at at once.
const AT_ONCE: i64 = 50;
/// Name of the setting that says up to where the webhook has been told.
const TOLD: &str = "webhook_told";

/// A notice that is to be mailed now.
#[derive(Clone, Debug)]
pub struct DueMail {
    pub notice: i64,
    pub person: PersonId,
    pub name: String,
    pub address: String,
    /// What they may do: which page a mail may lead to.
    pub roles: Roles,
    pub kind: NoticeKind,
    pub details: Details,
    pub at: Timestamp,
}

impl App {
    /// Notices that are to be mailed now, each taken by one node. What is too old, or is for somebody
    /// without an address, is given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_mails(&self) -> Result<Vec<DueMail>, AppError> {
        let now = self.now();
        let due = notices::due(&mut self.db.read().await?.conn(), now, AT_ONCE).await?;
        let mut taken = Vec::new();
        for notice in due {
            let mut tx = self.db.begin_plain().await?;
            let mut conn = tx.conn();
            let next = (now.0 - notice.at.0 < PATIENCE).then(|| now.plus(AGAIN));
            // Whoever is switched off is told so by mail alone.
            let told = |active: bool| active || notice.kind == NoticeKind::SwitchedOff;
            let person = people::find(&mut conn, notice.person).await?.filter(|p| told(p.active));
            let own = person.as_ref().and_then(|p| p.record.email.clone());
            let address = notice.mail_to.filter(|_| person.is_some()).or(own);
            let next = next.filter(|_| address.is_some());
            if notices::take_mail(&mut conn, notice.id, notice.mail_at, next).await?
                && next.is_some()
                && let (Some(person), Some(address)) = (person, address)
            {
                let roles = people::roles(&mut conn, notice.person).await?;
                taken.push(DueMail {
                    notice: notice.id,
                    person: notice.person,
                    name: person.record.display_name().to_owned(),
                    address,
                    roles,
                    kind: notice.kind,
                    details: notice.details,
                    at: notice.at,
                });
            }
            tx.commit().await?;
        }
        if !taken.is_empty() {
            // Whoever reads that a session ended finds it so.
            Wait::longest().over().await;
        }
        Ok(taken)
    }

    /// A mail was handed to the mail server.
    ///
    /// # Errors
    /// When the database fails; the mail may be sent again then.
    pub async fn mail_sent(&self, mail: &DueMail, bytes: &[u8]) -> Result<(), AppError> {
        let mut change = self.change().await?;
        notices::mailed(&mut change.conn(), mail.notice).await?;
        let body = MailSent {
            message: format!("notice:{}", mail.notice),
            case: None,
            recipients: Count(1),
            bytes: Count(bytes.len() as u64),
            sha256: Hash(digest(bytes)),
        };
        change.record_own(None, &body).await?;
        change.commit().await?;
        Ok(())
    }

    /// Ledger entries of which the webhook has not been told, in order, with the number that it is to be
    /// told up to. A webhook that is new is told from now on.
    ///
    /// # Errors
    /// When the database fails, or an entry is damaged.
    pub async fn untold(&self) -> Result<(Vec<(i64, Entry)>, i64), AppError> {
        let mut reader = self.db.read().await?;
        let told = settings::get(&mut reader.conn(), TOLD).await?.and_then(|n| n.parse().ok());
        let head = ledger::head(&mut reader.conn()).await?.size;
        let Some(told) = told else {
            drop(reader);
            self.webhook_told(head).await?;
            return Ok((Vec::new(), head));
        };
        let found = ledger::entries(&mut reader.conn(), told, AT_ONCE).await?;
        drop(reader);
        if !found.is_empty() {
            // Whoever hears that a session ended finds it so.
            Wait::longest().over().await;
        }
        let up_to = found.last().map_or(told, |e| e.seq + 1);
        let read = |e: ledger::Entry| {
            let entry = Entry::parse(&e.entry).map_err(|why| AppError::Ledger(why.to_string()))?;
            Ok((e.seq, entry))
        };
        Ok((found.into_iter().map(read).collect::<Result<_, AppError>>()?, up_to))
    }

    /// The webhook has been told of everything before a number.
    ///
    /// # Errors
    /// When the database fails; it is told again then.
    pub async fn webhook_told(&self, up_to: i64) -> Result<(), AppError> {
        let mut tx = self.db.begin_plain().await?;
        settings::set(&mut tx.conn(), TOLD, &up_to.to_string()).await?;
        tx.commit().await?;
        Ok(())
    }
}
