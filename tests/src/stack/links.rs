//! What lies between a role and the two servers: fault proxies, which a test may spoil.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{Role, Stack};
use crate::process::Run;
use crate::proxy::Proxy;

/// The ways of one role to both servers; all processes of the role share them.
#[derive(Debug)]
pub struct Links {
    /// To the queue.
    pub nats: Proxy,
    /// To the record; a worker has no use for it.
    pub postgres: Proxy,
    nats_url: String,
    database_url: String,
}

impl Links {
    /// The same run through the proxies.
    pub(super) fn lead(&self, mut run: Run) -> Run {
        run.set_env("NATS_URL", &self.nats_url);
        run.set_env("DATABASE_URL", &self.database_url);
        run
    }

    /// Fine weather on both.
    pub fn clear(&self) {
        self.nats.clear();
        self.postgres.clear();
    }
}

impl Stack {
    /// The proxies of a role; the stack must have been started with them.
    pub fn links(&self, role: Role) -> &Links {
        self.links.get(&role).expect("the stack was started with proxies")
    }

    pub(super) async fn start_links(&self) -> BTreeMap<Role, Links> {
        let (nats_url, database_url) = (self.nats.url(), self.postgres.url());
        let mut links = BTreeMap::new();
        for (seed, role) in (0..).zip([Role::Serve, Role::Planner, Role::Worker, Role::Aggregator]) {
            let nats = Proxy::start(address_of(nats_url), seed).await;
            let postgres = Proxy::start(address_of(database_url), seed).await;
            let (nats_url, database_url) = (nats.instead_of(nats_url), postgres.instead_of(database_url));
            links.insert(role, Links { nats, postgres, nats_url, database_url });
        }
        links
    }
}

/// Host and port of a URL with user and password.
fn address_of(url: &str) -> SocketAddr {
    let after = url.rsplit_once('@').map_or(url, |(_, after)| after);
    let host = after.split('/').next().unwrap_or_default();
    host.parse().unwrap_or_else(|error| panic!("{host} is no address on loopback: {error}"))
}
