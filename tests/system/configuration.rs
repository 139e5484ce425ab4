//! A repository's own wishes through the real stack: `.elder.toml`, `.elderignore`, and what comments allow.

use serde_json::json;
use tests::audits::sorted;
use tests::fixture;
use tests::repository::FixtureRepository;
use tests::stack::Stack;

const FIXME: &str = concat!("FIX", "ME");

const ALLOW: &str = concat!("elder", ":allow");

const CONFIG: &str = r#"ignore = ["docs/**"]
colour = "blue"

[magics.git]
enabled = false

[rules."integrity/todo-marker"]
severity = "high"

[[paths]]
glob = "tools/**"
off = ["integrity/todo-marker"]
"#;

fn fill(repository: &mut FixtureRepository) {
    let mark = format!("# {FIXME} a\n");
    repository.file(".elder.toml", CONFIG);
    repository.file(".elderignore", "*.snap.py\n");
    repository.file("docs/a.py", mark.clone());
    repository.file("src/a.snap.py", mark.clone());
    repository.file("tools/a.py", mark.clone());
    repository.file("src/plain.py", mark.clone());
    let allowed = format!("# {ALLOW}(integrity/todo-marker) reason: waits for the new parser\n{mark}{mark}");
    repository.file("src/allowed.py", allowed);
    let bare = format!("# {ALLOW}(integrity/todo-marker)\n{mark}");
    repository.file("src/bare.py", bare);
    let late = format!("# {ALLOW}(integrity/todo-marker) reason: a while until: 2020-01-01\n{mark}");
    repository.file("src/late.py", late);
    let in_time = format!("# {ALLOW}(integrity/todo-marker) reason: a while until: 9999-12-31\n{mark}");
    repository.file("src/in_time.py", in_time);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_audited_as_its_repository_wishes() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    fill(&mut repository);
    let tip = repository.commit("wip");
    stack.register("shop", &repository).await;

    let audit = stack.push("shop", None, &tip).await;
    let ended = stack.ended(&audit).await;

    let expected = [
        ("integrity/bare-suppression", "low", "src/bare.py:1"),
        ("integrity/bare-suppression", "low", "src/late.py:1"),
        ("integrity/config-invalid", "medium", ".elder.toml:2"),
        ("integrity/todo-marker", "high", "src/allowed.py:3"),
        ("integrity/todo-marker", "high", "src/bare.py:2"),
        ("integrity/todo-marker", "high", "src/late.py:2"),
        ("integrity/todo-marker", "high", "src/plain.py:1"),
    ];
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&expected));
    let magics = &ended["verdict"]["magics"];
    let missing = &magics["tdd"]["tally"]["skipped"]["facts_missing"];
    assert!(missing.is_null(), "what is left out lacks no facts, and what depends on the day has them: {missing}");
    assert_eq!(magics["integrity"]["tally"]["suppressed"], json!({"integrity/todo-marker": 2}));
    assert_eq!(magics["integrity"]["tally"]["skipped"]["ignored"]["count"], 2);
    assert_eq!(magics["git"]["status"], "not_applicable", "{ended:#}");
    assert_eq!(magics["git"]["tally"]["skipped"]["switched_off"]["count"], 1);

    // Everything is known by now but what depends on the day.
    let again = stack.trigger("shop", &json!({"branch": tip})).await;
    let ended = stack.ended(&again).await;
    assert_eq!((&ended["files_analyzed"], &ended["commits_analyzed"]), (&json!(2), &json!(0)), "{ended:#}");
    assert_eq!(stack.findings(&again, &repository).await, sorted(&expected));

    // A setting of one magic has only that magic look again.
    repository.file(".elder.toml", CONFIG.replace("high", "medium"));
    let second = repository.commit("wip");
    let audit = stack.trigger("shop", &json!({"branch": second, "enabled_magics": ["tdd"]})).await;
    let ended = stack.ended(&audit).await;
    assert_eq!(ended["files_analyzed"], json!(3), "the configuration itself, and what depends on the day: {ended:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_wishes_nothing_is_audited_as_before() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    let audit = stack.push("shop", None, &tip).await;
    stack.ended(&audit).await;
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&fixture::EXPECTED));
    let bundled = "SELECT count(*) FROM shards WHERE audit_id = $1 AND manifest ? 'config'";
    assert_eq!(stack.number(bundled, &audit).await, 0);
}
