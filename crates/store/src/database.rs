//! The pool, and the two guards that keep an acknowledged write from being lost.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgPool, Postgres, Transaction};
use tokio::time::timeout;

use crate::Error;

/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open transaction. Dropped without a commit, it is rolled back.
pub type Tx = Transaction<'static, Postgres>;

/// The database of the product.
///
/// Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
}

impl Database {
    /// Opens at most `connections` connections to `url`, lazily.
    ///
    /// # Errors
    /// [`Error::Refused`] when the URL cannot be read, [`Error::Unavailable`]
    /// when nobody answers there.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url)?.application_name("outflow").options([
            ("statement_timeout", "30s"),
            // The guard below rolls back where mostly nothing is open, and PostgreSQL warns of that.
            ("client_min_messages", "error"),
            ("lock_timeout", "10s"),
            // Statements here are short and many: to compile one takes longer than to run it.
            ("jit", "off"),
            // A worker that stalls inside a transaction loses it, and its locks with it.
            ("idle_in_transaction_session_timeout", "30s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            // A cancelled `begin` can leave a transaction open on a pooled connection, and
            // every later autocommit write there would vanish. The rollback closes it.
            .before_acquire(|connection, _| {
                Box::pin(async move {
                    connection.execute("rollback").await?;
                    Ok(true)
                })
            })
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await;
        match pool {
            Ok(pool) => Ok(Self { pool }),
            // The pool tried until its patience ended, and only one try by itself says why.
            Err(sqlx::Error::PoolTimedOut) => match timeout(PATIENCE, options.connect()).await {
                Ok(Err(cause)) => Err(cause.into()),
                Ok(Ok(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// When the database is away or holds another schema.
    pub async fn migrate(&self) -> Result<(), Error> {
        sqlx::migrate!("./migrations").run(&self.pool).await?;
        Ok(())
    }

    /// Opens a transaction: the only way to write.
    ///
    /// Must not be put under a timeout or into a `select!`; the server's own
    /// timeouts bound it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(self.pool.begin().await?)
    }

    /// Opens a transaction whose reads all see the same moment. Not for writing.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn snapshot(&self) -> Result<Tx, Error> {
        let mut tx = self.begin().await?;
        tx.execute("set transaction isolation level repeatable read, read only").await?;
        Ok(tx)
    }

    /// The pool, for reads outside a transaction.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
