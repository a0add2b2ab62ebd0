//! Keys of devices that sessions are bound to.

/// Where the key of a session lives. The names are stable: the database and the ledger have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// In the browser, out of reach of scripts (Device Bound Session Credentials).
    Browser,
    /// In a page's storage: its scripts can use it and cannot read it (WebCrypto). A lower assurance.
    Script,
}

impl DeviceKind {
    pub fn key(self) -> &'static str {
        match self {
            DeviceKind::Browser => "device",
            DeviceKind::Script => "script_key",
        }
    }

    pub fn from_key(key: &str) -> Option<DeviceKind> {
        [DeviceKind::Browser, DeviceKind::Script].into_iter().find(|k| k.key() == key)
    }
}
