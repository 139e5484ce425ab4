//! A TCP proxy that spoils what passes through it, as a bad network does: switched while it runs, seeded.

mod line;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use self::line::{End, Line, carry};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From who connects to the server.
    Up,
    /// From the server back.
    Down,
}

/// What becomes of bytes that do not arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Loss {
    /// They arrive.
    #[default]
    None,
    /// They wait until the weather changes, as in a partition that heals before TCP gives up.
    Hold,
    /// They vanish; a connection that lost some is cut when the weather changes, since its stream has a hole.
    Swallow,
}

/// What happens to bytes that go one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Each piece waits this long,
    pub delay: Duration,
    /// and up to this much longer.
    pub jitter: Duration,
    /// Largest write, in bytes; each is of a random size up to it.
    pub slice: Option<usize>,
    /// Bytes a second.
    pub bandwidth: Option<u32>,
    /// Whether they arrive at all.
    pub loss: Loss,
    /// The connection is cut once this many bytes have gone this way under this weather.
    pub cut_after: Option<u64>,
}

/// What happens to new connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Door {
    /// They are connected to the server.
    #[default]
    Open,
    /// They are reset at once.
    Refuse,
    /// They are accepted, and nobody ever answers.
    Silent,
}

/// A proxy in front of one server on loopback; dropping it closes its port and all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    listener: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.line.cut();
    }
}

impl Proxy {
    /// Listens on a free loopback port for connections to `target`, which need not be there yet.
    pub async fn start(target: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("the machine has a free port");
        let address = listener.local_addr().expect("a listener knows its address");
        let line = Arc::new(Line::new(seed));
        let listener = tokio::spawn(accept(listener, target, Arc::clone(&line)));
        Self { address, line, listener }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `url`, with this proxy in place of its host and port.
    pub fn instead_of(&self, url: &str) -> String {
        let (before, after) = url.rsplit_once('@').map_or(("", url), |(before, after)| (before, after));
        let path = after.find('/').map_or("", |at| &after[at..]);
        format!("{before}@{}{path}", self.address)
    }

    /// Changes the weather of one way.
    pub fn set(&self, way: Way, weather: Weather) {
        self.line.change(|state| state.weather[way as usize] = weather);
    }

    /// Changes what happens to new connections.
    pub fn door(&self, door: Door) {
        self.line.change(|state| state.door = door);
    }

    /// Closes every connection with a reset.
    pub fn cut(&self) {
        self.line.cut();
    }

    /// Cuts the next `times` connections that send `bytes`, after the server has answered that and before anybody learns
    /// of the answer: whoever asked cannot know whether it was done.
    pub fn lose_replies_to(&self, bytes: &str, times: usize) {
        self.line.change(|state| state.unanswered = Some((bytes.as_bytes().to_vec(), times)));
    }

    /// How many answers were lost by [`Proxy::lose_replies_to`].
    pub fn replies_lost(&self) -> usize {
        self.line.replies_lost()
    }

    /// Fine weather, an open door, and nothing more to lose.
    pub fn clear(&self) {
        self.line.change(|state| {
            state.weather = Default::default();
            state.door = Door::Open;
            state.unanswered = None;
        });
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, line: Arc<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(serve(client, target, Arc::clone(&line)));
    }
}

async fn serve(mut client: TcpStream, target: SocketAddr, line: Arc<Line>) {
    let mut cuts = line.cuts();
    match line.door() {
        Door::Open => {}
        Door::Refuse => return reset(&client),
        Door::Silent => {
            tokio::select! {
                () = line.until_door_changes(Door::Silent) => {}
                _ = cuts.changed() => {}
            }
            return reset(&client);
        }
    }
    let Ok(mut server) = TcpStream::connect(target).await else {
        return reset(&client);
    };
    let end = tokio::select! {
        end = carry(&mut client, &mut server, &line) => end,
        _ = cuts.changed() => End::Cut,
    };
    if end == End::Cut {
        reset(&client);
        reset(&server);
    }
}

/// A connection that is closed after this is reset, not ended: what is on its way is lost too.
fn reset(stream: &TcpStream) {
    drop(stream.set_zero_linger());
}
