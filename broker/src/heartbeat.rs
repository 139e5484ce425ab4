//! Heartbeats of held messages, from a thread and a connection of their own: a starved runtime loses no lease.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::AckKind;
use async_nats::{Client, Subject};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

use crate::error::BusError;
use crate::pulse::{Pulse, Watch};
use crate::server::Server;

/// The heartbeats of one process. Clones share the thread, which ends with the last of them.
#[derive(Clone)]
pub struct Heartbeats {
    held: Arc<Held>,
    _end: Arc<oneshot::Sender<()>>,
}

/// Messages to say "still at work" for.
struct Held {
    /// How long one step may take before the work counts as hung.
    step_time_max: Duration,
    messages: Mutex<HashMap<u64, Beating>>,
    next: AtomicU64,
}

struct Beating {
    reply: Subject,
    pulse: Arc<Pulse>,
    watch: Watch,
}

/// Keeps one message alive while it exists; dropped, the lease runs out by itself.
pub(crate) struct Heartbeat {
    held: Arc<Held>,
    number: u64,
}

impl fmt::Debug for Heartbeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeats").field("held", &self.held.lock().len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Heartbeat {
    /// From now on the message is kept for as long as this moves or waits.
    pub(crate) fn follow(&self, pulse: &Arc<Pulse>) {
        if let Some(message) = self.held.lock().get_mut(&self.number) {
            (message.pulse, message.watch) = (Arc::clone(pulse), Watch::new(Instant::now()));
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.held.lock().remove(&self.number);
    }
}

impl Held {
    fn new(step_time_max: Duration) -> Self {
        Self { step_time_max, messages: Mutex::default(), next: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Beating>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to answer now: every message whose work moves, or waits for its turn.
    fn moving(&self, now: Instant) -> Vec<Subject> {
        let mut messages = self.lock();
        let moving = messages.values_mut().filter_map(|message| {
            let is_moving = message.watch.stalled(&message.pulse, now) < self.step_time_max;
            is_moving.then(|| message.reply.clone())
        });
        moving.collect()
    }
}

impl Heartbeats {
    /// Starts the thread; it beats once in every `period` for work none of whose steps takes longer than `step_time_max`.
    pub(crate) fn start(server: Server, period: Duration, step_time_max: Duration) -> Result<Self, BusError> {
        let failed = |error: std::io::Error| BusError::Heartbeats { reason: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let held = Arc::new(Held::new(step_time_max));
        let (end, ended) = oneshot::channel();
        let beating = beat(server, Arc::clone(&held), period, ended);
        let thread = std::thread::Builder::new().name("heartbeats".to_owned());
        thread.spawn(move || runtime.block_on(beating)).map_err(failed)?;
        Ok(Self { held, _end: Arc::new(end) })
    }

    /// Keeps the message that `reply` acknowledges while its work moves.
    pub(crate) fn hold(&self, reply: Subject, pulse: &Arc<Pulse>) -> Heartbeat {
        let number = self.held.next.fetch_add(1, Ordering::Relaxed);
        let message = Beating { reply, pulse: Arc::clone(pulse), watch: Watch::new(Instant::now()) };
        self.held.lock().insert(number, message);
        Heartbeat { held: Arc::clone(&self.held), number }
    }
}

async fn beat(server: Server, held: Arc<Held>, period: Duration, mut ended: oneshot::Receiver<()>) {
    let client = match server.connect_lazily("heartbeats").await {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no heartbeats: what takes long will be done twice"),
    };
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ended = &mut ended => return,
            _ = ticks.tick() => {}
        }
        let moving = held.moving(Instant::now());
        if !moving.is_empty() && !say_all(&client, moving, period).await {
            tracing::warn!("cannot extend leases; they may be given to another");
        }
    }
}

/// Whether all of it could be said before it is to be said again.
async fn say_all(client: &Client, moving: Vec<Subject>, within: Duration) -> bool {
    // What is said while there is no connection would be queued, and be old news when there is one again.
    if client.connection_state() != State::Connected {
        return false;
    }
    let saying = async {
        for reply in moving {
            client.publish(reply, AckKind::Progress.into()).await.ok()?;
        }
        client.flush().await.ok()
    };
    matches!(tokio::time::timeout(within, saying).await, Ok(Some(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_hangs_is_not_kept_and_work_that_moves_or_waits_is() {
        let held = Arc::new(Held::new(Duration::from_secs(30)));
        let pulses: [Arc<Pulse>; 3] = Default::default();
        let (end, _ended) = oneshot::channel();
        let heartbeats = Heartbeats { held: Arc::clone(&held), _end: Arc::new(end) };
        let names = ["waits", "moves", "hangs"];
        let kept: Vec<Heartbeat> =
            names.iter().zip(&pulses).map(|(&name, pulse)| heartbeats.hold(name.into(), pulse)).collect();
        let moving = |after: u64| {
            let moving = held.moving(Instant::now() + Duration::from_secs(after));
            let mut moving: Vec<String> = moving.iter().map(ToString::to_string).collect();
            moving.sort();
            moving
        };
        pulses[2].step(|| {
            pulses[1].step(|| assert_eq!(moving(0), ["hangs", "moves", "waits"]));
            pulses[1].step(|| assert_eq!(moving(31), ["moves", "waits"]));
        });
        assert_eq!(moving(62), ["hangs", "moves", "waits"], "what went on after all is kept again");
        drop(kept);
        assert!(held.lock().is_empty(), "an ended lease is forgotten");
    }
}
