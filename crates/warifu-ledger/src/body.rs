//! Bodies of the entries, one type for each [`Kind`].
//!
//! Rules: ids and digests, no names and no free text of people; 64-bit counts as [`Count`]; times
//! in microseconds since 1970 UTC. Members may be added, never renamed or given a new meaning.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entry::{Count, Kind, Network, Role};
use crate::hash::Hash;

/// A typed body.
pub trait Body: Serialize + DeserializeOwned {
    /// The kind of entry that it belongs to.
    const KIND: Kind;
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* })*
    };
}

/// One key of a total order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderKey {
    /// Column.
    pub column: String,
    /// From high to low.
    pub descending: bool,
}

/// Bytes that the values of one column make, in the report's encoding, without quotes and
/// delimiters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnBytes {
    /// Column.
    pub column: String,
    /// Sum over all rows.
    pub bytes: Count,
}

/// Which file a transfer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Carried {
    /// The file of an earlier report run.
    Report,
    /// An attachment of a case.
    Attachment,
    /// An evidence bundle.
    Evidence,
    /// An export of the log.
    Ledger,
}

/// What was done to a factor or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is there now.
    Added,
    /// It is gone now.
    Removed,
}

bodies! {
    /// Body of `report_start`.
    ReportStart {
        /// Id of the run; the end or abort names it again.
        run: String,
        /// SHA-256 of the definition's canonical JSON.
        definition: Hash,
        /// Canonical filter tree.
        filter: Value,
        /// Columns in their order.
        columns: Vec<String>,
        /// Total order: the last key is the id.
        order: Vec<OrderKey>,
        /// At most so many rows.
        row_limit: Option<Count>,
        /// Committed revision whose data are shown.
        as_of_revision: Count,
        /// Its time in microseconds.
        as_of: i64,
        /// Exporter, its version, and how it writes (quoting, line ends, BOM, encoding, nulls,
        /// time zone and tzdata version).
        dialect: String,
    }
    /// Body of `report_end`.
    ReportEnd {
        /// Id of the run.
        run: String,
        /// Rows without the header.
        rows: Count,
        /// Sums per column, in column order.
        column_bytes: Vec<ColumnBytes>,
        /// Bytes of the file.
        bytes_made: Count,
        /// Bytes written to the connection, with headers and encryption where known.
        bytes_on_the_wire: Option<Count>,
        /// Bytes that the other side acknowledged, where known.
        bytes_acknowledged: Option<Count>,
        /// SHA-256 of the file.
        sha256: Hash,
        /// Keyed commitment to the ids of the rows in their order, see [`crate::RowsCommitment`].
        row_ids: Hash,
    }
    /// Body of `report_abort`: the same as far as it came.
    ReportAbort {
        /// Id of the run.
        run: String,
        /// Stable code of the cause: `client_gone`, `timeout`, `failed`, `restarted`, …
        cause: String,
        /// Rows made.
        rows: Count,
        /// Bytes made.
        bytes_made: Count,
        /// Bytes written to the connection, where known.
        bytes_on_the_wire: Option<Count>,
        /// Bytes acknowledged, where known.
        bytes_acknowledged: Option<Count>,
        /// SHA-256 of the bytes made; absent if the process did not survive.
        sha256: Option<Hash>,
        /// Commitment to the rows made; absent if the process did not survive.
        row_ids: Option<Hash>,
    }
    /// Body of `report_refused`.
    ReportRefused {
        /// SHA-256 of the definition's canonical JSON.
        definition: Hash,
        /// What its rows would have been: `people`, `cases`, `organizations`.
        subject: String,
        /// How many.
        rows: Count,
        /// Stable code of the reason: `unfiltered`, `over_limit`.
        reason: String,
    }
    /// Body of `transfer_start`.
    TransferStart {
        /// Id of the transfer; the end or abort names it again.
        run: String,
        /// What it carries.
        carried: Carried,
        /// Id of the file.
        object: String,
        /// Length of the file in bytes.
        bytes: Count,
        /// SHA-256 of the file.
        sha256: Hash,
        /// First byte asked for, for a range request.
        from: Option<Count>,
    }
    /// Body of `transfer_end`.
    TransferEnd {
        /// Id of the transfer.
        run: String,
        /// Bytes written to the connection.
        bytes_on_the_wire: Count,
        /// Bytes acknowledged, where known.
        bytes_acknowledged: Option<Count>,
    }
    /// Body of `transfer_abort`.
    TransferAbort {
        /// Id of the transfer.
        run: String,
        /// Stable code of the cause.
        cause: String,
        /// Bytes written to the connection, where known.
        bytes_on_the_wire: Option<Count>,
        /// Bytes acknowledged, where known.
        bytes_acknowledged: Option<Count>,
    }
    /// Body of `attachment_download`.
    AttachmentDownload {
        /// Id of the attachment.
        attachment: String,
        /// Id of its case.
        case: String,
        /// Length in bytes.
        bytes: Count,
        /// SHA-256 of the content.
        sha256: Hash,
    }
    /// Body of `api_page`.
    ApiPage {
        /// Route as registered (`/api/v1/people`), without what was filled in.
        route: String,
        /// SHA-256 of the query's canonical JSON.
        query: Hash,
        /// Records in the answer.
        rows: Count,
        /// Length of the answer's body in bytes.
        bytes: Count,
        /// SHA-256 of the body.
        sha256: Hash,
        /// Commitment to the ids of the records.
        row_ids: Hash,
    }
    /// Body of `reading_stopped`: one an hour for each session and allowance.
    ReadingStopped {
        /// Route as registered of the page that did not leave.
        route: String,
        /// People whose records were shown within the day before.
        people: Count,
        /// How many may be, as it stood.
        allowance: Count,
    }
    /// Body of `mail_sent`.
    MailSent {
        /// Id of the message.
        message: String,
        /// Id of the case, where there is one.
        case: Option<String>,
        /// Number of recipients.
        recipients: Count,
        /// Length in bytes.
        bytes: Count,
        /// SHA-256 of the mail.
        sha256: Hash,
    }
    /// Body of `replay`.
    Replay {
        /// Id of the run that was re-created.
        run: String,
        /// SHA-256 of what came out.
        sha256: Hash,
        /// Whether every byte was the same.
        identical: bool,
        /// Rows whose person was erased meanwhile.
        erased_rows: Count,
    }
    /// Body of `match`.
    Match {
        /// Id of the telemetry record, where there is one.
        telemetry: Option<String>,
        /// Bytes looked for.
        bytes: Count,
        /// Greatest difference allowed, in bytes.
        tolerance: Count,
        /// Definitions that come as close.
        matched: Count,
        /// SHA-256 of the answer's canonical JSON.
        answer: Hash,
    }
    /// Body of `sign_in`.
    SignIn {
        /// `passkey`, `certificate`, `oidc`, …
        factor: String,
        /// Authenticator assurance level, 1 to 3 (NIST SP 800-63B).
        assurance: u8,
        /// Whether a look-alike site could not have relayed it.
        phishing_resistant: bool,
        /// Whether the session is bound to a device key.
        device_bound: bool,
    }
    /// Body of `sign_in_refused`.
    SignInRefused {
        /// `passkey`, `certificate`, `oidc`, …
        factor: String,
        /// Stable code of the reason.
        reason: String,
        /// Id of the person that it was for, where known.
        person: Option<String>,
        /// How often, where more of them were counted than are told one by one.
        times: Option<Count>,
    }
    /// Body of `sign_out`.
    SignOut {
        /// Stable code: absent for a person's own act, else `idle`, `lifetime`, …
        reason: Option<String>,
    }
    /// Body of `session_revoked`.
    SessionRevoked {
        /// Whose.
        person: String,
        /// Digest of the session's id; absent for all sessions.
        revoked: Option<Hash>,
        /// Stable code: `other_network`, `recorded`, `device_key`, `administrator`, …
        reason: String,
        /// The network that it was bound to, where it was used from another: the entry's own.
        bound_to: Option<Network>,
    }
    /// Body of `step_up`.
    StepUp {
        /// What it was asked for.
        action: String,
        /// SHA-256 of the action with its parameters, as it was agreed to.
        parameters: Hash,
        /// Whether it succeeded.
        passed: bool,
    }
    /// Body of `enrolment`.
    Enrolment {
        /// Whose factor.
        person: String,
        /// `passkey`, `certificate`, …
        factor: String,
        /// Digest of the credential's id.
        credential: Hash,
        /// What was done.
        change: Change,
    }
    /// Body of `verification`.
    Verification {
        /// Who was to be verified.
        person: String,
        /// How: `visual`, …
        method: String,
        /// Whether they are who they say.
        passed: bool,
        /// Second person who agreed, where needed.
        approver: Option<String>,
    }
    /// Body of `protected_action`.
    ProtectedAction {
        /// Stable name of the action.
        action: String,
        /// Id of what it was done to.
        target: Option<String>,
        /// Second person who agreed, where needed.
        approver: Option<String>,
    }
    /// Body of `case_change`.
    CaseChange {
        /// Id of the case.
        case: String,
        /// Stable code: `opened`, `replied`, `noted`, `closed`, `viewed`, …
        change: String,
        /// Id of the message, note or attachment.
        item: Option<String>,
        /// SHA-256 of its content.
        content: Option<Hash>,
        /// Committed revision.
        revision: Count,
    }
    /// Body of `person_change`.
    PersonChange {
        /// Id of the person.
        person: String,
        /// Names of the fields that changed, not their values.
        fields: Vec<String>,
        /// Committed revision.
        revision: Count,
    }
    /// Body of `organization_change`.
    OrganizationChange {
        /// Id of the organization.
        organization: String,
        /// Names of the fields that changed, not their values.
        fields: Vec<String>,
        /// Committed revision.
        revision: Count,
    }
    /// Body of `role_change`.
    RoleChange {
        /// Whose.
        person: String,
        /// Which.
        role: Role,
        /// What was done.
        change: Change,
    }
    /// Body of `policy_change`.
    PolicyChange {
        /// Stable name of the policy.
        policy: String,
        /// SHA-256 of its canonical JSON before.
        before: Option<Hash>,
        /// … and after.
        after: Option<Hash>,
    }
    /// Body of `erasure`.
    Erasure {
        /// Id of the person.
        person: String,
        /// Bytes that each field had, so that sizes of old files still add up.
        lengths: Vec<ColumnBytes>,
        /// Committed revision.
        revision: Count,
    }
    /// Body of `incident_change`.
    IncidentChange {
        /// Id of the incident.
        incident: String,
        /// Stable code of what happened.
        change: String,
        /// Id of what it happened to.
        item: Option<String>,
    }
    /// Body of `evidence_bundle`.
    EvidenceBundle {
        /// Id of the incident.
        incident: String,
        /// Length in bytes.
        bytes: Count,
        /// SHA-256 of the bundle.
        sha256: Hash,
    }
    /// Body of `key_change`.
    KeyChange {
        /// The next public key in its text form.
        next: String,
    }
}
