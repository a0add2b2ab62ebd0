//! From a size to the report definitions that give it.
