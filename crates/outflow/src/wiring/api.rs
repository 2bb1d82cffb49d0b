//! The API as a worker: its door, and who decides behind it.

use std::net::{self, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use broker::Publisher;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Wiring;
use crate::counter::Counter;

impl Wiring {
    /// The API. It takes notices where the gateways' keys are set.
    pub(super) fn api(
        &self,
        stop: CancellationToken,
    ) -> Result<impl Future<Output = Result<()>> + Send + 'static + use<>> {
        let state = api::State::new(self.database.clone(), self.connections.clone(), stop);
        let mut state = state.deciding(self.api_desk());
        if let Some(gateways) = &self.gateways {
            let clock = self.clock.clone();
            state = state.taking_notices(Arc::clone(gateways), Arc::new(move || clock.now()));
        }
        let door = self.api_door.as_ref().map(|it| it.try_clone()).transpose().context("the API's door")?;
        Ok(serve(self.api_address, door, state))
    }

    /// What decides behind the API.
    fn api_desk(&self) -> api::Desk {
        let counter = Counter {
            database: self.database.clone(),
            clock: self.clock.clone(),
            rules: self.rules(),
            desk: self.desk(),
            codes: self.codes.clone(),
            publisher: Arc::new(Publisher::new(&self.connections)),
        };
        api::Desk {
            engine: counter.into(),
            calendar: Arc::clone(&self.payouts.calendar),
            bank_cut_offs: self.payouts.bank_cut_offs.clone(),
            dev: self.dev.clone(),
        }
    }
}

/// Serves the API. Where it opens a door of its own it says on stdout where: the
/// port may have been left to the system.
async fn serve(address: SocketAddr, door: Option<net::TcpListener>, state: api::State) -> Result<()> {
    if let Some(door) = door {
        let door = TcpListener::from_std(door).context("the API's door")?;
        return api::serve(door, state).await.context("serving the API");
    }
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("the API cannot listen on {address}; set `listen` of [api], or OUTFLOW_API_LISTEN")
    })?;
    std::println!("Listening on http://{}", listener.local_addr()?);
    api::serve(listener, state).await.context("serving the API")
}
