//! The main path: a signed push becomes a verdict in Postgres, through every role as its own process.

use serde_json::json;
use tests::audits::{listed, sorted};
use tests::fixture::{self, COMMITS, EXPECTED, FILES};
use tests::repository::FixtureRepository;
use tests::stack::{Stack, StackConfig};

/// A count as JSON numbers are compared.
fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_becomes_a_verdict_in_postgres() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;

    let audit = stack.push("shop", None, &tip).await;
    let ended = stack.ended(&audit).await;

    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(ended["commit"], json!(tip));
    assert_eq!(ended["status"], "failed", "a committed secret is critical");
    assert_eq!(ended["files_analyzed"], count(FILES));
    assert_eq!(ended["commits_analyzed"], count(COMMITS));
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&EXPECTED));
    let results = stack.number("SELECT count(*) FROM results WHERE audit_id = $1 AND shard > 0", &audit).await;
    assert_eq!(json!(results), ended["tasks_total"], "one result per task");
    assert_eq!(ended["verdict"]["magics"]["integrity"]["tally"]["skipped"]["symlink"]["count"], 1);
    assert_eq!(ended["verdict"]["magics"]["integrity"]["tally"]["skipped"]["lock_file"]["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_repository_in_1_4_or_16_shards_gives_the_same_verdict() {
    let mut verdicts = Vec::new();
    for (files_per_shard, shards) in [("61", 1), ("18", 4), ("4", 16)] {
        let environment = vec![("ELDER_SHARD_FILES".to_owned(), files_per_shard.to_owned())];
        let stack = Stack::start_with(StackConfig { environment, ..StackConfig::default() }).await;
        let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
        for number in FILES..61 {
            repository.file(
                &format!("src/filler_{number}.rs"),
                format!("// LCOV_EXCL_LINE\npub const N: u32 = {number}; // LCOV_EXCL_LINE\n"),
            );
        }
        let tip = fixture::build(&mut repository);
        stack.register("shop", &repository).await;
        let audit = stack.trigger("shop", &json!({"enabled_magics": ["integrity", "tdd"], "branch": tip})).await;
        let mut ended = stack.ended(&audit).await;

        let planned = stack.number("SELECT count(*) FROM shards WHERE audit_id = $1 AND NOT is_tree", &audit).await;
        assert_eq!(planned, shards, "{ended:#}");
        let mut of_files: Vec<_> = EXPECTED.into_iter().filter(|(rule, _, _)| !rule.starts_with("git/")).collect();
        // A hundred marks, two in each file: only all of them together say something.
        of_files.push(("tdd/coverage-exclusion", "low", "src/filler_11.rs:1"));
        assert_eq!(stack.findings(&audit, &repository).await, sorted(&of_files));
        verdicts.push(ended["verdict"].take());
    }
    assert_eq!(verdicts[0], verdicts[1]);
    assert_eq!(verdicts[0], verdicts[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_push_of_one_changed_file_analyzes_one_file() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let first = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    stack.ended(&stack.push("shop", None, &first).await).await;

    repository.file("src/lib.rs", "// FIXME: everything\n");
    let second = repository.commit("Start again from nothing");
    let audit = stack.push("shop", Some(&first), &second).await;
    let ended = stack.ended(&audit).await;

    assert_eq!(ended["audit_type"], "incremental");
    assert_eq!((&ended["files_analyzed"], &ended["files_cached"]), (&json!(1), &json!(0)), "{ended:#}");
    assert_eq!((&ended["commits_analyzed"], &ended["commits_cached"]), (&json!(1), &json!(0)), "{ended:#}");
    let expected = [("integrity/todo-marker", "medium", "src/lib.rs:1")];
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&expected));

    // Everything but the new file and commit is known by now, and still counts.
    let full = stack.ended(&stack.trigger("shop", &json!({})).await).await;
    assert_eq!((&full["files_analyzed"], &full["files_cached"]), (&json!(0), &json!(FILES)), "{full:#}");
    assert_eq!((&full["commits_analyzed"], &full["commits_cached"]), (&json!(0), &json!(COMMITS + 1)), "{full:#}");
    // But for the tree as a whole, of which only what had changed was asked.
    assert_eq!(full["tasks_total"], json!(worker::catalogue().judging_trees().len()));
    let of_lib = |place: &str| place.starts_with("src/lib.rs:");
    let mut expected_full: Vec<_> = EXPECTED.into_iter().filter(|(_, _, place)| !of_lib(place)).collect();
    expected_full.extend(expected);
    assert_eq!(stack.findings(full["audit_id"].as_str().unwrap(), &repository).await, sorted(&expected_full));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_without_services_finds_the_same() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    let audit = stack.push("shop", None, &tip).await;
    let ended = stack.ended(&audit).await;

    let arguments = [repository.path().display().to_string(), "--format".to_owned(), "json".to_owned()];
    let output = std::process::Command::new(tests::elder::program()).arg("audit").args(arguments).output().unwrap();

    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings: Vec<schemas::finding::Finding> = serde_json::from_value(outcome["findings"].clone()).unwrap();
    assert_eq!(listed(&findings, &repository), stack.findings(&audit, &repository).await);
    assert_eq!(outcome["verdict"], ended["verdict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_push_whose_base_is_gone_is_audited_in_full() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("src/old.rs", "// TODO: old\n");
    let before = repository.commit("Start with the old way");
    repository.remove("src/old.rs").file("src/new.rs", "// FIXME: new\n").file("src/same.rs", "// HACK: same\n");
    let after = repository.commit_rewritten("Start with the new way");
    stack.register("shop", &repository).await;

    let audit = stack.push("shop", Some(&before), &after).await;
    let ended = stack.ended(&audit).await;

    assert_eq!(ended["files_analyzed"], 2, "{ended:#}");
    let expected =
        [("integrity/todo-marker", "medium", "src/new.rs:1"), ("integrity/todo-marker", "medium", "src/same.rs:1")];
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&expected));
}
