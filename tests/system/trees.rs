//! Rules over whole repositories: judged once, after all files, from the facts of files that were read now or long ago.

use serde_json::{Value, json};
use tests::audits::sorted;
use tests::failpoints::{Action, Step, once};
use tests::fixture::Expected;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// More marks than a repository may have, few enough in each file.
const FILES: usize = 20;

const RULE: &str = "tdd/coverage-exclusion";

/// Files that are each a shard, so that no worker ever sees more than one of them.
fn config(lost_after: u64) -> StackConfig {
    let settings = [("ELDER_SHARD_FILES", 1), ("ELDER_LOST_AFTER_SECS", lost_after)];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_string())).into();
    StackConfig { environment, ..StackConfig::default() }
}

fn marked(marks: usize) -> String {
    "a = 1  # pragma: no cover\n".repeat(marks)
}

async fn repository(stack: &Stack) -> (FixtureRepository, String) {
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    for number in 0..FILES {
        repository.file(&format!("shop/page_{number:02}.py"), marked(3));
    }
    let tip = repository.commit("Leave the pages out of the report");
    stack.register("shop", &repository).await;
    (repository, tip)
}

async fn audited(stack: &Stack, request: Value) -> Value {
    let audit = stack.trigger("shop", &request).await;
    stack.ended(&audit).await
}

fn id(audit: &Value) -> &str {
    audit["audit_id"].as_str().unwrap()
}

