//! Every parser of ours that bytes from outside reach. Each assertion is one of: what is read is what another
//! reading says, what was written is read back, what nobody signed is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod addresses;
mod files;
mod secrets;
mod signed;
mod texts;
