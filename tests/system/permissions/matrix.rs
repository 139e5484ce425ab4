//! Who may do what, written by hand: the generator's own data would agree with itself.

use broker::permissions::Role::{self, Aggregator, Dashboard, Operator, Planner, Serve, Worker};

/// Streams of the product, those behind its buckets among them, and somebody else's.
const STREAMS: [&str; 12] = [
    "AUDIT_REQ",
    "AUDIT_SCHED",
    "AUDIT_TASKS",
    "AUDIT_RESULTS",
    "AUDIT_EVENTS",
    "AUDIT_DLQ",
    "AUDIT_ADV",
    "OBJ_audit_bundles",
    "KV_audit_workers",
    "KV_audit_stopped",
    "KV_audit_retries",
    "ORDERS",
];

/// Everything that can be asked of a stream, `*` standing for its name. The operator may ask all of it.
const OF_STREAMS: [&str; 29] = [
    "STREAM.CREATE.*",
    "STREAM.UPDATE.*",
    "STREAM.INFO.*",
    "STREAM.DELETE.*",
    "STREAM.PURGE.*",
    "STREAM.SNAPSHOT.*",
    "STREAM.RESTORE.*",
    "STREAM.MSG.GET.*",
    "STREAM.MSG.DELETE.*",
    "STREAM.LEADER.STEPDOWN.*",
    "STREAM.PEER.REMOVE.*",
    "DIRECT.GET.*",
    "DIRECT.GET.*.audit.task.low.git",
    "DIRECT.GET.*.$KV.audit_workers.w1",
    "DIRECT.GET.*.$KV.audit_retries.a.git.1.9",
    "DIRECT.GET.*.$O.audit_bundles.M.x",
    "DIRECT.GET.*.$O.audit_bundles.C.x",
    "CONSUMER.CREATE.*",
    "CONSUMER.CREATE.*.spy",
    "CONSUMER.CREATE.*.spy.audit.task.low.>",
    "CONSUMER.DURABLE.CREATE.*.spy",
    "CONSUMER.INFO.*.spy",
    "CONSUMER.DELETE.*.spy",
    "CONSUMER.MSG.NEXT.*.spy",
    "CONSUMER.NAMES.*",
    "CONSUMER.LIST.*",
    "CONSUMER.PAUSE.*.spy",
    "CONSUMER.RESET.*.spy",
    "CONSUMER.LEADER.STEPDOWN.*.spy",
];

/// What others than the operator may ask of streams.
const GRANTED_OF_STREAMS: [(&str, &[&str], &[Role]); 15] = [
    ("STREAM.CREATE.*", &["AUDIT_REQ", "AUDIT_SCHED", "AUDIT_TASKS", "AUDIT_RESULTS"], &[Planner]),
    ("STREAM.CREATE.*", &["AUDIT_EVENTS", "AUDIT_DLQ", "AUDIT_ADV", "OBJ_audit_bundles"], &[Planner]),
    ("STREAM.CREATE.*", &["KV_audit_workers", "KV_audit_stopped", "KV_audit_retries"], &[Planner]),
    ("STREAM.INFO.*", &["AUDIT_REQ", "AUDIT_SCHED", "AUDIT_TASKS", "AUDIT_RESULTS"], &[Serve, Planner]),
    ("STREAM.INFO.*", &["AUDIT_EVENTS", "AUDIT_DLQ", "AUDIT_ADV"], &[Serve, Planner]),
    ("STREAM.INFO.*", &["KV_audit_workers", "KV_audit_stopped", "KV_audit_retries"], &[Planner]),
    ("STREAM.INFO.*", &["OBJ_audit_bundles"], &[Planner, Worker, Aggregator]),
    ("STREAM.PURGE.*", &["AUDIT_TASKS", "OBJ_audit_bundles"], &[Planner]),
    ("STREAM.MSG.GET.*", &["AUDIT_REQ", "AUDIT_SCHED", "AUDIT_TASKS", "AUDIT_RESULTS"], &[Aggregator]),
    ("STREAM.MSG.DELETE.*", &["AUDIT_REQ", "AUDIT_SCHED", "AUDIT_TASKS", "AUDIT_RESULTS"], &[Aggregator]),
    ("DIRECT.GET.*", &["OBJ_audit_bundles"], &[Planner, Worker, Aggregator]),
    ("DIRECT.GET.*", &["KV_audit_workers"], &[Serve, Planner]),
    ("DIRECT.GET.*.$O.audit_bundles.M.x", &["OBJ_audit_bundles"], &[Planner, Worker, Aggregator]),
    ("DIRECT.GET.*.$KV.audit_retries.a.git.1.9", &["KV_audit_retries"], &[Worker]),
    ("DIRECT.GET.*", &["KV_audit_stopped"], &[Worker]),
];

