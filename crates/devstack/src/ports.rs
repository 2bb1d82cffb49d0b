//! Free ports on 127.0.0.1 that stay ours while a server is down.
//!
//! A server that is stopped and started again must find its port free. The
//! kernel gives outgoing connections any port of its ephemeral range, and a
//! client that keeps trying a dead port of that range ends up connected to
//! itself. Therefore ports are taken from below that range, and never one that
//! another living stack has written down.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;

/// Below the ephemeral range of every usual Linux (32768 to 60999).
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// The ports of one stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// PostgreSQL.
    pub(crate) postgres: u16,
    /// AMQP 0-9-1.
    pub(crate) amqp: u16,
    /// Erlang's distribution, over which the broker is told things.
    pub(crate) distribution: u16,
    /// Erlang's port mapper.
    pub(crate) epmd: u16,
    /// The management plug-in, if it is on.
    pub(crate) management: u16,
}

impl Ports {
    /// Five free ports, none of them in `taken`.
    pub(crate) fn find(taken: &HashSet<u16>) -> Result<Self> {
        let mut candidates: Vec<u16> = RANGE.filter(|port| !taken.contains(port)).collect();
        candidates.shuffle(&mut rand::rng());
        let free: Vec<u16> = candidates.into_iter().filter(|port| is_free(*port)).take(5).collect();
        ensure!(free.len() == 5, "no free ports on 127.0.0.1 between {} and {}", RANGE.start, RANGE.end);
        Ok(Self {
            postgres: free[0],
            amqp: free[1],
            distribution: free[2],
            epmd: free[3],
            management: free[4],
        })
    }

    /// All of them, to be written down.
    pub(crate) fn all(self) -> [u16; 5] {
        [self.postgres, self.amqp, self.distribution, self.epmd, self.management]
    }
}

/// Whether nobody listens on `port` at this moment.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Ports, RANGE};
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn a_port_that_is_written_down_or_in_use_is_never_given() {
        let free = Ports::find(&HashSet::new()).unwrap();
        let in_use = TcpListener::bind((Ipv4Addr::LOCALHOST, free.amqp)).unwrap();
        // All but seven are written down; of those one is in use.
        let mut left: HashSet<u16> = free.all().into();
        left.extend(RANGE.filter(|port| !left.contains(port)).take(2).collect::<Vec<_>>());
        let taken: HashSet<u16> = RANGE.filter(|port| !left.contains(port)).collect();
        let Ok(second) = Ports::find(&taken) else {
            return; // The two others happen to be in use on this machine.
        };
        assert!(second.all().iter().all(|port| left.contains(port) && *port != free.amqp));
        drop(in_use);
    }
}
