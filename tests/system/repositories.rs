//! Repositories that are not there, or hold what no audit expects: each audit ends, and says what it left out and why.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::Row as _;
use tests::repository::FixtureRepository;
use tests::stack::Stack;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn repository(stack: &Stack, name: &str) -> FixtureRepository {
    FixtureRepository::new(&stack.folder(&format!("{name}.git")))
}

/// Audits the whole of a repository with one magic.
async fn audited(stack: &Stack, slug: &str, magic: &str) -> Value {
    let audit = stack.trigger(slug, &json!({"enabled_magics": [magic]})).await;
    stack.ended(&audit).await
}

/// What one magic left out: examples by reason, as the verdict lists them.
fn skipped(ended: &Value, magic: &str) -> BTreeMap<String, Vec<String>> {
    let reasons = ended["verdict"]["magics"][magic]["tally"]["skipped"].as_object().unwrap();
    let examples = |value: &Value| value.as_array().unwrap().iter().map(|path| text(path).to_owned()).collect();
    reasons.iter().map(|(reason, skipped)| (reason.clone(), examples(&skipped["examples"]))).collect()
}

/// (path, line or snippet) of every finding, sorted.
async fn rows(stack: &Stack, ended: &Value) -> Vec<(String, String)> {
    let audit: uuid::Uuid = text(&ended["audit_id"]).parse().unwrap();
    let rows = sqlx::query(
        "SELECT coalesce(path, '') AS path, coalesce(line::text, detail->>'snippet') AS place FROM findings
         WHERE audit_id = $1 ORDER BY 1, 2",
    );
    let rows = rows.bind(audit).fetch_all(&mut stack.record().await).await.unwrap();
    rows.iter().map(|row| (row.get("path"), row.get("place"))).collect()
}

