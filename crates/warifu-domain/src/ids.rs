//! Identifiers. All are positive integers handed out by the installation, so they sort by age.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map($name)
            }
        }
    )*};
}

ids! {
    /// A human known to the system.
    PersonId;
    /// A customer, or the vendor itself.
    OrganizationId;
    /// A case; shown with the installation's prefix, such as `HC-20417`.
    CaseId;
    /// A message, note or event in a case's timeline.
    MessageId;
    /// A file that came with a message.
    AttachmentId;
    /// A saved report definition.
    DefinitionId;
    /// One execution of a report definition.
    RunId;
    /// An incident workspace.
    IncidentId;
    /// A download that outside telemetry recorded.
    DownloadId;
    /// A management application that people enter with their session here.
    ApplicationId;
    /// A registered passkey or security key.
    CredentialId;
    /// An identity provider by which people may sign in.
    ProviderId;
}

/// A committed state of the installation's records. Revision `r` holds everything that was
/// committed up to and including the transaction that was given `r`; none at or below it can
/// appear later, because revisions are handed out under the lock of the head row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub i64);

impl Revision {
    /// `rev_to` of a version that still holds.
    pub const OPEN: Revision = Revision(i64::MAX);
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
