//! The only way from libgit2 to a web server: a port of this machine that leads to one repository.
//!
//! ```text
//! libgit2 ── http://127.0.0.1:port ──► gate ── TLS, to an address that was checked a moment ago ──► server
//! ```
//! libgit2 resolves names by itself, waits for ever, follows redirects within a host and, when a proxy leads it to a server
//! whose certificate is bad, uses memory that it has freed. So it never speaks to a server itself: here a name leads only to
//! checked addresses, certificates are checked, nothing is redirected, and who is silent, slow or endless is cut off.

mod exchange;
mod wire;

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

pub(super) use self::wire::system_tls;
#[cfg(test)]
pub(super) use self::wire::trusting;
use super::fetch::Limits;
use super::remote::{Activity, Stop};
use crate::repository_url::{RepositoryUrl, Scheme};

/// Longest list of branches and tags, in bytes: about 800,000 of them.
const ADVERTISEMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest wait for one address to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Most connections of one fetch: one to list the branches, one for the objects, and one for each of up to thirteen rounds in
/// which both sides find out what they have in common.
const CONNECTIONS_MAX: usize = 32;

/// An open gate; dropping it closes every connection through it.
pub(super) struct Gate {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// Where a gate leads, and within which limits.
pub(super) struct Way {
    pub(super) url: RepositoryUrl,
    /// The addresses of the host, already checked.
    pub(super) addresses: Vec<SocketAddr>,
    /// How to speak TLS, for https.
    pub(super) tls: Arc<ClientConfig>,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    pub(super) activity: Arc<Activity>,
}

struct Shared {
    way: Way,
    received_bytes: AtomicU64,
    closed: AtomicBool,
    /// Both ends of every connection, to be cut when the gate closes.
    streams: Mutex<Vec<TcpStream>>,
}

impl Gate {
    /// Opens a gate on a free port of this machine.
    pub(super) fn open(way: Way) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            way,
            received_bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            streams: Mutex::new(Vec::new()),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("mirror-gate".to_owned()).spawn(move || shared.accept(&listener))?
        };
        Ok(Self { port, shared, accepting: Some(accepting) })
    }

    /// The address under which libgit2 finds the repository.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}", self.port, self.shared.way.url.path())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for stream in self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            cut(stream);
        }
        // Wakes the accepting thread, which then sees that the gate is closed.
        let woken = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, self.port).into(), CONNECT_MAX);
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take())
            && accepting.join().is_err()
        {
            tracing::error!("a thread of the gate panicked");
        }
    }
}

impl Shared {
    fn accept(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            for client in listener.incoming().take(CONNECTIONS_MAX) {
                if self.closed.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(client) = client else { break };
                scope.spawn(move || {
                    if let Err(error) = self.serve(&client) {
                        tracing::debug!(%error, "a connection through the gate ended");
                    }
                    cut(&client);
                });
            }
        });
    }

    /// Connects to the first address that answers.
    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in &self.way.addresses {
            let wait = CONNECT_MAX.min(self.way.limits.stall_max).min(self.time_left()?);
            match TcpStream::connect_timeout(address, wait) {
                Ok(stream) => return self.remember(&stream).map(|()| stream),
                Err(error) => last = error,
            }
        }
        self.way.activity.stop(Stop::Unconnected(io::Error::new(last.kind(), last.to_string())));
        Err(last)
    }

    fn time_left(&self) -> io::Result<Duration> {
        match self.way.deadline.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(left),
            Some(_) | None => {
                self.way.activity.stop(Stop::TimedOut(self.way.limits.time_max));
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }

    /// Counts what came from the server.
    fn count(&self, bytes: usize) -> io::Result<()> {
        let received = self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        let pack_bytes_max = self.way.limits.pack_bytes_max;
        let (what, limit) = match self.way.activity.downloads() {
            true => ("bytes", pack_bytes_max.saturating_add(ADVERTISEMENT_BYTES_MAX)),
            false => ("bytes of branches and tags", ADVERTISEMENT_BYTES_MAX.min(pack_bytes_max)),
        };
        if received <= limit {
            return Ok(());
        }
        self.way.activity.stop(Stop::OverLimit { what, limit });
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn remember(&self, stream: &TcpStream) -> io::Result<()> {
        let stream = stream.try_clone()?;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: either the closing thread finds this one in the list, or this one finds the gate closed.
        if self.closed.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        streams.push(stream);
        Ok(())
    }

    /// The host as the server expects it to be called.
    fn authority(&self) -> String {
        let url = &self.way.url;
        let host = if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() };
        match (url.scheme(), url.port()) {
            (Scheme::Https, 443) | (Scheme::Http, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

/// Ends a connection, which unblocks whoever reads or writes it.
fn cut(stream: &TcpStream) {
    if let Err(error) = stream.shutdown(Shutdown::Both) {
        tracing::trace!(%error, "a connection was already closed");
    }
}
