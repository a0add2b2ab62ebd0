//! One change: records and the ledger entries about them become durable together, or not at all.

use crate::live::Event;
use crate::{App, AppError};
use warifu_domain::access::{Actor, Role};
use warifu_domain::{OrganizationId, PersonId, Revision, Timestamp};
use warifu_ledger::body::Body;
use warifu_ledger::{
    Actor as LedgerActor, Checkpoint, Entry, Frontier, Hash, Network, Role as LedgerRole,
};
use warifu_storage::ledger::{self, About, Head};
use warifu_storage::moment::Wait;
use warifu_storage::{Conn, Tx};

/// A transaction on records and ledger. Dropped without [`Change::commit`], nothing has happened.
pub struct Change<'a> {
    app: &'a App,
    tx: Tx,
    at: Timestamp,
    head: Head,
    frontier: Frontier,
    recorded: bool,
    events: Vec<Event>,
}

impl App {
    /// Begins a change. It holds the lock under which revisions and ledger entries are handed out:
    /// do slow work (parsing, hashing files) before.
    ///
    /// # Errors
    /// When the database cannot be reached, or the stored ledger head is damaged.
    pub async fn change(&self) -> Result<Change<'_>, AppError> {
        let mut tx = self.db.begin(self.now()).await?;
        let head = ledger::head(&mut tx.conn()).await?;
        let frontier = if head.size == 0 {
            Frontier::default()
        } else {
            Frontier::from_bytes(&head.frontier).map_err(|e| AppError::Ledger(e.to_string()))?
        };
        // The ledger's time never runs backwards, whatever the machine's clock does.
        let at = Timestamp(tx.at().0.max(head.at));
        Ok(Change { app: self, tx, at, head, frontier, recorded: false, events: Vec::new() })
    }
}

impl Change<'_> {
    pub fn conn(&mut self) -> Conn<'_> {
        self.tx.conn()
    }

    pub fn revision(&self) -> Revision {
        self.tx.revision()
    }

    /// The instant of this change: the same for its records and its ledger entries.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// To be told to open pages once the change is durable.
    pub fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Appends a ledger entry by an actor about an organization's data, and gives its number.
    ///
    /// # Errors
    /// When the body is no entry (too long) or the database fails.
    pub async fn record<B: Body>(
        &mut self,
        actor: &Actor,
        organization: Option<OrganizationId>,
        body: &B,
    ) -> Result<i64, AppError> {
        let mut entry = Entry::of(self.at.0, body)?.by(ledger_actor(actor));
        if let Some(digest) = actor.session {
            entry = entry.in_session(Hash(digest));
        }
        if !actor.network.is_empty() {
            entry = entry.from_network(ledger_network(&actor.network));
        }
        self.append::<B>(entry, actor.person, organization).await
    }

    /// Appends a ledger entry of the installation itself.
    ///
    /// # Errors
    /// As [`Change::record`].
    pub async fn record_own<B: Body>(
        &mut self,
        organization: Option<OrganizationId>,
        body: &B,
    ) -> Result<i64, AppError> {
        let entry =
            Entry::of(self.at.0, body)?.by(LedgerActor { person: None, role: LedgerRole::System });
        self.append::<B>(entry, PersonId(0), organization).await
    }

    /// Appends a ledger entry about a request whose sender is not known, with its network.
    ///
    /// # Errors
    /// As [`Change::record`].
    pub async fn record_stranger<B: Body>(
        &mut self,
        network: &str,
        body: &B,
    ) -> Result<i64, AppError> {
        let entry = Entry::of(self.at.0, body)?
            .by(LedgerActor { person: None, role: LedgerRole::System })
            .from_network(ledger_network(network));
        self.append::<B>(entry, PersonId(0), None).await
    }

    async fn append<B: Body>(
        &mut self,
        entry: Entry,
        actor: PersonId,
        organization: Option<OrganizationId>,
    ) -> Result<i64, AppError> {
        let bytes = entry.to_bytes()?;
        let leaf = bytes.leaf_hash();
        let seq = self.head.size;
        let stored = self.frontier.push(leaf).map_err(|e| AppError::Ledger(e.to_string()))?;
        let about = About {
            kind: B::KIND.as_str(),
            actor,
            organization: organization.unwrap_or(OrganizationId(0)),
            at: self.at,
        };
        let mut conn = self.tx.conn();
        ledger::append(&mut conn, seq, &about, bytes.as_slice(), leaf.as_bytes()).await?;
        for hash in stored.iter().filter(|h| h.level > 0) {
            ledger::put_hash(
                &mut conn,
                i64::from(hash.level),
                hash.index as i64,
                hash.hash.as_bytes(),
            )
            .await?;
        }
        self.head.size += 1;
        self.recorded = true;
        Ok(seq)
    }

    /// Nothing was to be done: somebody else has done it, perhaps just now and on another node. What they
    /// did holds for every request that starts after this returns, as if this had done it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unchanged(self) -> Result<(), AppError> {
        Ok(self.tx.unchanged().await?)
    }

    /// Signs the new head and makes everything durable; then tells open pages. When this returns, every request
    /// that starts sees it, on every node.
    ///
    /// # Errors
    /// When the database could not promise that; nothing has changed then.
    pub async fn commit(mut self) -> Result<Revision, AppError> {
        self.sealed().await?;
        let revision = self.tx.commit().await?;
        for event in self.events {
            self.app.live.tell(event);
        }
        Ok(revision)
    }

    /// The same for a part of a longer work, which is only acknowledged as a whole: says what is to be waited for.
    ///
    /// # Errors
    /// As [`Change::commit`].
    pub async fn commit_part(mut self) -> Result<Wait, AppError> {
        self.sealed().await?;
        Ok(self.tx.commit_at_once().await?)
    }

    async fn sealed(&mut self) -> Result<(), AppError> {
        if self.recorded {
            let key = &self.app.keys.ledger;
            let checkpoint =
                Checkpoint::new(key.name(), self.frontier.size(), self.frontier.root())
                    .and_then(|c| c.sign(key))
                    .map_err(|e| AppError::Ledger(e.to_string()))?;
            let head = Head {
                size: self.head.size,
                frontier: self.frontier.to_bytes(),
                at: self.at.0,
                checkpoint,
            };
            ledger::set_head(&mut self.tx.conn(), &head).await?;
        }
        Ok(())
    }
}

/// The strongest role is the one that the ledger names.
fn ledger_actor(actor: &Actor) -> LedgerActor {
    if actor.roles.is_service() {
        let person = Some(actor.person.to_string());
        return LedgerActor { person, role: LedgerRole::ApiClient };
    }
    let strongest = [
        (Role::SuperAdministrator, LedgerRole::SuperAdministrator),
        (Role::Administrator, LedgerRole::Administrator),
        (Role::Responder, LedgerRole::Responder),
        (Role::Agent, LedgerRole::Agent),
        (Role::OrganizationAdministrator, LedgerRole::OrganizationAdministrator),
    ];
    let role = strongest
        .into_iter()
        .find(|(r, _)| actor.roles.has(*r))
        .map_or(LedgerRole::PortalUser, |(_, l)| l);
    LedgerActor { person: Some(actor.person.to_string()), role }
}

/// A network as entries have it, from its text.
pub(crate) fn ledger_network(text: &str) -> Network {
    let warifu_auth::Network { asn, prefix } = warifu_auth::Network::of_text(text);
    Network { prefix, asn }
}
