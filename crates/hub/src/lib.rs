//! Born with the next commits.
