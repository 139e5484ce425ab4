//! The connections of one proxy: how bytes are carried under the weather of the moment.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Door, Loss, Way, Weather};
use crate::random::Random;

/// Bytes carried at once.
const PIECE_BYTES: usize = 16 * 1024;

/// What a proxy does at the moment.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// By [`Way`].
    pub(super) weather: [Weather; 2],
    pub(super) door: Door,
    /// What must be sent for the answer to get lost, and how often still.
    pub(super) unanswered: Option<(Vec<u8>, usize)>,
}

/// What all connections of a proxy share.
#[derive(Debug)]
pub(super) struct Line {
    state: watch::Sender<State>,
    cuts: watch::Sender<u64>,
    random: Mutex<Random>,
    replies_lost: AtomicUsize,
}

impl Line {
    pub(super) fn new(seed: u64) -> Self {
        let (state, cuts) = (watch::Sender::new(State::default()), watch::Sender::new(0));
        Self { state, cuts, random: Mutex::new(Random::new(seed)), replies_lost: AtomicUsize::new(0) }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    pub(super) fn door(&self) -> Door {
        self.state.borrow().door
    }

    pub(super) fn replies_lost(&self) -> usize {
        self.replies_lost.load(Ordering::Relaxed)
    }

    pub(super) async fn until_door_changes(&self, from: Door) {
        drop(self.state.subscribe().wait_for(|state| state.door != from).await);
    }

    fn weather(&self, way: Way) -> Weather {
        self.state.borrow().weather[way as usize]
    }

    /// A number below `end`.
    fn below(&self, end: usize) -> usize {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).below(end.max(1))
    }

    /// Whether the answer to these bytes is to get lost.
    fn is_unanswered(&self, bytes: &[u8]) -> bool {
        let mut taken = false;
        self.state.send_if_modified(|state| {
            if let Some((wanted, times)) = &mut state.unanswered
                && *times > 0
                && bytes.windows(wanted.len()).any(|window| window == wanted.as_slice())
            {
                *times -= 1;
                taken = true;
            }
            false
        });
        taken
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// One side closed it.
    Closed,
    /// It was cut.
    Cut,
}

/// Carries both ways until one of them ends.
pub(super) async fn carry(client: &mut TcpStream, server: &mut TcpStream, line: &Line) -> End {
    // Small pieces are to arrive as small pieces.
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    let ((client_read, client_write), (server_read, server_write)) = (client.split(), server.split());
    let is_doomed = AtomicBool::new(false);
    tokio::select! {
        end = pump(client_read, server_write, Way::Up, line, &is_doomed) => end,
        end = pump(server_read, client_write, Way::Down, line, &is_doomed) => end,
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, way: Way, line: &Line, is_doomed: &AtomicBool) -> End {
    let mut buffer = vec![0; PIECE_BYTES];
    let mut state = line.state.subscribe();
    let (mut carried, mut has_hole) = (0, false);
    let mut weather = line.weather(way);
    loop {
        let length = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(length) if length > 0 => length,
                _ended => return End::Closed,
            },
            _ = state.changed() => 0,
        };
        if line.weather(way) != weather {
            (weather, carried) = (line.weather(way), 0);
        }
        if has_hole && weather.loss != Loss::Swallow {
            return End::Cut;
        }
        if length == 0 {
            continue;
        }
        match way {
            Way::Up if line.is_unanswered(&buffer[..length]) => is_doomed.store(true, Ordering::Relaxed),
            Way::Down if is_doomed.load(Ordering::Relaxed) => {
                line.replies_lost.fetch_add(1, Ordering::Relaxed);
                return End::Cut;
            }
            _ => {}
        }
        match weather.loss {
            Loss::None => {}
            Loss::Swallow => {
                has_hole = true;
                continue;
            }
            Loss::Hold => {
                drop(state.wait_for(|state| state.weather[way as usize].loss != Loss::Hold).await);
                weather = line.weather(way);
            }
        }
        carried += length as u64;
        if write(&mut to, &buffer[..length], weather, line).await.is_err() {
            return End::Closed;
        }
        if weather.cut_after.is_some_and(|limit| carried >= limit) {
            return End::Cut;
        }
    }
}

async fn write(to: &mut WriteHalf<'_>, mut bytes: &[u8], weather: Weather, line: &Line) -> io::Result<()> {
    let Weather { delay, jitter, slice, bandwidth, .. } = weather;
    let jitter = line.below(usize::try_from(jitter.as_micros()).unwrap_or(usize::MAX)) as u64;
    let pause = delay + Duration::from_micros(jitter);
    if !pause.is_zero() {
        sleep(pause).await;
    }
    while !bytes.is_empty() {
        let length = slice.map_or(bytes.len(), |most| 1 + line.below(most)).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        to.write_all(piece).await?;
        bytes = rest;
        if let Some(bandwidth) = bandwidth {
            sleep(Duration::from_secs(1) * u32::try_from(length).unwrap_or(u32::MAX) / bandwidth.max(1)).await;
        }
    }
    Ok(())
}
