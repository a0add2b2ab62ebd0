//! The customers' portal.

pub mod access;
pub mod case;
pub mod cases;
pub mod new;
pub mod reply;
pub mod security;
