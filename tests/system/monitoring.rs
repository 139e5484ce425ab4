//! The files for Prometheus and Grafana are well-formed, and ask for nothing that `/metrics` does not show.

use std::collections::BTreeSet;
use std::fs;

use schemas::request::Priority;
use serde_json::Value;
use tests::audits::push;
use tests::elder;
use tests::fixture;
use tests::noop::Noop;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};

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
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
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
    let answer = stack.api().get("/metrics").await;
    let answer = answer.expect(200);
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
    for rule in alerts["groups"][0]["rules"].as_array().unwrap() {
        let is_whole = ["alert", "expr"].iter().all(|key| rule[key].is_string())
            && ["summary", "description"].iter().all(|key| rule["annotations"][key].is_string());
        assert!(is_whole && rule["labels"]["severity"].is_string(), "{rule:#}");
    }
}