/// The consumers of the product, what they read where that is not all, and who receives from them.
const CONSUMERS: [(&str, &str, &str, Role); 9] = [
    ("AUDIT_REQ", "planner", "", Planner),
    ("AUDIT_SCHED", "fire", ".audit.fire.>", Planner),
    ("AUDIT_TASKS", "worker-critical", ".audit.task.critical.>", Worker),
    ("AUDIT_TASKS", "worker-high", ".audit.task.high.>", Worker),
    ("AUDIT_TASKS", "worker-normal", ".audit.task.normal.>", Worker),
    ("AUDIT_TASKS", "worker-low", ".audit.task.low.>", Worker),
    ("AUDIT_RESULTS", "aggregator", "", Aggregator),
    ("AUDIT_DLQ", "letters", "", Aggregator),
    ("AUDIT_ADV", "janitor", "", Aggregator),
];

/// Everything else.
const PUBLISH: [(&str, &[Role]); 44] = [
    ("audit.request", &[Serve, Planner, Operator]),
    ("audit.request.shop", &[Serve, Planner, Operator]),
    ("audit.request.shop.more", &[Operator]),
    // Only the server fires, and it asks nobody; by hand it is the operator too.
    ("audit.sched.shop.nightly", &[Operator]),
    ("audit.fire.shop.nightly", &[Operator]),
    ("audit.task.low.git.shop.A.1", &[Serve, Planner, Operator]),
    ("audit.task.low.git.shop.A", &[Operator]),
    ("audit.result.git.shop.A.1", &[Worker, Operator]),
    ("audit.result.git.shop.A", &[Operator]),
    ("audit.event.shop.A.accepted", &[Serve, Planner, Aggregator, Operator]),
    ("audit.event.shop.A.completed", &[Serve, Planner, Aggregator, Operator]),
    ("audit.event.shop.A.rejected", &[Serve, Planner, Worker, Aggregator, Operator]),
    ("audit.event._._.rejected", &[Serve, Planner, Worker, Aggregator, Operator]),
    ("audit.dlq.exhausted.request", &[Planner, Aggregator, Operator]),
    ("audit.dlq.exhausted.task", &[Planner, Worker, Aggregator, Operator]),
    ("audit.dlq.exhausted.result", &[Aggregator, Operator]),
    ("audit.other", &[Operator]),
    ("orders.new", &[]),
    ("$O.audit_bundles.M.x", &[Planner, Worker, Operator]),
    ("$O.audit_bundles.C.x", &[Planner, Worker, Operator]),
    ("$O.orders.M.x", &[Operator]),
    ("$KV.audit_workers.w1", &[Worker, Operator]),
    ("$KV.audit_stopped.A", &[Serve, Planner, Operator]),
    ("$KV.audit_retries.A.git.1.9", &[Worker, Operator]),
    ("$KV.orders.x", &[Operator]),
    ("$JS.API.INFO", &[Serve, Operator]),
    ("$JS.API.STREAM.NAMES", &[Operator]),
    ("$JS.API.STREAM.LIST", &[Operator]),
    ("$JS.API.ACCOUNT.PURGE.AUDIT", &[Operator]),
    ("$JS.API.META.LEADER.STEPDOWN", &[Operator]),
    ("$JS.FC.KV_audit_stopped.c.x", &[Operator]),
    ("$JS.FC.hub.hash.KV_audit_stopped.c.x", &[Operator]),
    ("$JS.FC.AUDIT_TASKS.c.x", &[Operator]),
    // Two forms of one subject, made to look like each other: the first acknowledges a result; the second, of a task in a
    // domain with a strange name, nothing that there is.
    ("$JS.ACK.AUDIT_RESULTS.aggregator.AUDIT_TASKS.worker-low.1.2.3", &[Aggregator, Operator]),
    ("$JS.ACK.AUDIT_RESULTS.aggregator.AUDIT_TASKS.worker-low.1.2.3.4.5", &[Worker, Operator]),
    ("$JS.ACK.ORDERS.c.1.2.3.4.5", &[Operator]),
    // Only the server says these.
    ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_TASKS.worker-low", &[]),
    ("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.AUDIT_TASKS.worker-low", &[]),
    ("$SYS.REQ.SERVER.PING", &[]),
    ("$SYS.REQ.ACCOUNT.PING.CONNZ", &[]),
    ("_INBOX.x", &[]),
    ("_INBOX_serve.x", &[]),
    ("_INBOX_worker.x", &[]),
    ("_INBOX_operator.x", &[]),
];

