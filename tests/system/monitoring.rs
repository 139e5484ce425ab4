//! The files for Prometheus and Grafana are well-formed, and ask for nothing that `/metrics` does not show.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use schemas::request::Priority;
use serde_json::{Value, json};
use tests::audits::push;
use tests::elder;
use tests::fixture;
use tests::noop::Noop;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// A file of `deploy/monitoring`. The rules are YAML as Prometheus wants it, kept to the part of YAML that is JSON.
fn read(name: &str) -> Value {
    let path = elder::workspace().join("deploy/monitoring").join(name);
    let text = fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every expression under a key `expr`, at any depth.
fn expressions(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("expr").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(expressions)).collect()
        }
        Value::Array(values) => values.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// The names of our metrics in an expression.
fn metrics(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("elder_")).map(str::to_owned).collect()
}

/// The names of the series in Prometheus' text format.
fn exposed(text: &str) -> BTreeSet<String> {
    let series = text.lines().filter(|line| !line.starts_with('#'));
    series.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

#[test]
fn names_are_found_in_expressions_and_in_answers() {
    let found = metrics("sum by (outcome) (rate(elder_a_total{b=\"c\"}[5m])) / elder_d > 0 or absent(up)");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["elder_a_total", "elder_d"]);
    let found = exposed("# HELP elder_a What.\nelder_a_total{b=\"c\"} 1\nelder_d 2\n# EOF\n");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["elder_a_total", "elder_d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_and_dashboard_ask_for_is_shown() {
    let environment = vec![("ELDER_POOL".to_owned(), "large".to_owned())];
    let mut stack = Stack::services(StackConfig { environment, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    // A series of a pool is there while it has workers, and the queue of a project while it has tasks that none of them takes.
    stack.add(Role::Worker).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    // A series of a counter is there from its first count on.
    stack.push("shop", None, &tip).await;
    stack.api().deliver("/webhooks/github/shop", push(None, &tip).sign("not the secret")).await.expect(401);
    // A series of a project is there while it has tasks.
    let noop = Noop::connect(&stack).await;
    noop.project("cart", None).await;
    noop.audit("cart", Priority::Normal, 1).await;
    let answer = wait_for("the worker to be known", LONG, async || {
        let answer = stack.api().get_as("/metrics", "text/plain").await.expect(200);
        answer.as_str()?.contains("elder_pool_workers{").then_some(answer)
    })
    .await;
    let text = answer.as_str().unwrap();
    let shown = exposed(text);

    let (alerts, dashboard) = (read("alerts.yaml"), read("grafana.json"));
    for (file, least) in [(&alerts, 6), (&dashboard, 5)] {
        let expressions = expressions(file);
        assert!(expressions.len() >= least, "{expressions:?}");
        for expression in expressions {
            let strangers: Vec<String> = metrics(&expression).difference(&shown).cloned().collect();
            assert_eq!(strangers, [""; 0], "`{expression}` asks for what is not in:\n{text}");
            assert_ne!(metrics(&expression).len(), 0, "`{expression}` asks for nothing of ours");
        }
    }
    // Labels that an expression picks are shown too; a misspelt one would never fire.
    for label in ["state=\"queued\"", "state=\"running\"", "outcome=\"unauthorized\""] {
        assert!(alerts.to_string().contains(&label.replace('"', "\\\"")), "{label}");
        assert!(text.contains(label), "{label} is not in:\n{text}");
    }
    for label in ["class=\"high\"", "project=\"cart\"", "stream=\"AUDIT_TASKS\"", "pool=\"large\""] {
        assert!(text.contains(label), "{label} is not in:\n{text}");
    }
    for rule in alerts["groups"][0]["rules"].as_array().unwrap() {
        let is_whole = ["alert", "expr"].iter().all(|key| rule[key].is_string())
            && ["summary", "description"].iter().all(|key| rule["annotations"][key].is_string());
        assert!(is_whole && rule["labels"]["severity"].is_string(), "{rule:#}");
    }
    promtool_is_content(text);
}

/// What Prometheus' own tool says of the rules and of an answer, where it is installed; nothing here needs it.
#[expect(clippy::print_stderr, reason = "whoever reads the test's output should know what was tested")]
fn promtool_is_content(metrics: &str) {
    let run = |arguments: &[&str]| {
        let mut command = Command::new("promtool");
        let folder = elder::workspace().join("deploy/monitoring");
        command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().ok()?;
        // Who reads no input may end before it is written.
        drop(child.stdin.take()?.write_all(metrics.as_bytes()));
        child.wait_with_output().ok()
    };
    for arguments in [["check", "rules", "alerts.yaml"].as_slice(), &["check", "metrics"]] {
        let Some(output) = run(arguments) else {
            eprintln!("there is no promtool: nobody but this test has read the rules");
            return;
        };
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "promtool {arguments:?} ended with {}:\n{said}", output.status);
    }
}

#[test]
fn the_dashboard_is_what_grafana_imports() {
    let dashboard = read("grafana.json");
    assert!(dashboard["title"].is_string() && dashboard["uid"].is_string() && dashboard["schemaVersion"].is_u64());
    let variable = &dashboard["templating"]["list"][0];
    assert_eq!((&variable["name"], &variable["type"]), (&json!("source"), &json!("datasource")));
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "two panels have this id: {panel:#}");
        assert_eq!(panel["datasource"], json!({"type": "prometheus", "uid": "${source}"}), "{panel:#}");
        assert!(
            panel["type"].is_string() && panel["title"].is_string() && panel["fieldConfig"]["overrides"].is_array()
        );
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|field| panel["gridPos"][field].as_u64().unwrap());
        assert!(x + w <= 24, "a dashboard has 24 columns: {panel:#}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(cells.insert(cell), "it covers another panel: {panel:#}");
        }
        let targets = panel["targets"].as_array().unwrap();
        let names: BTreeSet<&str> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert!(!names.is_empty() && names.len() == targets.len(), "{panel:#}");
        assert!(targets.iter().all(|target| target["legendFormat"].is_string()), "{panel:#}");
    }
}