fn owned<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_audited_fails_with_its_reason() {
    let stack = Stack::start().await;
    let gone = format!("file://{}", stack.folder("gone.git").display());
    stack.register_url("gone", &gone).await;
    stack.register("empty", &repository(&stack, "empty")).await;
    let mut shop = repository(&stack, "shop");
    let tip = shop.file("a.py", "# FIXME x\n").commit("Begin the shop");
    stack.register("shop", &shop).await;
    std::fs::write(stack.folder("text.git"), "no repository").unwrap();
    stack.register_url("text", &format!("file://{}", stack.folder("text.git").display())).await;

    let unknown = "b".repeat(40);
    let asked = [
        (stack.trigger("gone", &json!({})).await, format!("there is no repository at `{gone}`")),
        (stack.trigger("empty", &json!({})).await, "the repository is empty".to_owned()),
        (stack.trigger("text", &json!({})).await, "text.git`".to_owned()),
        (
            stack.trigger("shop", &json!({"branch": "nope"})).await,
            "revision `nope` is not in the repository".to_owned(),
        ),
        (stack.push("shop", None, &unknown).await, format!("revision `{unknown}` is not in the repository")),
    ];
    for (audit, reason) in &asked {
        let ended = stack.ended(audit).await;
        assert_eq!(ended["state"], "failed", "{ended:#}");
        assert!(text(&ended["reason"]).contains(reason), "{ended:#} does not say {reason}");
        assert_eq!((&ended["verdict"], &ended["score"]), (&Value::Null, &Value::Null), "nothing was judged");
        let id: uuid::Uuid = audit.parse().unwrap();
        let row: (String, String) = sqlx::query_as("SELECT state, reason FROM audits WHERE id = $1")
            .bind(id)
            .fetch_one(&mut stack.record().await)
            .await
            .unwrap();
        assert_eq!(row, ("failed".to_owned(), text(&ended["reason"]).to_owned()));
    }

    // None of these is in the way of the next.
    let good = stack.ended(&stack.push("shop", None, &tip).await).await;
    assert_eq!(good["state"], "completed", "{good:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_files_are_read_or_left_out_with_a_reason() {
    let stack = Stack::start().await;
    let mut odd = repository(&stack, "odd");
    let key = ["AKIA", "Z7Q4M2X6", "T5W3N2KD"].concat();
    odd.file("latin1.py", b"# caf\xe9\n# FIXME x\n");
    odd.file("large.sql", "INSERT INTO t VALUES (1);\n".repeat(2_000_000));
    odd.file("long.yml", "- x\n".repeat(99_999) + "# FIXME y\n");
    odd.file("one_line.js", format!("/* FIXME z {key} */ ") + &"a();".repeat(200_000));
    odd.file("picture.py", b"# FIXME\0\n");
    odd.file("empty.py", "");
    odd.raw_file(b"na\xefve/\xff.py", "# FIXME u\n");
    odd.symlink("passwd.py", "/etc/passwd");
    odd.symlink("loop.py", "loop.py");
    odd.submodule("sub/module", &"1".repeat(40));
    odd.commit("Add what nobody expects");
    stack.register("odd", &odd).await;

    let ended = audited(&stack, "odd", "integrity").await;
    assert_eq!(ended["state"], "completed", "nothing that should be examined was missed: {ended:#}");
    let expected = [
        ("binary", vec!["picture.py"]),
        ("minified", vec!["one_line.js"]),
        ("submodule", vec!["sub/module"]),
        ("symlink", vec!["loop.py", "passwd.py"]),
        ("too_large", vec!["large.sql"]),
    ];
    let expected = expected.map(|(reason, paths)| (reason.to_owned(), paths.into_iter().map(str::to_owned).collect()));
    assert_eq!(skipped(&ended, "integrity"), BTreeMap::from(expected));
    let tally = &ended["verdict"]["magics"]["integrity"]["tally"];
    assert_eq!(
        tally["notes"],
        json!({"count": 1, "examples": ["latin1.py: not valid UTF-8 at byte 5; read as Windows-1252"]})
    );
    assert_eq!((&tally["units"]["files"], &tally["units"]["lines"]), (&json!(4), &json!(100_000 + 2 + 1)), "{tally:#}");
    assert_eq!(
        rows(&stack, &ended).await,
        owned(&[("latin1.py", "2"), ("long.yml", "100000"), ("na%EFve/%FF.py", "1")])
    );

    let packed = "SELECT count(*) FROM shards WHERE audit_id = $1 AND manifest::text LIKE '%large.sql%'";
    assert_eq!(stack.number(packed, text(&ended["audit_id"])).await, 0, "what is too large is not even packed");
    assert_eq!(ended["files_analyzed"], 6, "{ended:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_stay_text() {
    let stack = Stack::start().await;
    let mut hostile = repository(&stack, "hostile");
    let fixme = "# FIXME x\n";
    hostile.raw_file(b"\x1b[2J\x1b]0;owned\x07.py", fixme);
    hostile.raw_file(b"line\r\nbreak\t.py", fixme);
    hostile.raw_file("'; DROP TABLE audits; -- \"${x}`id`.py".as_bytes(), fixme);
    hostile.raw_file(b"<script>alert(1)<\\/script>.py", fixme);
    // Two paths that would be one if the second were written as the first.
    hostile.raw_file(b"\xc0\x80.py", fixme);
    hostile.raw_file(b"%C0%80.py", "# FIXME of another\n");
    hostile.author("\u{1b}[31mMallory\u{7}", "mallory'--@example.org");
    hostile.commit("wip \u{1b}[2J '; DROP TABLE audits; -- <script>alert(1)</script> \u{2400} %00 \u{9b}");
    stack.register("hostile", &hostile).await;

    let files = audited(&stack, "hostile", "integrity").await;
    assert_eq!(files["state"], "completed", "{files:#}");
    let places = [
        "%1B[2J%1B]0;owned%07.py",
        "%25C0%2580.py",
        "%C0%80.py",
        "'; DROP TABLE audits; -- \"${x}`id`.py",
        "<script>alert(1)<\\/script>.py",
        "line%0D%0Abreak%09.py",
    ];
    let mut found: Vec<String> = rows(&stack, &files).await.into_iter().map(|(path, _)| path).collect();
    found.sort();
    assert_eq!(found, places);

    let commits = audited(&stack, "hostile", "git").await;
    assert_eq!(commits["state"], "completed", "{commits:#}");
    let page = stack.api().get(&format!("/api/v1/audits/{}", text(&commits["audit_id"]))).await.expect(200);
    let snippet = text(&page["findings"][0]["snippet"]);
    assert!(snippet.contains("[2J '; DROP TABLE audits; -- <script>alert(1)</script> \u{2400} %00"), "{page:#}");
    nothing_of_it_can_move_a_cursor(&stack, &[&files, &commits, &page]).await;
}

/// No control character in anything shown or kept.
async fn nothing_of_it_can_move_a_cursor(stack: &Stack, shown: &[&Value]) {
    fn check(value: &Value) {
        match value {
            Value::String(text) => assert!(!text.contains(char::is_control), "{text:?}"),
            Value::Array(list) => list.iter().for_each(check),
            Value::Object(object) => object.iter().for_each(|(key, value)| {
                check(&Value::String(key.clone()));
                check(value);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    shown.iter().for_each(|value| check(value));
    let kept: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(f) FROM findings f UNION ALL SELECT to_jsonb(i) FROM item_results i
         UNION ALL SELECT to_jsonb(r) FROM results r UNION ALL SELECT to_jsonb(s) FROM shards s
         UNION ALL SELECT to_jsonb(a) FROM audits a",
    )
    .fetch_all(&mut stack.record().await)
    .await
    .unwrap();
    assert!(kept.len() > 10);
    kept.iter().for_each(check);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tiny_files_are_counted_right() {
    const FILES: u32 = 10_000;
    let stack = Stack::start().await;
    let mut tiny = repository(&stack, "tiny");
    for number in 0..FILES {
        let comment = if number % 100 == 0 { "# FIXME x\n" } else { "" };
        tiny.file(&format!("{}/{number}.py", number % 97), format!("N = {number}\n{comment}"));
    }
    tiny.commit("Add very many files");
    stack.register("tiny", &tiny).await;

    let ended = audited(&stack, "tiny", "integrity").await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    let audit = text(&ended["audit_id"]);
    assert_eq!(ended["files_analyzed"], FILES);
    let units = &ended["verdict"]["magics"]["integrity"]["tally"]["units"];
    assert_eq!((&units["files"], &units["lines"]), (&json!(FILES), &json!(FILES + FILES / 100)));
    assert_eq!(ended["verdict"]["findings"], json!({"medium": FILES / 100}));
    let (of_findings, of_items) = (
        "SELECT count(*) FROM findings WHERE audit_id = $1",
        "SELECT count(*) FROM item_results i JOIN audits a USING (project_id) WHERE a.id = $1",
    );
    assert_eq!(stack.number(of_findings, audit).await, i64::from(FILES / 100));
    assert_eq!(stack.number(of_items, audit).await, i64::from(FILES));
    let shards = stack.number("SELECT count(*) FROM shards WHERE audit_id = $1", audit).await;
    assert_eq!(ended["tasks_total"], shards);
    assert!(shards >= 10, "ten thousand files in {shards} shards");
    assert_eq!(ended["tasks_done"], shards);
}
