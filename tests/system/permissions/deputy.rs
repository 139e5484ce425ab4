//! What a worker's key is good for beyond its permissions: a server publishes its answers on whatever subject a request
//! names, without a look at who asked; here, that this leads nowhere.

use async_nats::{Client, ConnectOptions};
use broker::permissions::Role;
use futures::{StreamExt as _, TryStreamExt as _};
use tests::stack::{Stack, StackConfig};

const API: &str = "$JS.AUDIT.API";

async fn client(stack: &Stack, role: Role) -> Client {
    let seed = std::fs::read_to_string(stack.key(role)).unwrap();
    let options = ConnectOptions::with_nkey(seed.trim().to_owned()).custom_inbox_prefix(role.inbox_prefix());
    options.connect(stack.nats.url()).await.unwrap()
}

async fn keyed_services() -> Stack {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.require_keys().await;
    stack.set_up().await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_the_server_speaks_for_a_worker() {
    let stack = keyed_services().await;
    let (worker, operator) = (client(&stack, Role::Worker).await, client(&stack, Role::Operator).await);
    let operator = async_nats::jetstream::new(operator);
    let streams: Vec<String> = operator.stream_names().try_collect().await.unwrap();
    // A dead letter that a purge would remove, and objects that a direct answer repeats: nothing, and a request.
    operator.publish("audit.dlq.exhausted.task", "kept".into()).await.unwrap().await.unwrap();
    for (chunk, text) in [("nothing", ""), ("request", "{\"project\":\"shop\"}")] {
        worker.request(format!("$O.audit_bundles.C.{chunk}"), text.into()).await.unwrap();
    }

    let last = |chunk: &str| format!("{{\"last_by_subj\":\"$O.audit_bundles.C.{chunk}\"}}");
    let asked = [
        (format!("{API}.DIRECT.GET.OBJ_audit_bundles"), last("nothing")),
        (format!("{API}.DIRECT.GET.OBJ_audit_bundles"), last("request")),
        (format!("{API}.STREAM.INFO.OBJ_audit_bundles"), String::new()),
        (format!("{API}.CONSUMER.INFO.AUDIT_TASKS.worker-low"), String::new()),
        (format!("{API}.CONSUMER.MSG.NEXT.AUDIT_TASKS.worker-low"), "{\"batch\":1,\"no_wait\":true}".to_owned()),
        ("$KV.audit_workers.w1".to_owned(), "{}".to_owned()),
    ];
    let answered_to = [
        "audit.request.shop",
        "audit.task.low.git.shop.A.1",
        "audit.event.shop.A.completed",
        "$KV.audit_stopped.A",
        "$JS.API.STREAM.DELETE.AUDIT_RESULTS",
        "$JS.API.STREAM.PURGE.AUDIT_DLQ",
    ];
    for (subject, body) in asked {
        for reply in answered_to {
            worker.publish_with_reply(subject.clone(), reply, body.clone().into()).await.unwrap();
        }
        // Answered in order: after this answer the others were given too.
        worker.request(subject, body.into()).await.unwrap();
    }

    assert_eq!(operator.stream_names().try_collect::<Vec<String>>().await.unwrap(), streams);
    let untouched =
        [("AUDIT_REQ", 0), ("AUDIT_TASKS", 0), ("AUDIT_EVENTS", 0), ("KV_audit_stopped", 0), ("AUDIT_DLQ", 1)];
    for (stream, messages) in untouched {
        let stream = operator.get_stream(stream).await.unwrap();
        assert_eq!(stream.cached_info().state.messages, messages, "{}", stream.cached_info().config.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_hears_of_stops_and_finds_those_of_before() {
    let stack = keyed_services().await;
    let (worker, serve) = (client(&stack, Role::Worker).await, client(&stack, Role::Serve).await);
    serve.request("$KV.audit_stopped.before", "by hand".into()).await.unwrap();
    let mut stops = worker.subscribe("$KV.audit_stopped.*").await.unwrap();
    let next = "{\"seq\":1,\"next_by_subj\":\"$KV.audit_stopped.>\"}";
    let first = worker.request(format!("{API}.DIRECT.GET.KV_audit_stopped"), next.into()).await.unwrap();
    assert_eq!(first.payload, "by hand");

    serve.request("$KV.audit_stopped.after", "by hand too".into()).await.unwrap();
    let heard = stops.next().await.unwrap();
    assert_eq!((heard.subject.as_str(), &heard.payload[..]), ("$KV.audit_stopped.after", &b"by hand too"[..]));
}
