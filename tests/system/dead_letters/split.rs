//! A file that no analyzer survives: its shard is split until the file is alone, and everything else counts.

use std::collections::BTreeSet;

use broker::subject::Subject;
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use serde_json::{Value, json};
use tests::player::{Player, REASON};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// Files beside the one that is at fault: with it the shard is cut into 16 parts of one and two files.
const HEALTHY: u32 = 19;

/// Third in the order of paths, so that it shares its part with a neighbour.
const POISON: &str = "src/f02_poison.rs";

/// State, item, what became of it, what is known of it, and shard.
type Letter = (String, Option<String>, Option<String>, String, i32);

/// A repository of small files, some with findings.
fn build(repository: &mut FixtureRepository, with_poison: bool) -> String {
    for number in 0..HEALTHY {
        let marker = if number.is_multiple_of(3) { "// TODO: later\n" } else { "" };
        repository.file(&format!("src/f{number:02}.rs"), format!("{marker}pub const N: u32 = {number};\n"));
    }
    if with_poison {
        repository.file(POISON, "// TODO: nobody lives to read this\npub const P: u32 = 1;\n");
    }
    repository.commit("Start the shop")
}

/// The verdict without what says that one file is missing.
fn but_for_the_hole(verdict: &Value) -> Value {
    let mut verdict = verdict.clone();
    for magic in ["integrity", "tdd"] {
        let tally = &mut verdict["magics"][magic]["tally"];
        tally["skipped"].as_object_mut().unwrap().remove("analyzer_failed");
        tally["notes"] = Value::Null;
        for field in ["status", "reason"] {
            verdict["magics"][magic][field] = Value::Null;
        }
    }
    verdict["partial"] = Value::Null;
    verdict["status"] = Value::Null;
    verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_is_split_until_the_file_at_fault_is_named() {
    let stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    let mut player = Player::new(&stack).await;
    let mut verdicts = Vec::new();
    let mut letters = Vec::new();
    for (slug, with_poison) in [("healthy", false), ("shop", true)] {
        let mut repository = FixtureRepository::new(&stack.folder(slug));
        let tip = build(&mut repository, with_poison);
        stack.register(slug, &repository).await;
        let asked = json!({"enabled_magics": ["integrity", "tdd"], "branch": tip});
        let audit = stack.trigger(slug, &asked).await;
        let (ended, mut played) = player.play(POISON, stack.ended(&audit)).await;
        // What is judged by the facts of all files reads no file.
        played.retain(|task| !task.paths.is_empty());
        verdicts.push(ended["verdict"].clone());
        assert_eq!(ended["tasks_done"], ended["tasks_total"]);
        if !with_poison {
            assert_eq!((played.len(), &ended["state"]), (2, &json!("completed")), "{ended:#}");
            continue;
        }
        assert_eq!(ended["state"], "partial", "{ended:#}");
        // The shard, its part of two, and the file alone, for each magic.
        let failed: Vec<usize> = played.iter().filter(|task| task.is_failed).map(|task| task.paths.len()).collect();
        assert_eq!(BTreeSet::from_iter(&failed), BTreeSet::from([&20, &2, &1]), "{played:#?}");
        assert_eq!(failed.len(), 6);
        let healthy = played.iter().filter(|task| !task.is_failed).map(|task| task.paths.len()).sum::<usize>();
        assert_eq!(healthy, 2 * HEALTHY as usize, "every other file was read once for each magic");

        for magic in ["integrity", "tdd"] {
            let tally = &ended["verdict"]["magics"][magic]["tally"];
            assert_eq!(tally["skipped"]["analyzer_failed"], json!({"count": 1, "examples": [POISON]}));
            assert_eq!(tally["failures"]["count"], 0);
            assert!(tally["notes"]["examples"][0].as_str().unwrap().contains(REASON), "{tally}");
        }
        letters = wait_for("all six letters", LONG, async || {
            let letters: Vec<Letter> = sqlx::query_as(
                "SELECT state, item, became, worker || ' ' || class || ' ' || origin, shard FROM dead_letters ORDER BY shard",
            )
            .fetch_all(&mut stack.record().await)
            .await
            .unwrap();
            (letters.len() == 6).then_some(letters)
        })
        .await;
        late_answers_change_nothing(&stack, &player, &audit, &ended).await;
        assert_skipped_from_now_on(&stack, &asked).await;
    }
    assert_eq!(but_for_the_hole(&verdicts[0]), but_for_the_hole(&verdicts[1]));
    let (open, superseded): (Vec<_>, Vec<_>) = letters.iter().partition(|letter| letter.0 == "open");
    assert_eq!((open.len(), superseded.len()), (2, 4), "{letters:#?}");
    for letter in open {
        assert_eq!((letter.1.as_deref(), letter.3.as_str()), (Some(POISON), "player analyzer task"));
    }
    for (_, item, became, _, shard) in superseded {
        assert!(item.is_none());
        let became = became.as_deref().unwrap();
        assert!(became.starts_with("split into shards "), "{shard}: {became}");
    }
    let broken = stack.broken_laws().await;
    assert_eq!(broken, [("audits without a delivery".to_owned(), 3), ("dead letters".to_owned(), 2)]);
}

/// Nobody plays: all that the next audit needs is known, the file at fault with its reason too.
async fn assert_skipped_from_now_on(stack: &Stack, asked: &Value) {
    let again = stack.ended(&stack.trigger("shop", asked).await).await;
    assert_eq!((&again["state"], &again["files_analyzed"]), (&json!("partial"), &json!(0)), "{again:#}");
    for magic in ["integrity", "tdd"] {
        let tally = &again["verdict"]["magics"][magic]["tally"];
        assert_eq!(tally["skipped"]["analyzer_failed"], json!({"count": 1, "examples": [POISON]}));
        assert!(tally["notes"]["examples"][0].as_str().unwrap().contains(REASON), "{tally}");
    }
}

/// A second and different answer for the whole shard, and for the file.
async fn late_answers_change_nothing(stack: &Stack, player: &Player, audit: &str, before: &Value) {
    let rows: Vec<(i32, String)> = sqlx::query_as(
        "SELECT shard, magic FROM tasks WHERE audit_id = $1 AND (state = 'split' OR shard = 17) ORDER BY shard",
    )
    .bind(audit.parse::<uuid::Uuid>().unwrap())
    .fetch_all(&mut stack.record().await)
    .await
    .unwrap();
    assert!(rows.len() >= 4, "{rows:?}");
    for (shard, magic) in rows {
        let key = schemas::task::TaskKey {
            magic: magic.parse().unwrap(),
            project: "shop".parse().unwrap(),
            audit: audit.parse().unwrap(),
            shard: shard.unsigned_abs(),
        };
        let late = PartialResult::failed(ErrorClass::Deadline, "later and different");
        player
            .bus
            .publish(&Subject::Result(key), &format!("late {shard} {magic}"), schemas::ids::TraceId::random(), &late)
            .await
            .unwrap();
    }
    let jetstream = stack.jetstream().await;
    wait_for("the late answers to be taken", LONG, async || {
        let results = jetstream.get_stream("AUDIT_RESULTS").await.unwrap();
        (results.cached_info().state.messages == 0).then_some(())
    })
    .await;
    assert_eq!(&stack.ended(audit).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_whose_bundle_is_lost_is_packed_alone() {
    let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "2".to_owned())];
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = build(&mut repository, true);
    stack.register("shop", &repository).await;
    let audit = stack.trigger("shop", &json!({"enabled_magics": ["integrity"], "branch": tip})).await;
    let mut player = Player::new(&stack).await;
    let parts = wait_for("the shard to be split", LONG, async || {
        let sql = "SELECT count(*) FROM tasks WHERE audit_id = $1 AND state = 'published' AND shard > 1";
        (stack.number(sql, &audit).await == 16).then_some(16)
    });
    let parts = Box::pin(parts);
    let (parts, played) = player.play_once(POISON, parts).await;
    assert_eq!((parts, played.len()), (16, 1));

    drop(player);
    stack.wipe_nats().await;
    stack.add(Role::Worker).await;

    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "completed", "the worker has no trouble with the file: {ended:#}");
    assert_eq!(ended["verdict"]["units"]["files"], HEALTHY + 1);
    let own = stack.number("SELECT count(*) FROM shards WHERE audit_id = $1 AND first_item IS NULL", &audit).await;
    assert_eq!(own, 17, "each part has a bundle of its own now");
}
