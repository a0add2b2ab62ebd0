//! Sign-in without HTTP and without SQL: tokens, and the rules by which a session holds.

mod session;
mod token;

pub use session::{SessionPolicy, SessionTimes, Verdict, judge};
pub use token::{Token, TokenHash, digest, equal};
