//! Named steps of the workers, at which a test ends, stops or stalls this very process.
//!
//! Only the feature `failpoints` compiles them in; without it both macros leave
//! nothing behind. The program that carries them is `outflow-faulty`, which is
//! built beside the product and never instead of it. What it does is in the environment:
//!
//! ```text
//! FP=intake.committed=3:kill   the third time that it gets there it ends, as by kill -9
//! FP=payout.claimed=1:stop     it stops as by SIGSTOP, until somebody lets it go on
//! FP=relay.published=2:sleep   its thread sleeps for two seconds
//! FP_HITS=FILE                 every step that is reached is added to this file, once
//! FP_CLOCK=FILE                holds the milliseconds by which its clock is wrong
//! PLANTED=ack-first            a bug that whoever checks must notice
//! ```

/// A step of a worker, by its name: `worker.step`. Nothing, without the feature.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach($name);
    };
}

/// Whether a bug was planted. Never, without the feature.
macro_rules! planted {
    ($name:literal) => {{
        #[cfg(feature = "failpoints")]
        let planted = $crate::failpoint::is_planted($name);
        #[cfg(not(feature = "failpoints"))]
        let planted = false;
        planted
    }};
}

pub(crate) use {failpoint, planted};

#[cfg(feature = "failpoints")]
mod armed;

#[cfg(feature = "failpoints")]
pub(crate) use armed::{clock_error_ms, is_planted, reach};