const SUBSCRIBE: [(&str, &[Role]); 30] = [
    (">", &[]),
    ("*.>", &[]),
    ("audit.>", &[Operator]),
    ("audit.event.>", &[Dashboard, Operator]),
    ("audit.event.shop.>", &[Dashboard, Operator]),
    ("audit.event.shop.*.completed", &[Dashboard, Operator]),
    ("audit.request", &[Operator]),
    ("audit.request.>", &[Operator]),
    ("audit.sched.>", &[Operator]),
    ("audit.fire.>", &[Operator]),
    ("audit.task.>", &[Operator]),
    ("audit.result.>", &[Operator]),
    ("audit.dlq.>", &[Operator]),
    ("_INBOX.>", &[Operator]),
    ("_INBOX_serve.>", &[Serve]),
    ("_INBOX_planner.>", &[Planner]),
    ("_INBOX_worker.>", &[Worker]),
    ("_INBOX_aggregator.>", &[Aggregator]),
    ("_INBOX_dashboard.>", &[]),
    ("_INBOX_operator.>", &[Operator]),
    ("$JS.EVENT.>", &[Operator]),
    ("$JS.API.>", &[]),
    ("$JS.ACK.>", &[]),
    ("$KV.audit_workers.>", &[]),
    ("$KV.audit_stopped.*", &[Worker]),
    // A server takes this for one token where `*` is allowed; no key has more.
    ("$KV.audit_stopped.>", &[Worker]),
    ("$KV.>", &[]),
    ("$O.>", &[]),
    ("$SYS.>", &[]),
    ("orders.>", &[]),
];

/// Every subject to publish to, and who may.
pub(super) fn publish() -> Vec<(String, Vec<Role>)> {
    let rest = PUBLISH.iter().map(|(subject, allowed)| ((*subject).to_owned(), allowed.to_vec()));
    of_streams().chain(of_consumers()).chain(rest).collect()
}

/// Every subject to subscribe to, and who may.
pub(super) fn subscribe() -> Vec<(String, Vec<Role>)> {
    SUBSCRIBE.iter().map(|(subject, allowed)| ((*subject).to_owned(), allowed.to_vec())).collect()
}

fn of_streams() -> impl Iterator<Item = (String, Vec<Role>)> {
    OF_STREAMS.into_iter().flat_map(|verb| {
        STREAMS.into_iter().map(move |stream| {
            let granted = GRANTED_OF_STREAMS.iter().filter(|(of, streams, _)| *of == verb && streams.contains(&stream));
            let mut allowed: Vec<Role> = granted.flat_map(|(_, _, roles)| roles.to_vec()).collect();
            allowed.push(Operator);
            (format!("$JS.API.{}", verb.replace('*', stream)), allowed)
        })
    })
}

fn of_consumers() -> impl Iterator<Item = (String, Vec<Role>)> {
    CONSUMERS.into_iter().flat_map(|(stream, name, filter, receiver)| {
        let also_the_planner = if receiver == Planner { vec![Planner] } else { vec![receiver, Planner] };
        let rows: [(String, &[Role]); 10] = [
            (format!("$JS.API.CONSUMER.INFO.{stream}.{name}"), &also_the_planner),
            (format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"), &[receiver]),
            (format!("$JS.ACK.{stream}.{name}.1.2.3.4.5"), &[receiver]),
            (format!("$JS.ACK.hub.hash.{stream}.{name}.1.2.3.4.5"), &[receiver]),
            (format!("$JS.ACK.hub.hash.{stream}.{name}.1.2.3.4.5.random"), &[receiver]),
            (format!("$JS.API.CONSUMER.CREATE.{stream}.{name}{filter}"), &[Planner]),
            (format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.other.>"), &[]),
            (format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}"), &[]),
            (format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"), &[]),
            (format!("$JS.API.CONSUMER.PAUSE.{stream}.{name}"), &[]),
        ];
        rows.map(|(subject, allowed)| (subject, [allowed, &[Operator]].concat()))
    })
}
