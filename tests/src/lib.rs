//! The system seen from outside: walks, contracts, an oracle.
