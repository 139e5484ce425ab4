//! Asking with the `nats` command alone: what `elder up` prints works as it stands, and what cannot be used is kept with
//! its reason, is announced, and is in nobody's way.

use std::collections::BTreeSet;

use schemas::magic::Magic;
use serde_json::{Value, json};
use tests::audits::push;
use tests::http::Api;
use tests::nats_cli::{NatsCli, Watch};
use tests::process::Process;
use tests::repository::FixtureRepository;
use tests::stack::{SECRET, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use uuid::Uuid;

/// A task that is fine.
const GOOD: &str = r##"{"files":[{"path":"a.py","text":"# FIXME x\n"}]}"##;

/// The whole platform as `elder up` runs it, on the servers of the stack.
struct Up {
    // First, so that it ends before its servers do.
    process: Process,
    api: Api,
    cli: NatsCli,
    stack: Stack,
}

impl Up {
    async fn start() -> Self {
        let stack = Stack::services(StackConfig::default()).await;
        let arguments = ["up", "--listen", "127.0.0.1:0", "--directory", "data", "--allow-local"];
        let process = stack.run("up", arguments).start().await;
        let token = process.line("  token      ").await;
        let base = process.line("  API        ").await;
        let base = base.split("/api/v1").next().unwrap().to_owned();
        let home = stack.folder("home");
        std::fs::create_dir(&home).unwrap();
        let cli = NatsCli::find(&stack.nats, &home).await;
        Self { api: Api::new(base, token.trim()), process, cli, stack }
    }

    /// A project with one commit of one file.
    async fn register(&self, slug: &str) -> String {
        let mut repository = FixtureRepository::new(&self.stack.folder(&format!("{slug}.git")));
        let tip = repository.file("b.py", "# TODO y\n").commit("wip");
        let project = json!({"project_id": slug, "repository_url": repository.url(), "webhook_secret": SECRET});
        self.api.post("/api/v1/projects", &project).await.expect(201);
        tip
    }

    /// The line of `elder up` that begins so, as it was printed.
    async fn printed(&self, verb: &str) -> String {
        let start = format!("  nats -s {} {verb} ", self.stack.nats.url());
        format!("{}{}", start.trim_start(), self.process.line(&start).await)
    }

    async fn ended(&self, audit: &str) -> Value {
        wait_for(&format!("audit {audit} to end"), LONG, async || {
            let answer = self.api.get(&format!("/api/v1/audits/{audit}")).await;
            let audit = &answer.body["audit"];
            (answer.status == 200 && !audit["finished_at"].is_null()).then(|| audit.clone())
        })
        .await
    }

    /// (path, line, rule) of the findings of an audit, as they are in Postgres.
    async fn findings(&self, audit: &str) -> Vec<(String, i32, String)> {
        let sql = "SELECT path, line, rule FROM findings WHERE audit_id = $1 AND path IS NOT NULL ORDER BY 1, 2, 3";
        let id: Uuid = audit.parse().unwrap();
        sqlx::query_as(sql).bind(id).fetch_all(&mut self.stack.record().await).await.unwrap()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Waits for an event, and returns its body.
async fn event(watch: &Watch, project: &str, audit: &str, kind: &str) -> Value {
    let subject = format!("\"audit.event.{project}.{audit}.{kind}\"");
    wait_for(&format!("event {subject}"), LONG, async || {
        let text = watch.text();
        let (_, after) = text.split_once(&subject)?;
        after.lines().find_map(|line| serde_json::from_str(line).ok())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_up_prints_work_as_they_stand() {
    let up = Up::start().await;
    let tip = up.register("demo").await;
    assert!(up.printed("sub").await.ends_with(" sub 'audit.event.>'"));
    let watch = up.cli.watch("audit.event.>").await;

    let said = up.cli.line(&up.printed("req").await).await;
    let reply = said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).unwrap_or_default();
    assert_eq!(reply["stream"], "AUDIT_REQ", "{said}");
    let accepted = wait_for("the request to be accepted", LONG, async || {
        let text = watch.text();
        let (_, after) = text.split_once("\"audit.event.demo.")?;
        after.split_once(".accepted\"").map(|(audit, _)| audit.to_owned())
    })
    .await;
    let ended = up.ended(&accepted).await;
    assert_eq!((text(&ended["state"]), text(&ended["requested_by"])), ("completed", "nats"), "{ended:#}");
    assert_eq!(text(&ended["commit"]), tip);
    assert_eq!(up.findings(&accepted).await, [("b.py".to_owned(), 1, "integrity/todo-marker".to_owned())]);
    assert_eq!(event(&watch, "demo", &accepted, "started").await["commit"], json!(tip));
    assert_eq!(event(&watch, "demo", &accepted, "completed").await["status"], ended["status"]);

    let publish = up.printed("pub").await;
    up.cli.line(&publish).await;
    let by_hand = publish.split('.').find(|token| token.parse::<Uuid>().is_ok()).unwrap();
    let completed = event(&watch, "demo", by_hand, "completed").await;
    assert_eq!((&completed["tasks_done"], &completed["tasks_total"]), (&json!(1), &json!(1)), "{completed}");
    let ended = up.ended(by_hand).await;
    assert_eq!((text(&ended["audit_type"]), text(&ended["state"])), ("ad_hoc", "completed"), "{ended:#}");
    assert_eq!(up.findings(by_hand).await, [("a.py".to_owned(), 1, "integrity/todo-marker".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_by_hand_chooses_what_and_asks_once() {
    let up = Up::start().await;
    up.register("shop").await;
    let watch = up.cli.watch("audit.event.shop.>").await;
    let body = r#"{"project":"shop","revision":"HEAD","magics":["git"]}"#;
    let reply: Value = serde_json::from_str(&up.cli.req("audit.request", body).await).unwrap();
    assert_eq!(reply["stream"], "AUDIT_REQ");
    for _ in 0..2 {
        up.cli.publish("audit.request.shop", r#"{"project":"shop"}"#, &["Idempotency-Key:nightly"]).await;
    }
    // Requests are taken in order, so whatever the second one started is accepted before this one is.
    let last = Uuid::new_v4().to_string();
    let named = json!({"project": "shop", "audit": last}).to_string();
    up.cli.publish("audit.request", &named, &[]).await;
    event(&watch, "shop", &last, "completed").await;

    let audits: Vec<(Vec<String>, String)> =
        sqlx::query_as("SELECT magics, state FROM audits ORDER BY cardinality(magics)")
            .fetch_all(&mut up.stack.record().await)
            .await
            .unwrap();
    let magics: Vec<_> = audits.iter().map(|(magics, _)| magics.join(" ")).collect();
    let every: BTreeSet<Magic> = worker::catalogue().rules.iter().map(|rule| rule.magic).collect();
    let every = every.iter().map(|magic| magic.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(magics, ["git", &every, &every]);
}

/// A message that cannot be used.
struct Bad {
    subject: String,
    body: String,
    header: Option<&'static str>,
    cause: &'static str,
    reason: &'static str,
    /// Project and audit of the event.
    about: (&'static str, Option<String>),
}

fn bad(subject: impl Into<String>, body: impl Into<String>, cause: &'static str, reason: &'static str) -> Bad {
    let (subject, body) = (subject.into(), body.into());
    Bad { subject, body, header: None, cause, reason, about: ("_", None) }
}

impl Bad {
    fn about(mut self, project: &'static str, audit: Option<&str>) -> Self {
        self.about = (project, audit.map(str::to_owned));
        self
    }
}

fn requests(shops: &str) -> Vec<Bad> {
    let request = "audit.request";
    vec![
        bad(request, "{", "undecodable", "EOF while parsing"),
        bad(request, "[".repeat(10_000), "undecodable", "invalid type: sequence"),
        bad(request, r#"{"project":"nobody"}"#, "refused", "there is no project `nobody`; register it first"),
        bad(request, r#"{"project":"shop","magics":["alchemy"]}"#, "undecodable", "magic `alchemy` is not known"),
        bad(request, r#"{"project":"shop","magics":["meta"]}"#, "refused", "magic `meta` has no rules in this build"),
        bad(request, r#"{"project":"shop","rev":"HEAD"}"#, "undecodable", "unknown field `rev`"),
        bad(request, r#"{"project":"shop","revision":"-h"}"#, "undecodable", "revision `-h` is not valid"),
        bad(request, r#"{"project":"shop","kind":"ad_hoc"}"#, "refused", "kind `ad_hoc`"),
        bad(
            request,
            format!(r#"{{"project":"office","audit":"{shops}"}}"#),
            "refused",
            "does not belong to project `office`",
        ),
        bad("audit.request.office", r#"{"project":"shop"}"#, "refused", "came on the subject of `office`")
            .about("office", None),
        Bad {
            header: Some("Audit-Schema:7"),
            ..bad(request, r#"{"project":"shop"}"#, "undecodable", "message version `7`")
        },
    ]
}

fn tasks(shops: &str) -> Vec<Bad> {
    let (one, other, third) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let on = |magic: &str, audit: &str, shard: &str| format!("audit.task.normal.{magic}.shop.{audit}.{shard}");
    let large = json!({"files": [{"path": "a.py", "text": "x".repeat(100 * 1024)}]}).to_string();
    let outside = r#"{"files":[{"path":"../a.py","text":""}]}"#;
    vec![
        bad(on("integrity", &one, "0"), "nonsense", "undecodable", "the body is not valid").about("shop", Some(&one)),
        bad(on("integrity", &one, "1"), "{}", "undecodable", "either `bundle` or `files`").about("shop", Some(&one)),
        bad(on("integrity", &one, "2"), outside, "undecodable", "file path `../a.py`").about("shop", Some(&one)),
        bad(on("integrity", &other, "0"), large, "refused", "the task has 102").about("shop", Some(&other)),
        bad(on("meta", &third, "0"), GOOD, "refused", "magic `meta` has no rules").about("shop", Some(&third)),
        bad(on("alchemy", &one, "0"), GOOD, "undecodable", "magic `alchemy` is not known"),
        bad(on("integrity", "nonsense", "0"), GOOD, "undecodable", "audit id `nonsense`"),
        bad(on("integrity", &one, "-1"), GOOD, "undecodable", "shard `-1` is not a number"),
        bad(format!("audit.task.normal.integrity.Shop.{one}.3"), GOOD, "undecodable", "project slug `Shop`"),
        // Somebody else's audit, and a shard that its plan does not have.
        bad(format!("audit.task.normal.integrity.office.{shops}.1"), GOOD, "refused", "has no task integrity 1")
            .about("office", Some(shops)),
        bad(on("integrity", shops, "99"), GOOD, "refused", "has no task integrity 99").about("shop", Some(shops)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_kept_with_its_reason_and_in_nobodys_way() {
    let up = Up::start().await;
    let tip = up.register("shop").await;
    up.register("office").await;
    let pushed = up.api.deliver("/webhooks/github/shop", push(None, &tip).sign(SECRET)).await.expect(202);
    let shops = text(&pushed["audit_id"]).to_owned();
    let before = up.ended(&shops).await;
    let watch = up.cli.watch("audit.event.>").await;

    // A priority that nobody reads is refused at once; no stream takes it.
    let urgent = format!("audit.task.urgent.integrity.shop.{}.3", Uuid::new_v4());
    assert!(!up.cli.is_taken(&urgent, GOOD).await, "{urgent} was taken");

    let bads: Vec<Bad> = requests(&shops).into_iter().chain(tasks(&shops)).collect();
    for (number, bad) in bads.iter().enumerate() {
        let headers: Vec<&str> = bad.header.into_iter().collect();
        up.cli.publish(&bad.subject, &bad.body, &headers).await;
        if number % 4 == 0 {
            let good = Uuid::new_v4().to_string();
            up.cli.publish(&format!("audit.task.high.integrity.shop.{good}.0"), GOOD, &[]).await;
            assert_eq!(event(&watch, "shop", &good, "completed").await["status"], "passed", "after {}", bad.subject);
        }
    }
    for bad in &bads {
        let reason = kept(&up, bad).await;
        let (project, audit) = &bad.about;
        let subject = format!("\"audit.event.{project}.{}.rejected\"", audit.as_deref().unwrap_or("_"));
        wait_for(&format!("event {subject} with `{reason}`"), LONG, async || {
            let text = watch.text();
            let mut rejected = text.split("Received on ").filter(|event| event.starts_with(&subject));
            rejected.any(|event| event.contains(&json!(reason).to_string())).then_some(())
        })
        .await;
    }
    let letters = async_nats::jetstream::new(tests::nats::connect(up.stack.nats.url()).await);
    let mut letters = letters.get_stream("AUDIT_DLQ").await.unwrap();
    assert_eq!(letters.info().await.unwrap().state.messages, u64::try_from(bads.len()).unwrap());
    assert_eq!(up.ended(&shops).await, before, "somebody else's audit is untouched");
    let metrics = up.api.get("/metrics").await.expect(200);
    assert!(text(&metrics).contains(&format!("elder_dead_letters {}\n", bads.len())), "{}", text(&metrics));
}

/// Waits for the letter about a message in the record, and returns its whole reason.
async fn kept(up: &Up, bad: &Bad) -> String {
    let mut record = up.stack.record().await;
    let of_result = bad.subject.replace("audit.task.normal", "audit.result");
    wait_for(&format!("a letter about {} that says `{}`", bad.subject, bad.reason), LONG, async || {
        let sql =
            "SELECT reason, body FROM dead_letters WHERE subject IN ($1, $2) AND cause = $3 AND strpos(reason, $4) > 0";
        let found: Option<(String, String)> = sqlx::query_as(sql)
            .bind(&bad.subject)
            .bind(&of_result)
            .bind(bad.cause)
            .bind(bad.reason)
            .fetch_optional(&mut record)
            .await
            .unwrap();
        let (reason, body) = found?;
        let is_result = bad.reason.starts_with("has no task");
        assert!(is_result || bad.body.starts_with(&body), "the message itself is kept: {body}");
        Some(reason)
    })
    .await
}
