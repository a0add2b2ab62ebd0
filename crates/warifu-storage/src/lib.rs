//! One SQL text for SQLite and PostgreSQL; migrations, bulk reads, blobs.
