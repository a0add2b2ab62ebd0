//! Entries: what one leaf of the log says, as canonical JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::body::Body;
use crate::hash::{Hash, leaf_hash};
use crate::json::{JsonError, MAX_INTEGER, canonical};

/// An entry is shorter than this many bytes (64 KiB), because a bundle has a 16-bit length.
pub const ENTRY_LIMIT: usize = 1 << 16;

/// Version of the entry format.
const VERSION: u8 = 1;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// What an entry records. The names are stable: they are in signed history.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in entries, in snake_case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl FromStr for Kind {
            type Err = EntryError;

            fn from_str(name: &str) -> Result<Self, EntryError> {
                match name { $($name => Ok(Self::$variant),)* _ => Err(EntryError::Kind(name.into())) }
            }
        }

        $(impl Body for crate::body::$variant { const KIND: Kind = Kind::$variant; })*
    };
}

kinds! {
    /// A report begins to be written; durable before its first byte leaves.
    ReportStart "report_start",
    /// A report was written and sent to its end.
    ReportEnd "report_end",
    /// A report was broken off.
    ReportAbort "report_abort",
    /// A report was refused to whoever asked for it; nothing was made.
    ReportRefused "report_refused",
    /// A transfer of an existing file begins; durable before its first byte leaves.
    TransferStart "transfer_start",
    /// A transfer came to its end.
    TransferEnd "transfer_end",
    /// A transfer was broken off.
    TransferAbort "transfer_abort",
    /// An attachment was handed out; written before its first byte leaves.
    AttachmentDownload "attachment_download",
    /// A page of an API answer; written before its first byte leaves.
    ApiPage "api_page",
    /// More people's records than the limit were asked for within a day, and not shown.
    ReadingStopped "reading_stopped",
    /// A mail was handed to the mail server.
    MailSent "mail_sent",
    /// A recorded run was re-created.
    Replay "replay",
    /// A search for the definition behind a size.
    Match "match",
    /// Somebody signed in.
    SignIn "sign_in",
    /// A sign-in was refused.
    SignInRefused "sign_in_refused",
    /// A session was ended by its owner or by time.
    SignOut "sign_out",
    /// A session was ended by a rule or an administrator.
    SessionRevoked "session_revoked",
    /// Re-authentication or step-up was asked for, and what came of it.
    StepUp "step_up",
    /// A factor was added or removed.
    Enrolment "enrolment",
    /// The help desk checked a caller's identity.
    Verification "verification",
    /// A protected action was done.
    ProtectedAction "protected_action",
    /// A case or what belongs to it changed.
    CaseChange "case_change",
    /// A person's record changed.
    PersonChange "person_change",
    /// An organization's record changed.
    OrganizationChange "organization_change",
    /// A role was given or taken.
    RoleChange "role_change",
    /// A policy or setting changed.
    PolicyChange "policy_change",
    /// A person was erased; the length vector stays.
    Erasure "erasure",
    /// An incident's workspace changed.
    IncidentChange "incident_change",
    /// An evidence bundle was made.
    EvidenceBundle "evidence_bundle",
    /// The log's key changed; entered under the old key.
    KeyChange "key_change",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A 64-bit count (bytes, rows, revisions). In JSON it is always a string of decimal digits, also
/// when small: one form only, and no reader turns it into a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Count(pub u64);

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse::<u64>() {
            Ok(count) if count.to_string() == text => Ok(Self(count)),
            _ => Err(serde::de::Error::custom("not a count in decimal digits")),
        }
    }
}

/// What the actor was acting as. No free text, so that no name gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Works cases at the vendor.
    Agent,
    /// Manages the installation.
    Administrator,
    /// Manages the administrators.
    SuperAdministrator,
    /// Works incidents.
    Responder,
    /// Manages a customer's people.
    OrganizationAdministrator,
    /// A customer's user in the portal.
    PortalUser,
    /// A program with a key of its own.
    ApiClient,
    /// The installation itself (jobs, expiry).
    System,
}

/// Who did it. Ids only: an entry outlives the right to know a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Id of the person; absent for [`Role::System`] and for unknown people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What they acted as.
    pub role: Role,
}

/// From where. The prefix, not the address: enough to tell networks apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Address prefix in CIDR form, such as `203.0.113.0/24`.
    pub prefix: String,
    /// Number of the autonomous system, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
}

/// Why an entry cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// The bytes are not canonical JSON, or a value has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Canonical JSON, but not an entry.
    #[error("not an entry: {0}")]
    Shape(String),
    /// A format version that this code does not know.
    #[error("unknown entry format version {0}")]
    Version(u8),
    /// A kind that this code does not know; the rest of the entry is well-formed.
    #[error("unknown kind of entry {0:?}")]
    Kind(String),
    /// The body is not that of the kind asked for.
    #[error("not the body of a {0} entry: {1}")]
    Body(Kind, String),
    /// Before 1970 or beyond 2^53 − 1 microseconds.
    #[error("the time {0} is out of range")]
    Time(i64),
    /// 64 KiB or more.
    #[error("an entry of {0} bytes is too long (less than 65,536 allowed)")]
    TooLong(usize),
}

