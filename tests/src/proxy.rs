//! A TCP proxy that spoils what passes through it: the network between a worker
//! and its servers.
//!
//! It knows just enough of three wires to cut one where it hurts: before or after
//! a COMMIT of PostgreSQL, before or after an acknowledgement or a publish of
//! AMQP, before or after a request over HTTP.

mod frames;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

pub use self::frames::Wire;
use self::frames::{Frames, is_decisive};

/// How long a server keeps a client that has gone: a request that is under way arrives.
const AFTER_CLIENT: Duration = Duration::from_secs(1);

/// What the network does to everything that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Fair,
    /// Each frame of the client's arrives this much later.
    Late(Duration),
    /// Everything arrives byte by byte.
    Crumbs,
    /// Nothing arrives, and nobody is told.
    Hole,
    /// HTTP alone: somebody in front of the server answers that it is overloaded.
    Busy,
}

/// Where a connection is cut, relative to the next decisive frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It does not arrive.
    Before,
    /// It arrives, and its answer does not.
    After,
}

/// Cuts that wait for their frame, by their place.
#[derive(Debug, Default)]
struct Cuts {
    before: AtomicU64,
    after: AtomicU64,
    made: AtomicU64,
}

impl Cuts {
    /// Takes one that waits.
    fn take(&self) -> Option<Cut> {
        for (waiting, cut) in [(&self.before, Cut::Before), (&self.after, Cut::After)] {
            if waiting.fetch_update(SeqCst, SeqCst, |it| it.checked_sub(1)).is_ok() {
                self.made.fetch_add(1, SeqCst);
                return Some(cut);
            }
        }
        None
    }
}

/// A way to one server.
#[derive(Debug, Clone)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    cuts: Arc<Cuts>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to the first of `servers`, in turn, that answers.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn open(servers: Vec<SocketAddr>, wire: Wire) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the proxy")?;
        let address = listener.local_addr()?;
        let proxy = Self { address, weather: watch::Sender::new(Weather::Fair), cuts: Arc::default() };
        let shared = proxy.clone();
        tokio::spawn(async move {
            let mut turn = 0;
            while let Ok((client, _)) = listener.accept().await {
                let mut servers = servers.clone();
                let first = turn % servers.len().max(1);
                servers.rotate_left(first);
                turn += 1;
                let shared = shared.clone();
                tokio::spawn(async move {
                    // A server that is away is no concern of the network's.
                    if let Ok(server) = TcpStream::connect(servers.as_slice()).await {
                        shared.join(client, server, wire);
                    }
                });
            }
        });
        Ok(proxy)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Cuts the connection that sends the next decisive frame.
    pub fn cut_next(&self, cut: Cut) {
        let waiting = match cut {
            Cut::Before => &self.cuts.before,
            Cut::After => &self.cuts.after,
        };
        waiting.fetch_add(1, SeqCst);
    }

    /// How many cuts were made.
    #[must_use]
    pub fn cuts_made(&self) -> u64 {
        self.cuts.made.load(SeqCst)
    }

    /// No cut waits any more, and the weather is fair.
    pub fn calm(&self) {
        self.cuts.before.store(0, SeqCst);
        self.cuts.after.store(0, SeqCst);
        self.set(Weather::Fair);
    }

    fn join(self, client: TcpStream, server: TcpStream, wire: Wire) {
        for stream in [&client, &server] {
            // Crumbs would be put together again; without it they are only slower.
            let _ = stream.set_nodelay(true);
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let over = Arc::new(watch::Sender::new(false));
        let back = Back { from_server, to_client, weather: self.weather.subscribe() };
        tokio::spawn(back.run(Arc::clone(&over)));
        let way = Way { proxy: self, from_client, to_server, frames: Frames::of(wire) };
        tokio::spawn(async move {
            way.run(wire).await;
            over.send_replace(true);
        });
    }
}

/// The bytes of the client's, frame by frame.
struct Way {
    proxy: Proxy,
    from_client: OwnedReadHalf,
    to_server: OwnedWriteHalf,
    frames: Frames,
}

impl Way {
    async fn run(mut self, wire: Wire) {
        while let Some(frame) = self.frames.next(&mut self.from_client).await {
            let weather = *self.proxy.weather.borrow();
            match weather {
                Weather::Late(wait) => sleep(wait).await,
                Weather::Hole => return until_it_clears(self.proxy.weather.subscribe()).await,
                Weather::Busy if wire == Wire::Http => return,
                _ => {}
            }
            let cut = if is_decisive(&frame, wire) { self.proxy.cuts.take() } else { None };
            if cut == Some(Cut::Before) {
                return;
            }
            if pass(&mut self.to_server, &frame, weather).await.is_err() || cut == Some(Cut::After) {
                return;
            }
        }
        sleep(AFTER_CLIENT).await;
    }
}

/// The bytes of the server's, as they come.
struct Back {
    from_server: OwnedReadHalf,
    to_client: OwnedWriteHalf,
    weather: watch::Receiver<Weather>,
}

impl Back {
    /// Until the server ends it, or the other way is over.
    async fn run(mut self, over: Arc<watch::Sender<bool>>) {
        let mut over = over.subscribe();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                read = self.from_server.read(&mut buffer) => read,
                _ = over.wait_for(|it| *it) => break,
            };
            let weather = *self.weather.borrow();
            if weather == Weather::Hole {
                return until_it_clears(self.weather).await;
            }
            match read {
                Ok(1..) if weather == Weather::Busy => break,
                Ok(count @ 1..) if pass(&mut self.to_client, &buffer[..count], weather).await.is_ok() => {}
                _ => return,
            }
        }
        if *self.weather.borrow() == Weather::Busy {
            // The client may be gone already.
            let _ = self.to_client.write_all(BUSY).await;
        }
    }
}

/// What an overloaded server says.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\nretry-after: 1\r\n\r\n";

/// A connection whose bytes went into the hole is of no use afterwards: it ends.
async fn until_it_clears(mut weather: watch::Receiver<Weather>) {
    // The proxy outlives its connections, or nobody waits any more.
    let _ = weather.wait_for(|it| *it != Weather::Hole).await;
}

async fn pass(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8], weather: Weather) -> std::io::Result<()> {
    if weather == Weather::Crumbs {
        for byte in bytes {
            to.write_all(&[*byte]).await?;
            tokio::task::yield_now().await;
        }
        return Ok(());
    }
    to.write_all(bytes).await
}

/// Reads what is there; nothing at the end.
async fn read_some(from: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> bool {
    matches!(from.read_buf(into).await, Ok(1..))
}
