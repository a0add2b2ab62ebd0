//! Ids, records, permissions, policies, report definitions, dialects, clock; no async, no I/O.

pub mod dialect;
