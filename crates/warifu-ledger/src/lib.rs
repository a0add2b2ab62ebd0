//! Ledger entries, tiles, checkpoints, proofs, verification; no I/O.
