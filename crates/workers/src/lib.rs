//! Where rules, rows, messages and time meet: one module per duty.
