//! Passkeys, sessions, tokens; no HTTP, no SQL.
