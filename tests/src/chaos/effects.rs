//! What a fault has begun and time must end.

use std::time::{Duration, Instant};

use deploy::embedded::guard::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::proxy::{Door, Proxy, Way, Weather};
use crate::stack::{Role, Stack};

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// The queue.
    Nats,
    /// The record.
    Postgres,
}

/// Something that happens later.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// A stopped process of ours goes on, unless it was killed meanwhile.
    ContinueRole(Role, usize, u32),
    /// The stopped nats-server goes on, unless it was killed meanwhile.
    ContinueNats(u32),
    /// The nats-server that cannot write is started anew, where it can.
    RestartNats,
    /// The weather on the way of a role to a server changes.
    Weather(Role, Server, Way, Weather),
    /// The proxy of a role to a server is as at the start.
    Clear(Role, Server),
    /// What happens to new connections of a role to a server changes.
    Door(Role, Server, Door),
}

/// Effects with the moments at which they happen.
#[derive(Debug, Default)]
pub(super) struct Effects(Vec<(Instant, Effect)>);

impl Effects {
    /// `effect` happens after `delay`.
    pub(super) fn after(&mut self, delay: Duration, effect: Effect) {
        self.0.push((Instant::now() + delay, effect));
    }

    /// Lets happen what is due.
    pub(super) async fn end_due(&mut self, stack: &mut Stack) {
        let now = Instant::now();
        let (due, later) = self.0.drain(..).partition::<Vec<_>, _>(|(when, _)| *when <= now);
        self.0 = later;
        for (_, effect) in due {
            effect.happen(stack).await;
        }
    }

    /// Lets everything happen now, and leaves nothing spoilt.
    pub(super) async fn end_all(&mut self, stack: &mut Stack) {
        for (_, effect) in self.0.drain(..) {
            effect.happen(stack).await;
        }
        for role in [Role::Serve, Role::Planner, Role::Worker, Role::Aggregator] {
            stack.links(role).clear();
        }
    }
}

impl Effect {
    pub(super) async fn happen(self, stack: &mut Stack) {
        match self {
            Self::ContinueRole(role, index, pid) => {
                if stack.runs(role, index) && stack.process(role, index).pid() == pid {
                    stack.process(role, index).signal(Signal::SIGCONT);
                }
            }
            Self::ContinueNats(pid) => {
                if stack.nats.pid() == Some(pid) {
                    signal_nats(stack, Signal::SIGCONT);
                }
            }
            Self::RestartNats => {
                stack.nats.kill().await;
                stack.nats.restart().await.unwrap_or_else(|error| panic!("{error:#}"));
            }
            Self::Weather(role, server, way, weather) => proxy(stack, role, server).set(way, weather),
            Self::Clear(role, server) => proxy(stack, role, server).clear(),
            Self::Door(role, server, door) => proxy(stack, role, server).door(door),
        }
    }
}

/// The proxy between a role and a server.
pub(super) fn proxy(stack: &Stack, role: Role, server: Server) -> &Proxy {
    let links = stack.links(role);
    match server {
        Server::Nats => &links.nats,
        Server::Postgres => &links.postgres,
    }
}

/// Sends a signal to the nats-server.
pub(super) fn signal_nats(stack: &Stack, signal: Signal) {
    if let Some(pid) = stack.nats.pid().and_then(|pid| i32::try_from(pid).ok()) {
        kill(Pid::from_raw(pid), signal).expect("the server is ours");
    }
}