fn facts_missing(audit: &Value) -> &Value {
    &audit["verdict"]["magics"]["tdd"]["tally"]["skipped"]["facts_missing"]["count"]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_file_shows_alone_is_found_once_all_of_them_were_read() {
    let stack = Stack::start_with(config(60)).await;
    let (repository, tip) = repository(&stack).await;
    let ended = audited(&stack, json!({"enabled_magics": ["tdd"], "branch": tip})).await;

    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(ended["tasks_total"], json!(FILES + 1), "a task for each file and one for all of them");
    let expected: [Expected; 1] = [(RULE, "low", "shop/page_00.py:1")];
    assert_eq!(stack.findings(id(&ended), &repository).await, sorted(&expected));
    let last = "SELECT count(*) FROM results WHERE audit_id = $1 AND merged_at > ALL (
                    SELECT merged_at FROM results WHERE audit_id = $1 AND shard BETWEEN 1 AND 20)";
    assert_eq!(stack.number(last, id(&ended)).await, 1, "it was judged last");

    // The same tree has nothing new to say.
    let again = audited(&stack, json!({"enabled_magics": ["tdd"]})).await;
    assert_eq!(again["tasks_total"], 0, "{again:#}");
    assert_eq!(stack.findings(id(&again), &repository).await, sorted(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_of_a_change_knows_the_facts_of_files_that_it_does_not_read() {
    let stack = Stack::start_with(config(60)).await;
    let (mut repository, first) = repository(&stack).await;
    stack.ended(&stack.push("shop", None, &first).await).await;

    repository.file("shop/page_07.py", marked(4));
    let second = repository.commit("Leave one more line out of the report");
    let audit = stack.push("shop", Some(&first), &second).await;
    let ended = stack.ended(&audit).await;
    assert_eq!((&ended["files_analyzed"], facts_missing(&ended)), (&json!(1), &Value::Null), "{ended:#}");
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&[(RULE, "low", "shop/page_07.py:1")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_was_never_read_in_full_is_not_judged_by_a_part_of_it() {
    let stack = Stack::start_with(config(60)).await;
    let (mut repository, first) = repository(&stack).await;
    repository.file("shop/page_07.py", marked(40));
    let second = repository.commit("Leave many more lines out of the report");
    let audit = stack.push("shop", Some(&first), &second).await;
    let ended = stack.ended(&audit).await;

    assert_eq!(ended["state"], "completed", "no hole: nobody asked for all of it, {ended:#}");
    assert_eq!((&ended["files_analyzed"], facts_missing(&ended)), (&json!(1), &json!(1)), "{ended:#}");
    let found = stack.findings(&audit, &repository).await;
    assert!(found.iter().all(|(rule, ..)| rule != RULE), "{found:?}");
    stack.balances().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_are_lost_before_a_worker_has_them_are_packed_again() {
    let mut stack = Stack::start_with(config(3)).await;
    let (repository, tip) = repository(&stack).await;
    stack.stop(Role::Planner, 0).await;
    stack.arm(Role::Planner, 0, &once(Step::TreesAfterPut, 0, Action::Stall(3_000)));
    stack.restart(Role::Planner, 0).await;
    let audit = stack.push("shop", None, &tip).await;
    wait_for("the facts to be stored", LONG, async || {
        stack.process(Role::Planner, 0).log().contains(Step::TreesAfterPut.as_str()).then_some(())
    })
    .await;
    let bundles = stack.jetstream().await.get_stream("OBJ_audit_bundles").await.unwrap();
    assert!(bundles.purge().await.unwrap().purged > 0, "there were bundles to lose");

    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&[(RULE, "low", "shop/page_00.py:1")]));
    stack.balances_but_for_letters().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_that_is_stopped_while_its_tree_waits_ends_for_good() {
    let mut stack = Stack::start_with(config(60)).await;
    let (_repository, tip) = repository(&stack).await;
    stack.stop(Role::Planner, 0).await;
    stack.arm(Role::Planner, 0, &once(Step::TreesAfterPut, 0, Action::Stall(4_000)));
    stack.restart(Role::Planner, 0).await;
    let audit = stack.push("shop", None, &tip).await;
    wait_for("the facts to be stored", LONG, async || {
        stack.process(Role::Planner, 0).log().contains(Step::TreesAfterPut.as_str()).then_some(())
    })
    .await;
    stack.api().post(&format!("/api/v1/audits/{audit}/cancel"), &json!({})).await.expect(200);

    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "cancelled", "{ended:#}");
    wait_for("the packer to notice", LONG, async || {
        stack.process(Role::Planner, 0).log().contains("facts are packed").then_some(())
    })
    .await;
    // Of several magics that judge trees, some may have been answered by then.
    let [of_trees, others] = [
        "SELECT count(*) FROM tasks t JOIN shards s USING (audit_id, shard)
         WHERE audit_id = $1 AND t.state = 'cancelled' AND s.is_tree",
        "SELECT count(*) FROM tasks t JOIN shards s USING (audit_id, shard)
         WHERE audit_id = $1 AND t.state = 'cancelled' AND NOT s.is_tree",
    ];
    assert_eq!(stack.number(others, &audit).await, 0, "only what judges trees was left");
    assert!(stack.number(of_trees, &audit).await > 0, "one was held back until it was too late");
    stack.balances().await;
}

/// What every copy of a block is, of twenty lines.
fn copied(above: &str) -> String {
    let line = |number| format!("    v{number} = compute_{number}(x, other_{number}) + table_{number}\n");
    format!("{above}def total(x):\n{}    return x\n", (0..20).map(line).collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_makes_of_facts_is_changed_without_reading_a_file_again() {
    const COPIES: &str = "servant/duplicate-block";
    let stack = Stack::start_with(config(60)).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("orders.py", copied("")).file("invoices.py", copied("import x\n\n"));
    stack.register("shop", &repository).await;
    let steps = [
        ("lines_min = 100", 3, [].as_slice()),
        ("lines_min = 5", 1, &["medium"]),
        ("severity = \"low\"", 1, &["low"]),
        // Switched off it collects nothing, so nobody can tell without reading.
        ("enabled = false", 3, &[]),
    ];
    for (setting, files_analyzed, expected) in steps {
        repository.file(".elder.toml", format!("[rules.\"{COPIES}\"]\n{setting}\n"));
        let tip = repository.commit("Choose what counts as a copy");
        let ended = audited(&stack, json!({"branch": tip})).await;
        assert_eq!(
            (&ended["state"], &ended["files_analyzed"]),
            (&json!("completed"), &json!(files_analyzed)),
            "{ended:#}"
        );
        let missing = &ended["verdict"]["magics"]["servant"]["tally"]["skipped"]["facts_missing"];
        assert!(missing.is_null(), "{setting}: {missing}");
        let found = stack.findings(id(&ended), &repository).await;
        let severities: Vec<&str> =
            found.iter().filter(|(rule, ..)| rule == COPIES).map(|(_, severity, _)| severity.as_str()).collect();
        assert_eq!(severities, expected, "{setting}: {found:?}");
    }
}
