//! What an operator can do about dead letters, on the command line and over HTTP.

use serde_json::{Value, json};
use tests::player::{Player, REASON};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use uuid::Uuid;

const LETTERS: &str = "/api/v1/dead-letters";

/// Publishes as a person would, without a trace, and waits until the stream has it.
async fn publish(stack: &Stack, subject: String, body: &str) {
    let jetstream = stack.jetstream().await;
    jetstream.publish(subject, body.to_owned().into()).await.unwrap().await.unwrap();
}

/// `elder dead-letter ...`: exit code and what it says.
async fn elder(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let name = format!("dead-letter-{}", Uuid::new_v4());
    // Nothing but Postgres.
    let mut run = stack.run(&name, [&["dead-letter"], arguments].concat());
    run.environment.retain(|(name, _)| name != "NATS_URL");
    let process = run.start().await;
    let status = process.exited().await;
    (status.code(), process.log())
}

/// Letters as the API lists them, once there are so many.
async fn letters(stack: &Stack, query: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} letters {query}"), LONG, async || {
        let page = stack.api().get(&format!("{LETTERS}?{query}")).await.expect(200);
        let letters = page["letters"].as_array().unwrap().clone();
        (letters.len() == count).then_some(letters)
    })
    .await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn rows(stack: &Stack, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut stack.record().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_task_comes_back_as_one_new_audit() {
    let mut stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("a.rs", "// TODO: a\n").file("bad.rs", "pub const B: u32 = 1;\n");
    let tip = repository.commit("Start the shop");
    stack.register("shop", &repository).await;
    let mut player = Player::new(&stack).await;
    let asked = json!({"enabled_magics": ["integrity", "tdd"], "branch": tip, "priority": "normal"});
    let audit = stack.trigger("shop", &asked).await;
    let (ended, _) = player.play("bad.rs", stack.ended(&audit)).await;
    assert_eq!(ended["state"], "partial");
    let open = letters(&stack, &format!("audit={audit}"), 2).await;
    letters(&stack, "state=discarded", 2).await;
    assert!(open.iter().all(|letter| letter["item"] == "bad.rs" && letter["class"] == "analyzer"), "{open:#?}");

    // A dry run says what would be, and does nothing.
    let before = rows(&stack, "SELECT count(*) FROM audits").await;
    let (code, said) = elder(&stack, &["requeue", "--project", "shop", "--dry-run"]).await;
    assert_eq!(code, Some(0), "{said}");
    for line in ["2 letters", "2 would be asked for again", "as 1 audits", "Nothing was changed."] {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(rows(&stack, "SELECT count(*) FROM audits").await, before);
    letters(&stack, "project=shop", 2).await;

    let (code, said) = elder(&stack, &["requeue", "--audit", &audit]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 asked for again\n    as 1 audits"), "{said}");
    let requeued = letters(&stack, "state=requeued", 2).await;
    let became = text(&requeued[0]["became"]).strip_prefix("audit ").unwrap().to_owned();
    assert_eq!(requeued[0]["became"], requeued[1]["became"]);
    assert_eq!(rows(&stack, "SELECT count(*) FROM audits").await, before + 1);

    // With a worker that has no trouble with the file, only that file is new.
    drop(player);
    stack.add(Role::Worker).await;
    let again = stack.ended(&became).await;
    assert_eq!((text(&again["state"]), text(&again["requested_by"])), ("completed", "requeue"), "{again:#}");
    for field in ["revision", "audit_type", "enabled_magics", "base_commit", "commit"] {
        assert_eq!(again[field], ended[field], "{field}");
    }
    assert_eq!((&again["files_analyzed"], &again["files_cached"]), (&json!(1), &json!(1)));
    assert_eq!(
        again["tasks_total"], 3,
        "that file for two magics, and the tree for the one that judges trees: {again:#}"
    );
    assert_eq!(stack.ended(&audit).await, ended, "what has ended stays as it ended");
    let (_, said) = elder(&stack, &["requeue", text(&open[0]["id"])]).await;
    assert!(said.contains("1 dealt with before"), "{said}");
}

/// A task that nobody can run while `magic` has no rules, and whose body is good.
async fn hand_made(stack: &Stack, audit: Uuid, shard: u32) {
    let body = r##"{"files": [{"path": "a.py", "text": "# FIXME x\n"}]}"##;
    publish(stack, format!("audit.task.normal.meta.shop.{audit}.{shard}"), body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_made_by_hand_are_published_again_and_may_die_again() {
    let stack = Stack::start_with(StackConfig { workers: 1, ..StackConfig::default() }).await;
    let audit = Uuid::new_v4();
    hand_made(&stack, audit, 0).await;
    publish(&stack, "audit.request".to_owned(), r#"{"project": "later"}"#).await;
    let task = letters(&stack, "magic=meta", 1).await.remove(0);
    let request = letters(&stack, "cause=refused&match=NO%20PROJECT", 1).await.remove(0);
    assert_eq!((text(&task["origin"]), text(&request["origin"])), ("task", "request"));
    stack.ended(&audit.to_string()).await;

    // Still refused: there is an open letter about it again, however often, and the one before says what became of it.
    for _ in 0..2 {
        let open = letters(&stack, "magic=meta", 1).await.remove(0);
        let outcome = stack.api().post(&format!("{LETTERS}/requeue"), &json!({"ids": [open["id"]]})).await.expect(200);
        assert_eq!((&outcome["published"], &outcome["refused"]), (&json!(1), &json!([])), "{outcome:#}");
        wait_for("an open letter again", LONG, async || {
            let page = stack.api().get(&format!("{LETTERS}?magic=meta")).await.expect(200);
            let letter = page["letters"].as_array()?.first()?.clone();
            (letter["received_at"] != open["received_at"]).then_some(())
        })
        .await;
    }
    let ended = stack.ended(&audit.to_string()).await;
    assert_eq!(
        (&ended["tasks_total"], &ended["tasks_done"], &ended["state"]),
        (&json!(1), &json!(1), &json!("partial"))
    );

    // The request comes true once its project is there.
    let mut repository = FixtureRepository::new(&stack.folder("later.git"));
    repository.file("a.rs", "pub const A: u32 = 1;\n").commit("Start");
    stack.register("later", &repository).await;
    let (code, said) = elder(&stack, &["requeue", &text(&request["id"])[..8]]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 published again"), "{said}");
    wait_for("an audit of the request", LONG, async || {
        let sql = "SELECT count(*) FROM audits WHERE project_slug = 'later' AND state = 'completed'";
        (rows(&stack, sql).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_task_that_failed_counts_when_it_is_done_after_all() {
    let stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    let player = Player::new(&stack).await;
    let (audit, body) = (Uuid::new_v4(), r##"{"files": [{"path": "a.py", "text": "# FIXME x\n"}]}"##);
    let subject = format!("audit.task.normal.integrity.shop.{audit}.1");
    // Buried and answered as a worker does that has given it up.
    let letter = schemas::dead_letter::DeadLetter::new(
        &subject,
        schemas::dead_letter::Cause::Exhausted,
        REASON,
        3,
        body.as_bytes(),
    );
    let key = schemas::task::TaskKey {
        magic: schemas::magic::Magic::Integrity,
        project: "shop".parse().unwrap(),
        audit: schemas::ids::AuditId(audit),
        shard: 1,
    };
    let trace = schemas::ids::TraceId::random();
    player.bus.bury(broker::subject::Origin::Task, &letter, trace).await.unwrap();
    let failed = schemas::partial::PartialResult::failed(schemas::retry::ErrorClass::Analyzer, REASON);
    player.bus.publish(&broker::subject::Subject::Result(key), "failed", trace, &failed).await.unwrap();
    assert_eq!(stack.ended(&audit.to_string()).await["state"], "partial");
    let id = letters(&stack, "", 1).await[0]["id"].clone();
    drop(player);

    stack.api().post(&format!("{LETTERS}/requeue"), &json!({"ids": [id]})).await.expect(200);
    let mut stack = stack;
    stack.add(Role::Worker).await;

    let ended = wait_for("the audit to be complete", LONG, async || {
        let ended = stack.ended(&audit.to_string()).await;
        (ended["state"] == "completed").then_some(ended)
    })
    .await;
    assert_eq!(ended["verdict"]["findings"]["medium"], 1, "{ended:#}");
    assert_eq!((&ended["tasks_total"], &ended["tasks_done"]), (&json!(1), &json!(1)));
    assert_eq!(stack.broken_laws().await, [("audits without a delivery".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_back_says_why_and_stays_open() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    for role in [Role::Serve, Role::Planner, Role::Aggregator, Role::Worker] {
        stack.add(role).await;
    }
    let audit = Uuid::new_v4();
    publish(&stack, format!("audit.result.integrity.shop.{audit}.1"), "no result").await;
    publish(&stack, format!("audit.task.normal.integrity.shop.{audit}.2"), "no task").await;
    publish(&stack, "audit.request".to_owned(), "no request").await;
    publish(&stack, format!("audit.task.normal.alchemy.shop.{audit}.3"), "{}").await;
    let open = letters(&stack, "cause=undecodable", 4).await;
    let ids: Vec<&Value> = open.iter().map(|letter| &letter["id"]).collect();

    let outcome = stack.api().post(&format!("{LETTERS}/requeue"), &json!({"ids": ids})).await.expect(200);

    assert_eq!((&outcome["published"], &outcome["asked"]), (&json!(0), &json!(0)));
    let refused = outcome["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 4);
    let whys = ["a worker's answer", "no task that can be read", "no request that can be read", "magic `alchemy`"];
    for why in whys {
        assert!(refused.iter().any(|refusal| text(&refusal["reason"]).contains(why)), "{why}: {refused:#?}");
    }
    letters(&stack, "state=open", 4).await;

    // All that is left is to close them; twice is once.
    let (_, said) = elder(&stack, &["discard", "--cause", "undecodable", "--dry-run"]).await;
    assert!(said.contains("4 would be discarded"), "{said}");
    letters(&stack, "state=open", 4).await;
    let (_, said) = elder(&stack, &["discard", "--cause", "undecodable", "--limit", "3", "--per-second", "1000"]).await;
    assert!(said.contains("3 discarded") && said.contains("1 more letters are left"), "{said}");
    letters(&stack, "state=discarded", 3).await;
    let discarded = stack.api().post(&format!("{LETTERS}/discard"), &json!({"ids": ids})).await.expect(200);
    assert_eq!((&discarded["discarded"], &discarded["not_open"]), (&json!(1), &json!(3)));
    let metrics = stack.api().get("/metrics").await.expect(200);
    assert!(text(&metrics).contains("elder_dead_letters 0\n"), "{}", text(&metrics));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_requeue_at_once_requeue_once_and_no_faster_than_asked() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Aggregator).await;
    let player = Player::new(&stack).await;
    for number in 0..12 {
        let subject = format!("audit.request.shop{number}");
        let body = format!(r#"{{"project": "shop{number}"}}"#);
        let reason = format!("there is no project `shop{number}`; register it first");
        let cause = schemas::dead_letter::Cause::Refused;
        let letter = schemas::dead_letter::DeadLetter::new(&subject, cause, reason, 1, body.as_bytes());
        player.bus.bury(broker::subject::Origin::Request, &letter, schemas::ids::TraceId::random()).await.unwrap();
    }
    wait_for("twelve letters", LONG, async || {
        (rows(&stack, "SELECT count(*) FROM dead_letters").await == 12).then_some(())
    })
    .await;
    let (_, said) = elder(&stack, &["list", "--by", "reason"]).await;
    assert!(said.contains("     12  ") && said.contains("there is no project <text>; register it first"), "{said}");
    assert!(said.contains("1 reasons of 12 letters"), "{said}");

    let begun = std::time::Instant::now();
    let slow = ["requeue", "--since", "1h", "--per-second", "4"];
    let (one, other) = tokio::join!(elder(&stack, &slow), elder(&stack, &slow));

    // Eleven pauses of a quarter of a second at least, whoever was faster.
    assert!(begun.elapsed() >= std::time::Duration::from_millis(2_750), "{:?}", begun.elapsed());
    assert_eq!((one.0, other.0), (Some(0), Some(0)), "{one:?} {other:?}");
    // No relay runs, so everything that was written is still there.
    assert_eq!(rows(&stack, "SELECT count(*) FROM outbox").await, 12);
    assert_eq!(rows(&stack, "SELECT count(DISTINCT message_id) FROM outbox").await, 12);
    assert_eq!(rows(&stack, "SELECT count(*) FROM dead_letters WHERE state = 'requeued'").await, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_page_by_page_and_shown_whole() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    stack.add(Role::Aggregator).await;
    let player = Player::new(&stack).await;
    for number in 0..7 {
        // What comes from outside may try to steer a terminal.
        let reason = format!("bad {number} \u{1b}[2J");
        let cause = schemas::dead_letter::Cause::Undecodable;
        let letter = schemas::dead_letter::DeadLetter::new("audit.request", cause, reason, 1, b"body \x1b[2J\nline");
        player.bus.bury(broker::subject::Origin::Request, &letter, schemas::ids::TraceId::random()).await.unwrap();
    }
    let all = letters(&stack, "limit=100", 7).await;

    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = stack.api().get(&format!("{LETTERS}?limit=3{after}")).await.expect(200);
        paged.extend(page["letters"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let id = text(&all[0]["id"]);
    let one = stack.api().get(&format!("{LETTERS}/{}", &id[..10])).await.expect(200);
    assert_eq!((text(&one["id"]), text(&one["body"])), (id, "body \u{1b}[2J\nline"));

    let (code, shown) = elder(&stack, &["show", id]).await;
    let (_, listed) = elder(&stack, &["list", "--limit", "2"]).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(id) && shown.contains("body \\u{1b}[2J\nline"), "{shown}");
    assert!(listed.contains("2 of 7 letters") && listed.contains(&id[..12]), "{listed}");
    assert!(!format!("{shown}{listed}").contains('\u{1b}'));
    wrong_questions_are_refused(&stack).await;
}

async fn wrong_questions_are_refused(stack: &Stack) {
    let api = stack.api();
    api.anonymous().get(LETTERS).await.expect(401);
    api.anonymous().post(&format!("{LETTERS}/requeue"), &json!({"filter": {"project": "shop"}})).await.expect(401);
    let missing = "0".repeat(64);
    api.get(&format!("{LETTERS}/{missing}")).await.expect(404);
    let queries = [
        ("cause=bad", "unknown variant `bad`"),
        ("since=yesterday", "`yesterday` is no moment"),
        ("limit=101", "limit must be 1 to 100"),
        ("match=", "the text to match"),
        ("colour=red", "unknown field `colour`"),
        ("after=xyz", "letter `xyz` is not valid"),
    ];
    for (query, why) in queries {
        let answer = api.get(&format!("{LETTERS}?{query}")).await.expect(400);
        assert!(text(&answer["error"]).contains(why), "{query}: {answer}");
    }
    let selections = [
        (json!({}), "say which letters"),
        (json!({"filter": {"state": "open"}}), "say which letters"),
        (json!({"filter": {"project": "shop"}, "ids": [missing]}), "not both"),
        (json!({"ids": vec![&missing; 101]}), "at most 100"),
        (json!({"filter": {"projet": "shop"}}), "unknown field `projet`"),
    ];
    for act in ["requeue", "discard"] {
        for (selection, why) in &selections {
            let answer = api.post(&format!("{LETTERS}/{act}"), selection).await.expect(400);
            assert!(text(&answer["error"]).contains(why), "{selection}: {answer}");
        }
        let (code, said) = elder(stack, &[act]).await;
        assert_eq!((code, said.contains("say which letters")), (Some(1), true), "{said}");
        let (code, said) = elder(stack, &[act, &missing]).await;
        assert_eq!((code, said.contains("there is no letter")), (Some(1), true), "{said}");
    }
}
