//! One trace from the webhook to the verdict, through every log and message; and no secret in any of them.

use std::sync::{Arc, Mutex};

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::{Client, HeaderMap, Message};
use futures::StreamExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::fixture;
use tests::repository::FixtureRepository;
use tests::stack::{Role, SECRET, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use uuid::Uuid;

const TRACE: &str = "Audit-Trace";

/// Characters of a token that `serve` refuses.
const TOO_SHORT: usize = 12;

/// The streams of messages. Bundles are none of them: they are the source code itself, secrets included.
const STREAMS: [&str; 5] = ["AUDIT_REQ", "AUDIT_TASKS", "AUDIT_RESULTS", "AUDIT_EVENTS", "AUDIT_DLQ"];

/// Everything published from now on: tasks and results are gone from their streams once they are dealt with.
struct Tap {
    client: Client,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Tap {
    async fn open(stack: &Stack) -> Self {
        let client = tests::nats::connect(stack.nats.url()).await;
        let mut messages = client.subscribe("audit.>").await.unwrap();
        client.flush().await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                kept.lock().unwrap().push(message);
            }
        });
        Self { client, seen }
    }

    /// Subjects and traces of what was published about an audit, once its end is among it.
    async fn about(&self, audit: &str) -> Vec<(String, String)> {
        wait_for(&format!("the end of {audit}"), LONG, async || {
            let seen = self.seen.lock().unwrap();
            let about = seen.iter().filter(|message| {
                message.subject.contains(audit) || String::from_utf8_lossy(&message.payload).contains(audit)
            });
            let about: Vec<_> = about.map(|message| (message.subject.to_string(), trace_of(message))).collect();
            about.iter().any(|(subject, _)| subject.ends_with(".completed")).then_some(about)
        })
        .await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The trace out of the W3C header; nothing if there is none.
fn trace_of(message: &Message) -> String {
    let header = message.headers.as_ref().and_then(|headers| headers.get(TRACE));
    header.and_then(|header| header.as_str().split('-').nth(1)).unwrap_or_default().to_owned()
}

/// Waits until some process of the role has logged a line of this trace.
async fn logged(stack: &Stack, role: Role, processes: usize, trace: &str) {
    wait_for(&format!("a line of trace {trace} in the log of {role:?}"), LONG, async || {
        let logs = (0..processes).map(|index| stack.process(role, index).log());
        logs.into_iter().find(|log| log.lines().any(|line| is_of(line, trace))).map(|_| ())
    })
    .await;
}

/// Whether a line is JSON and of this trace, by itself or by the span it was written in.
fn is_of(line: &str, trace: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    line["trace_id"] == trace || line["span"]["trace_id"] == trace
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_request_to_the_verdict() {
    let stack = Stack::start().await;
    let tap = Tap::open(&stack).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;

    let audit = stack.push("shop", None, &tip).await;
    let ended = stack.ended(&audit).await;
    let trace = text(&ended["trace_id"]).to_owned();
    for (role, processes) in [(Role::Serve, 1), (Role::Planner, 1), (Role::Worker, 2), (Role::Aggregator, 1)] {
        logged(&stack, role, processes, &trace).await;
    }
    let about = tap.about(&audit).await;
    for kind in ["audit.request.", "audit.task.", "audit.result.", ".accepted", ".started", ".completed"] {
        assert!(about.iter().any(|(subject, _)| subject.contains(kind)), "nothing of {kind} in {about:?}");
    }
    let strays: Vec<_> = about.iter().filter(|(_, found)| *found != trace).collect();
    assert!(strays.is_empty(), "not of trace {trace}: {strays:?}");
    stored_events_are_of(&tap.client, &audit, &trace).await;

    a_trace_from_outside_is_kept(&stack, &tap).await;
    a_trace_made_up_is_made_up_once(&stack, &tap).await;
}

async fn stored_events_are_of(client: &Client, audit: &str, trace: &str) {
    let messages = stored(client, "AUDIT_EVENTS").await;
    let events: Vec<_> = messages.iter().filter(|message| message.subject.contains(audit)).collect();
    assert!(events.len() >= 3, "accepted, started, completed: {events:?}");
    assert!(events.iter().all(|event| trace_of(event) == trace), "{events:?}");
}

/// Every message that a stream holds now.
async fn stored(client: &Client, stream: &str) -> Vec<Message> {
    let mut stream = async_nats::jetstream::new(client.clone()).get_stream(stream).await.unwrap();
    let mut left = stream.info().await.unwrap().state.messages;
    let mut found = Vec::new();
    if left == 0 {
        return found;
    }
    // Reading a queue with a consumer would take from it, so those are read by number.
    let state = stream.cached_info().state.clone();
    if stream.cached_info().config.retention == async_nats::jetstream::stream::RetentionPolicy::WorkQueue {
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(raw) = stream.get_raw_message(sequence).await {
                let (subject, payload, headers) = (raw.subject, raw.payload, Some(raw.headers));
                found.push(Message {
                    subject,
                    reply: None,
                    length: payload.len(),
                    payload,
                    headers,
                    status: None,
                    description: None,
                });
            }
        }
        return found;
    }
    let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    while left > 0 {
        found.push(messages.next().await.unwrap().unwrap().split().0);
        left -= 1;
    }
    found
}

async fn a_trace_from_outside_is_kept(stack: &Stack, tap: &Tap) {
    let (trace, audit) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().to_string());
    let mut headers = HeaderMap::new();
    headers.insert(TRACE, format!("00-{trace}-00f067aa0ba902b7-01"));
    let body = json!({"project": "shop", "audit": audit, "magics": ["tdd"]}).to_string();
    tap.client.publish_with_headers("audit.request", headers, body.into()).await.unwrap();
    let about = tap.about(&audit).await;
    assert!(about.iter().all(|(_, found)| *found == trace), "{about:?}");
    assert_eq!(text(&stack.ended(&audit).await["trace_id"]), trace);
}

