//! Three nats-servers on loopback as one JetStream cluster, whose routes and stores a test may spoil.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use async_nats::{Client, jetstream};
use bytes::Bytes;
use deploy::embedded::guard::Signal;
use deploy::embedded::ports;
use serde_json::Value;

use crate::nats;
use crate::process::{Process, Run};
use crate::proxy::Proxy;
use crate::stack::tools;
use crate::wait::{LONG, wait_for};

/// Servers: the fewest of which one can be lost.
pub const NODES: usize = 3;

const USER: &str = "elder";
const PASSWORD: &str = "only-for-tests";

/// The servers with their routes; dropping it kills them.
pub struct Cluster {
    nodes: Vec<Node>,
    /// The proxy on the way from one node (first index) to another (second).
    routes: Vec<Vec<Option<Proxy>>>,
}

struct Node {
    run: Run,
    process: Option<Process>,
    client: u16,
    store: PathBuf,
}

impl Cluster {
    /// Starts all three in `folder` and waits until they have a leader.
    pub async fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("the test's folder can be written to");
        let ports: Vec<(u16, u16)> = (0..NODES).map(|_| (free_port(), free_port())).collect();
        let mut routes = Vec::new();
        for from in 0..NODES {
            let mut line = Vec::new();
            for (to, (_, route)) in ports.iter().enumerate() {
                let target = SocketAddr::from((Ipv4Addr::LOCALHOST, *route));
                let seed = u64::try_from(from * NODES + to).expect("it is below nine");
                line.push(if from == to { None } else { Some(Proxy::start(target, seed).await) });
            }
            routes.push(line);
        }
        let program = tools().map_or_else(|| "nats-server".into(), |tools| tools.join("bin/nats-server"));
        let mut nodes = Vec::new();
        for (number, (client, route)) in ports.into_iter().enumerate() {
            let store = folder.join(format!("store-{number}"));
            let others = routes[number].iter().flatten().map(Proxy::address);
            let file = folder.join(format!("node-{number}.conf"));
            fs::write(&file, configuration(number, client, route, &store, others))
                .expect("the folder can be written to");
            let mut run = Run::new(folder, &format!("node-{number}"), ["--config".into(), file.into_os_string()]);
            run.program.clone_from(&program);
            let process = Some(run.start().await);
            nodes.push(Node { run, process, client, store });
        }
        let cluster = Self { nodes, routes };
        cluster.has_leader().await;
        cluster
    }

    /// All servers, as a client needs them.
    pub fn url(&self) -> String {
        let servers = (0..NODES).map(|number| self.url_of(number));
        servers.collect::<Vec<_>>().join(",")
    }

    /// One server.
    pub fn url_of(&self, number: usize) -> String {
        format!("nats://{USER}:{PASSWORD}@127.0.0.1:{}", self.nodes[number].client)
    }

    /// The servers that run.
    pub fn pids(&self) -> Vec<u32> {
        self.nodes.iter().filter_map(|node| Some(node.process.as_ref()?.pid())).collect()
    }

    /// SIGKILL.
    pub async fn kill(&mut self, number: usize) {
        if let Some(process) = self.nodes[number].process.take() {
            process.kill().await;
        }
    }

    /// Starts a server again as it was.
    pub async fn restart(&mut self, number: usize) {
        self.kill(number).await;
        let node = &mut self.nodes[number];
        node.process = Some(node.run.start().await);
    }

    /// Its disk is lost; it must not run.
    pub fn wipe(&self, number: usize) {
        assert!(self.nodes[number].process.is_none(), "a running server would go on writing");
        let store = &self.nodes[number].store;
        fs::remove_dir_all(store).unwrap_or_else(|error| panic!("{}: {error}", store.display()));
    }

    /// Sends a signal, e.g. SIGSTOP.
    pub fn signal(&self, number: usize, signal: Signal) {
        self.nodes[number].process.as_ref().expect("the server runs").signal(signal);
    }

    /// Every proxy between a server and the two others, both ways.
    pub fn routes_of(&self, number: usize) -> impl Iterator<Item = &Proxy> {
        let from = self.routes[number].iter().flatten();
        let to = self.routes.iter().filter_map(move |line| line[number].as_ref());
        from.chain(to)
    }

    /// Which server leads a stream.
    pub async fn leader_of(&self, stream: &str) -> usize {
        wait_for(&format!("a leader of {stream}"), LONG, async || {
            let context = jetstream::new(nats::try_connect(&self.url()).await?);
            let leader = context.get_stream(stream).await.ok()?.cached_info().cluster.clone()?.leader?;
            (0..NODES).find(|number| name(*number) == leader)
        })
        .await
    }

    /// Which server leads a stream, as the servers but `number` see it; nothing while they see none.
    pub async fn leader_seen_without(&self, number: usize, stream: &str) -> Option<usize> {
        let others = (0..NODES).filter(|&other| other != number).map(|other| self.url_of(other));
        let context = jetstream::new(nats::try_connect(&others.collect::<Vec<_>>().join(",")).await?);
        let leader = context.get_stream(stream).await.ok()?.cached_info().cluster.clone()?.leader?;
        (0..NODES).find(|number| name(*number) == leader)
    }

    /// Waits until every server is up to date on every stream and every consumer: only then another one may be lost. A group
    /// of which one copy is new and another gone has no majority that knows its state, and elects nobody.
    pub async fn is_whole(&self) {
        wait_for("all replicas of all streams and consumers to be current", LONG, async || {
            let client = nats::try_connect(&self.url()).await?;
            let streams = asked(&client, "STREAM.LIST", "streams").await?;
            for stream in &streams {
                let name = stream["config"]["name"].as_str()?;
                let consumers = asked(&client, &format!("CONSUMER.LIST.{name}"), "consumers").await?;
                consumers.iter().chain([stream]).all(is_current).then_some(())?;
            }
            (!streams.is_empty()).then_some(())
        })
        .await;
    }

    async fn has_leader(&self) {
        wait_for("the cluster to have a leader", LONG, async || {
            let context = jetstream::new(nats::try_connect(&self.url()).await?);
            context.query_account().await.ok().map(drop)
        })
        .await;
    }
}

