//! Why a worker ends before it is told to.

/// What only a restart or a person can put right.
///
/// A database or a broker that is away is not among them: workers wait for both.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or holds what cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The broker refused: a queue that does not exist, a right that is missing.
    #[error(transparent)]
    Broker(#[from] broker::Error),
}