/// Messages by hand have no trace; what is made up for one must tie together all that comes of it.
async fn a_trace_made_up_is_made_up_once(stack: &Stack, tap: &Tap) {
    let (requested, by_hand) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let body = json!({"project": "shop", "audit": requested, "magics": ["tdd"]}).to_string();
    tap.client.publish("audit.request", body.into()).await.unwrap();
    let body = json!({"files": [{"path": "a.py", "text": "# FIXME x\n"}]}).to_string();
    let subject = format!("audit.task.normal.integrity.shop.{by_hand}.0");
    tap.client.publish(subject, body.into()).await.unwrap();
    for (audit, role, processes) in [(requested, Role::Planner, 1), (by_hand, Role::Worker, 2)] {
        let trace = text(&stack.ended(&audit).await["trace_id"]).to_owned();
        let about = tap.about(&audit).await;
        // The very message that had none is among them.
        let strays: Vec<_> = about.iter().filter(|(_, found)| *found != trace && !found.is_empty()).collect();
        assert!(strays.is_empty() && about.iter().filter(|(_, found)| *found == trace).count() > 1, "{about:?}");
        logged(stack, role, processes, &trace).await;
    }
}

/// What must not get out, by name.
fn secrets(stack: &Stack) -> Vec<(&'static str, String)> {
    let password = |url: &str| {
        let (login, _) = url.split_once('@').unwrap();
        login.rsplit_once(':').unwrap().1.to_owned()
    };
    vec![
        ("the API token and webhook secret, or its beginning", SECRET[..TOO_SHORT].to_owned()),
        ("the database's password", password(stack.postgres.url())),
        ("the password of NATS", password(stack.nats.url())),
        ("the key in the fixture", ["AKIA", "Z7Q4M2X6", "T5W3N2KD"].concat()),
        ("the key beside a comment", ["AKIA", "Q3X6K5N2", "V7T4M6WD"].concat()),
        ("the key in a commit's subject", ["AKIA", "R5T6W2K7", "X4N2Q3MD"].concat()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_published_or_kept() {
    let mut stack = Stack::start_with(StackConfig { workers: 1, ..StackConfig::default() }).await;
    let tap = Tap::open(&stack).await;
    let secrets = secrets(&stack);
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    fixture::build(&mut repository);
    let key = &secrets[4].1;
    repository.file("deploy/keys.py", format!("KEY = \"{key}\"  # FIXME: rotate {key}\n"));
    let tip = repository.commit(&format!("wip: {}", secrets[5].1));
    stack.register("shop", &repository).await;
    let audit = stack.push("shop", None, &tip).await;
    assert_eq!(stack.ended(&audit).await["state"], "completed");

    // What goes wrong is what tells most.
    stack.api().anonymous().get("/metrics").await.expect(401);
    tap.client.publish("audit.request", "{".into()).await.unwrap();
    stack.postgres.kill().await;
    stack.api().get("/health/ready").await.expect(503);
    stack.api().post("/api/v1/projects/shop/audit/trigger", &json!({})).await.expect(503);
    stack.postgres.restart().await.unwrap();
    wait_for("a letter about the bad request", LONG, async || {
        let metrics = stack.api().get("/metrics").await;
        text(&metrics.body).contains("elder_dead_letters 1\n").then_some(())
    })
    .await;

    let mut places = logs(&stack).await;
    for stream in STREAMS {
        let messages = stored(&tap.client, stream).await;
        places.extend(messages.iter().map(|message| (format!("stream {stream}"), format!("{message:?}"))));
    }
    let seen: Vec<String> = tap.seen.lock().unwrap().iter().map(|message| format!("{:?}", shown(message))).collect();
    places.extend(seen.into_iter().map(|message| ("a message".to_owned(), message)));
    places.extend(tables(&stack).await);
    for what in ["audit ended", "integrity/committed-secret", "deploy/keys.py", "AKIA***", "Audit-Trace"] {
        assert!(places.iter().any(|(_, text)| text.contains(what)), "`{what}` is nowhere, so nothing was looked at");
    }
    for (name, secret) in &secrets {
        let found: Vec<_> = places.iter().filter(|(_, text)| text.contains(secret.as_str())).collect();
        assert!(found.is_empty(), "{name} is in {found:#?}");
    }
}

/// A message as text, where its bytes would be numbers.
fn shown(message: &Message) -> (String, String, &Option<HeaderMap>) {
    (message.subject.to_string(), String::from_utf8_lossy(&message.payload).into_owned(), &message.headers)
}

/// What every role has written, and what commands say that are given addresses which cannot be right.
async fn logs(stack: &Stack) -> Vec<(String, String)> {
    let roles = [Role::Serve, Role::Planner, Role::Worker, Role::Aggregator];
    let mut logs: Vec<_> = roles.map(|role| (format!("the log of {role:?}"), stack.process(role, 0).log())).into();
    let database = stack.postgres.url().replace("@127.0.0.1:", "@127.0.0.1:x");
    let nats = stack.nats.url().replace("@127.0.0.1:", "@127.0.0.1:x");
    let runs = [
        stack.run("bad-database", ["migrate"]).env("DATABASE_URL", database),
        stack.run("bad-nats", ["topology"]).env("NATS_URL", nats),
        stack.run("short-token", ["serve"]).env("ELDER_API_TOKEN", &SECRET[..TOO_SHORT]),
    ];
    for run in runs {
        let process = run.start().await;
        assert!(!process.exited().await.success());
        logs.push((format!("what {:?} says", run.arguments), process.log()));
    }
    let help = stack.run("help", ["serve", "--help"]).env("ELDER_API_TOKEN", SECRET).start().await;
    help.exited().await;
    logs.push(("the help of serve".to_owned(), help.log()));
    assert!(logs.iter().all(|(_, log)| !log.is_empty()), "{logs:#?}");
    logs
}

/// Every row of every table as text, without the one column that is for a secret.
async fn tables(stack: &Stack) -> Vec<(String, String)> {
    let mut record = stack.record().await;
    let tables: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        .fetch_all(&mut record)
        .await
        .unwrap();
    assert!(tables.len() > 8, "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!("SELECT (to_jsonb(t) - 'webhook_secret')::text FROM \"{table}\" t");
        let texts: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut record).await.unwrap();
        rows.extend(texts.into_iter().map(|text| (format!("table {table}"), text)));
    }
    rows
}
