//! The demo web behaves as its settings say.
