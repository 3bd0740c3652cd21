//! The demo web behaves as its settings say, and the demo data is what its README claims.
