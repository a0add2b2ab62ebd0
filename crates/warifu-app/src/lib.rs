//! Use cases: authorize, change, ledger, enqueue, in one transaction.