/// One entry. `Display` is not offered: [`Entry::to_bytes`] is the only written form.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it records.
    pub kind: Kind,
    /// When, in microseconds since 1970 UTC. Never less than the entry before: whoever appends
    /// takes the later of the clock and the last entry's time.
    pub at: i64,
    /// Who.
    pub actor: Option<Actor>,
    /// Digest of the session's id, so that the entry cannot be used to take the session over.
    pub session: Option<Hash>,
    /// From where.
    pub network: Option<Network>,
    /// An object whose members depend on the kind, see [`crate::body`].
    pub body: Value,
}

/// An entry as it is written; the kind is not yet known to be one of ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire {
    v: u8,
    pub(crate) at: i64,
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<Actor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    pub(crate) body: Value,
}

impl Wire {
    /// Parses and makes sure that these bytes are the only way to write this entry.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() >= ENTRY_LIMIT {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let value: Value = serde_json::from_slice(bytes).map_err(JsonError::Syntax)?;
        let wire: Self =
            serde_json::from_value(value).map_err(|e| EntryError::Shape(e.to_string()))?;
        if wire.v != VERSION {
            return Err(EntryError::Version(wire.v));
        }
        if wire.encode()? != bytes {
            return Err(JsonError::Spelling.into());
        }
        Ok(wire)
    }

    fn encode(&self) -> Result<Vec<u8>, EntryError> {
        if !(0..=MAX_INTEGER).contains(&self.at) {
            return Err(EntryError::Time(self.at));
        }
        if !self.body.is_object() {
            return Err(EntryError::Shape("the body is not an object".into()));
        }
        let value = serde_json::to_value(self).map_err(|e| EntryError::Shape(e.to_string()))?;
        let bytes = canonical(&value)?;
        if bytes.len() < ENTRY_LIMIT { Ok(bytes) } else { Err(EntryError::TooLong(bytes.len())) }
    }
}

impl Entry {
    /// An entry with a body that is already JSON.
    #[must_use]
    pub fn new(kind: Kind, at: i64, body: Value) -> Self {
        Self { kind, at, actor: None, session: None, network: None, body }
    }

    /// An entry with a typed body; the kind follows from the type. `at` is in microseconds since
    /// 1970 UTC.
    ///
    /// # Errors
    /// [`EntryError::Body`] if the body cannot be JSON.
    pub fn of<B: Body>(at: i64, body: &B) -> Result<Self, EntryError> {
        let body =
            serde_json::to_value(body).map_err(|e| EntryError::Body(B::KIND, e.to_string()))?;
        Ok(Self::new(B::KIND, at, body))
    }

    /// Adds who did it.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }

    /// Adds the digest of the session's id.
    #[must_use]
    pub fn in_session(mut self, digest: Hash) -> Self {
        self.session = Some(digest);
        self
    }

    /// Adds from where.
    #[must_use]
    pub fn from_network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// The canonical bytes that go into the log.
    ///
    /// # Errors
    /// [`EntryError::Json`], [`EntryError::Time`], [`EntryError::Shape`] if the body is not an
    /// object, [`EntryError::TooLong`].
    pub fn to_bytes(&self) -> Result<EntryBytes, EntryError> {
        let wire = Wire {
            v: VERSION,
            at: self.at,
            kind: self.kind.as_str().into(),
            actor: self.actor.clone(),
            session: self.session,
            network: self.network.clone(),
            body: self.body.clone(),
        };
        wire.encode().map(EntryBytes)
    }

    /// Reads an entry; accepts exactly what [`Entry::to_bytes`] writes. The body's members are
    /// checked by [`Entry::body_as`] only, so that a later version may add some.
    ///
    /// # Errors
    /// Any [`EntryError`] but `Body`.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let wire = Wire::parse(bytes)?;
        Ok(Self {
            kind: wire.kind.parse()?,
            at: wire.at,
            actor: wire.actor,
            session: wire.session,
            network: wire.network,
            body: wire.body,
        })
    }

    /// The typed body.
    ///
    /// # Errors
    /// [`EntryError::Body`] if the entry is of another kind or members are missing.
    pub fn body_as<B: Body>(&self) -> Result<B, EntryError> {
        if self.kind != B::KIND {
            return Err(EntryError::Body(B::KIND, format!("it is a {} entry", self.kind)));
        }
        B::deserialize(&self.body).map_err(|e| EntryError::Body(B::KIND, e.to_string()))
    }
}

/// Canonical bytes of an entry; only [`Entry::to_bytes`] makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryBytes(Vec<u8>);

impl EntryBytes {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }

    /// The leaf hash.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.0)
    }
}

impl AsRef<[u8]> for EntryBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
