//! Tasks from the four consumers that there are, one for each priority, by turns.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schemas::request::Priority;
use schemas::task::TaskKey;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::BusError;
use crate::heartbeat::Heartbeats;
use crate::lease::Lease;
use crate::pulse::Pulse;
use crate::subject::Subject;
use crate::subscription::neighbours::missing;
use crate::subscription::pause;
use crate::subscription::puller::Puller;
use crate::topology;
use crate::turns::{CLASSES, Turns};

/// How long a consumer that was seen empty is not asked again: work in one priority costs about one pull per batch then,
/// not four, and an urgent task still waits for no more than this and the batch under way.
const SEEN_EMPTY: Duration = Duration::from_millis(20);

/// What a pull that waits for a message gave, and of which class.
type Waited = (usize, Result<Vec<Lease>, BusError>);

/// Tasks of every priority.
#[derive(Debug)]
pub struct TaskSubscription {
    heartbeats: Heartbeats,
    pullers: [Puller; CLASSES],
    turns: Turns,
    /// When each class was last seen empty.
    seen_empty: [Option<Instant>; CLASSES],
    /// Pulls that wait for a first message, at most one for each class.
    waits: JoinSet<Waited>,
    is_waiting: [bool; CLASSES],
    /// What came beside the message that was waited for: one for each class at most. Held until it is its turn, which is
    /// next: to give it back would use up one of its deliveries.
    spare: VecDeque<(usize, Lease)>,
    /// The pulse of what waits for its turn: it never begins a step, so it is kept.
    waiting: Arc<Pulse>,
}

impl TaskSubscription {
    /// Tasks of every priority, each kept alive from its arrival on; nothing is fetched yet.
    pub fn new(bus: &Bus, heartbeats: Heartbeats) -> Self {
        Self {
            heartbeats,
            pullers: Priority::ALL.map(|priority| Puller::new(bus.clone(), topology::worker(priority))),
            turns: Turns::default(),
            seen_empty: [None; CLASSES],
            waits: JoinSet::new(),
            is_waiting: [false; CLASSES],
            spare: VecDeque::new(),
            waiting: Arc::default(),
        }
    }

    /// The next tasks, at least one, at most `max` and the rest of the last one's shard, all of one priority: what is there
    /// at once, else the first to come and its neighbours. `None` once `stop` is cancelled and what had come by then was taken.
    pub async fn next(&mut self, max: usize, stop: &CancellationToken) -> Option<Vec<Lease>> {
        loop {
            while let Some(ended) = self.waits.try_join_next() {
                if let Err(error) = self.keep(ended) {
                    tracing::warn!(%error, "trying again");
                }
            }
            if let Some((class, lease)) = self.spare.pop_front() {
                return Some(self.with_neighbours(class, lease, max, stop).await);
            }
            if stop.is_cancelled() && self.waits.is_empty() {
                return None;
            }
            match self.ready_or_wait(max, stop).await {
                Ok(leases) if leases.is_empty() => {}
                Ok(leases) => return Some(leases),
                Err(error) => pause(&error, stop).await,
            }
        }
    }

    /// Waits for the pulls under way, and returns what is held and was not taken.
    pub async fn close(mut self) -> Vec<Lease> {
        while let Some(ended) = self.waits.join_next().await {
            if let Err(error) = self.keep(ended) {
                tracing::debug!(%error, "nothing came of a pull");
            }
        }
        self.spare.into_iter().map(|(_, lease)| lease).collect()
    }

    async fn ready_or_wait(&mut self, max: usize, stop: &CancellationToken) -> Result<Vec<Lease>, BusError> {
        if !stop.is_cancelled() {
            let leases = self.ready(max).await?;
            if !leases.is_empty() {
                return Ok(leases);
            }
            self.wait_on_all().await?;
        }
        match self.waits.join_next().await {
            Some(ended) => self.keep(ended).map(|()| Vec::new()),
            None => Ok(Vec::new()),
        }
    }

    /// A batch of the class whose turn it is among those that may have something now.
    async fn ready(&mut self, max: usize) -> Result<Vec<Lease>, BusError> {
        loop {
            let open = self.open(Instant::now());
            let Some(class) = self.turns.next(open) else { return Ok(Vec::new()) };
            let leases = self.pull(class, max).await?;
            if !leases.is_empty() {
                self.turns.took(class, open);
                return Ok(leases);
            }
        }
    }

