//! HAR sanitizing; no I/O beyond Read and Write.