/// A list that JetStream gives; nothing while it cannot give all of it.
async fn asked(client: &Client, what: &str, list: &str) -> Option<Vec<Value>> {
    let answer = client.request(format!("$JS.API.{what}"), Bytes::new()).await.ok()?;
    let answer: Value = serde_json::from_slice(&answer.payload).ok()?;
    let listed = answer[list].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_complete = answer["error"].is_null() && answer["total"] == listed.len();
    is_complete.then(|| listed.to_vec())
}

/// Whether a stream or a consumer has as many copies as it is to have, all of them up to date.
fn is_current(info: &Value) -> bool {
    let copies = info["config"]["num_replicas"].as_u64().filter(|copies| *copies > 0).unwrap_or(NODES as u64);
    let replicas = info["cluster"]["replicas"].as_array().map(Vec::as_slice).unwrap_or_default();
    let current = replicas.iter().filter(|replica| replica["current"] == true && replica["offline"] != true).count();
    info["cluster"]["leader"].is_string() && current as u64 + 1 == copies
}

fn free_port() -> u16 {
    ports::any_free().expect("the machine has a free port")
}

fn name(number: usize) -> String {
    format!("node-{number}")
}

fn configuration(
    number: usize,
    client: u16,
    route: u16,
    store: &Path,
    others: impl Iterator<Item = SocketAddr>,
) -> String {
    let routes: Vec<String> = others.map(|address| format!("nats-route://{address}")).collect();
    // Routes as they are written here and no others: what servers tell each other would lead around the proxies.
    format!(
        "server_name: {}\n\
         listen: \"127.0.0.1:{client}\"\n\
         jetstream {{\n  store_dir: \"{}\"\n}}\n\
         cluster {{\n  name: tests\n  listen: \"127.0.0.1:{route}\"\n  no_advertise: true\n  pool_size: -1\n  routes: [{}]\n}}\n\
         authorization {{\n  user: {USER}\n  password: \"{PASSWORD}\"\n}}\n",
        name(number),
        store.display(),
        routes.join(", "),
    )
}