    /// Classes that may have something: not those that were just seen empty, nor those whose pull still waits.
    fn open(&self, now: Instant) -> [bool; CLASSES] {
        std::array::from_fn(|class| {
            let is_empty = self.seen_empty[class].is_some_and(|seen| now.duration_since(seen) < SEEN_EMPTY);
            !is_empty && !self.is_waiting[class]
        })
    }

    async fn pull(&mut self, class: usize, max: usize) -> Result<Vec<Lease>, BusError> {
        match self.pullers[class].ready(max).await {
            Ok(leases) => {
                self.seen_empty[class] = leases.is_empty().then(Instant::now);
                let mut leases: Vec<Lease> = leases.into_iter().map(|lease| self.kept_alive(lease)).collect();
                self.complete(class, &mut leases).await;
                Ok(leases)
            }
            Err(error) => {
                self.pullers[class].forget();
                Err(error)
            }
        }
    }

    /// Takes what is left of the batch's last shard, too: another batch would read it again.
    async fn complete(&mut self, class: usize, leases: &mut Vec<Lease>) {
        let missing = missing(&leases.iter().filter_map(task_key).collect::<Vec<_>>());
        if missing == 0 {
            return;
        }
        match self.pullers[class].ready(missing).await {
            Ok(more) => leases.extend(more.into_iter().map(|lease| self.kept_alive(lease))),
            // What is here is enough to begin with.
            Err(error) => {
                tracing::debug!(%error, "a shard's other tasks cannot be had now");
                self.pullers[class].forget();
            }
        }
    }

    async fn wait_on_all(&mut self) -> Result<(), BusError> {
        for class in 0..CLASSES {
            if self.is_waiting[class] {
                continue;
            }
            let first = self.pullers[class].first().await?;
            let (heartbeats, waiting) = (self.heartbeats.clone(), Arc::clone(&self.waiting));
            self.waits.spawn(async move {
                let mut leases = first.await;
                // Here and not where it is taken: nobody may look for as long as all slots are busy.
                for lease in leases.iter_mut().flatten() {
                    lease.keep_alive(&heartbeats, &waiting);
                }
                (class, leases)
            });
            self.is_waiting[class] = true;
        }
        Ok(())
    }

    /// Takes note of a pull that has ended.
    fn keep(&mut self, ended: Result<Waited, tokio::task::JoinError>) -> Result<(), BusError> {
        let (class, leases) = match ended {
            Ok(waited) => waited,
            // Nothing aborts them, so one has panicked; which one is not said, and pulls are cheap.
            Err(error) => {
                tracing::error!(%error, "a pull ended");
                self.is_waiting = [false; CLASSES];
                return Ok(());
            }
        };
        self.is_waiting[class] = false;
        match leases {
            Ok(leases) => {
                self.seen_empty[class] = leases.is_empty().then(Instant::now);
                self.spare.extend(leases.into_iter().map(|lease| (class, lease)));
                self.spare.make_contiguous().sort_by_key(|(class, _)| *class);
                Ok(())
            }
            Err(error) => {
                self.pullers[class].forget();
                Err(error)
            }
        }
    }

    async fn with_neighbours(
        &mut self,
        class: usize,
        lease: Lease,
        max: usize,
        stop: &CancellationToken,
    ) -> Vec<Lease> {
        let mut leases = vec![lease];
        if max > 1 && !stop.is_cancelled() {
            match self.pull(class, max - 1).await {
                Ok(neighbours) => leases.extend(neighbours),
                Err(error) => tracing::warn!(%error, "a task comes without its neighbours"),
            }
        }
        leases
    }

    fn kept_alive(&self, mut lease: Lease) -> Lease {
        lease.keep_alive(&self.heartbeats, &self.waiting);
        lease
    }
}

/// The task that a message is, if its subject says one.
fn task_key(lease: &Lease) -> Option<TaskKey> {
    match lease.subject_text().parse() {
        Ok(Subject::Task(_, key)) => Some(key),
        _ => None,
    }
}
