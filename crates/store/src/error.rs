//! What a worker can do about a database that said no.

/// The answers that differ in what the caller should do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rows are not as the caller read them: someone else was faster. Roll
    /// back, read and decide again.
    #[error("{what} changed since it was read")]
    Stale {
        /// The rows that moved on.
        what: &'static str,
    },
    /// The database is away, overloaded or broke a deadlock. Try again later.
    ///
    /// When the connection died during a commit the work may be done: what is
    /// tried again must be safe to do twice.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A statement, a row or the schema is wrong. Trying again cannot help.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// A stored text is none of the product's words, or a sealed number cannot
    /// be opened with the keys at hand. Only people can help.
    #[error("stored data cannot be read: {0}")]
    Unreadable(String),
}

impl Error {
    /// It was refused for what was written, not for a statement, a right or a
    /// table: without the rows that are wrong it would go through.
    ///
    /// SQLSTATE classes 22 (data) and 23 (constraints).
    #[must_use]
    pub fn lies_in_the_data(&self) -> bool {
        self.sqlstate().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
    }

    /// A table or a column is not there: the migrations of this program did not run.
    #[must_use]
    pub fn lacks_schema(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "42P01" || code == "42703")
    }

    /// Whoever asked has no right to.
    #[must_use]
    pub fn lacks_right(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "42501")
    }

    /// The SQLSTATE of a refusal.
    fn sqlstate(&self) -> Option<std::borrow::Cow<'_, str>> {
        let Self::Refused(sqlx::Error::Database(error)) = self else { return None };
        error.code()
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let temporary = match &error {
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) => {
                true
            }
            // SQLSTATE classes: 08 connection, 25 a transaction that timed out while idle,
            // 40 rollback, 53 resources, 55 lock timeout, 57 operator.
            E::Database(it) => it.code().is_some_and(|code| {
                ["08", "25", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
            }),
            _ => false,
        };
        if temporary { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::from(sqlx::Error::from(error))
    }
}
