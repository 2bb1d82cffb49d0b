//! What only a machine of one's own has: the page on which a customer asks for
//! money, as an upstream would build it, and the world outside.

mod simulator;
mod withdraw;

pub(super) use simulator::show as simulator;
pub(super) use withdraw::{publish, show as withdraw};
