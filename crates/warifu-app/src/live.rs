//! Tells open pages what has changed. Only what changed is said, never its content: a page asks
//! for that with its own rights.

use tokio::sync::broadcast;
use warifu_domain::{CaseId, IncidentId, PersonId, RunId};

/// Something that an open page may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A case was opened or changed, by whom.
    Case(CaseId, PersonId),
    Run(RunId),
    Incident(IncidentId),
}

/// The hub. A page that falls more than 1,024 events behind is told to load anew.
pub struct Live {
    sender: broadcast::Sender<Event>,
}

impl Default for Live {
    fn default() -> Self {
        Live { sender: broadcast::channel(1024).0 }
    }
}

impl Live {
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// Tells whoever listens; nobody listening is no error.
    pub fn tell(&self, event: Event) {
        let _ = self.sender.send(event);
    }
}
