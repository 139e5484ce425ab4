//! The API: who may ask, what a wrong request is told, and the shapes of the right ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::fixture::{self, COMMITS, EXPECTED, FILES};
use tests::http::{Answer, Api};
use tests::process::Process;
use tests::repository::FixtureRepository;
use tests::stack::{Role, SECRET, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

const PROJECTS: &str = "/api/v1/projects";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The answer is an error with this status, and says each of these.
#[track_caller]
fn refused(answer: &Answer, status: u16, named: &[&str]) {
    assert_eq!(answer.status, status, "{:#}", answer.body);
    let error = text(&answer.body["error"]);
    assert!(!error.is_empty(), "an error is JSON with a text: {:#}", answer.body);
    for name in named {
        assert!(error.contains(name), "`{error}` does not say `{name}`");
    }
}

fn project(slug: &str, url: &str) -> Value {
    json!({"project_id": slug, "repository_url": url})
}

/// One more `serve` on the same record, as strangers may use it: nothing local is allowed.
async fn strict(stack: &Stack) -> (Process, Api) {
    let run = stack.run("strict", ["serve", "--log-format", "json"]).env("ELDER_API_TOKEN", SECRET);
    let process = run.env("ELDER_LISTEN", "127.0.0.1:0").start().await;
    let address = wait_for("the strict door to listen", LONG, async || {
        let log = process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == "listening").find_map(|line| Some(line["address"].as_str()?.to_owned()))
    })
    .await;
    (process, Api::new(format!("http://{address}"), SECRET))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_checked_before_anything_is_done() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    strangers_are_turned_away(&stack).await;
    what_is_not_there_is_said_in_json(&stack).await;
    health_and_metrics_are_for_machines(&stack).await;
    let projects: i64 =
        sqlx::query_scalar("SELECT count(*) FROM projects").fetch_one(&mut stack.record().await).await.unwrap();
    assert_eq!(projects, 0, "nothing came of a refused request");

    let (_process, strict) = strict(&stack).await;
    addresses_that_lead_inside_are_refused(&strict).await;
    projects_are_registered_once(&strict).await;
    rules_are_shown_with_their_documentation(&stack).await;
    wrong_projects_are_told_what_is_wrong(&strict).await;
    projects_are_listed_by_team_and_status(&strict).await;
}

async fn strangers_are_turned_away(stack: &Stack) {
    let base = stack.api().base();
    let strangers = [
        stack.api().anonymous(),
        Api::new(base, "another token, as long as it"),
        Api::new(base, &SECRET[..SECRET.len() - 1]),
        Api::new(base, format!("{SECRET}x")),
    ];
    let body = project("shop", "https://github.com/shop/shop.git");
    for stranger in strangers {
        for path in [PROJECTS, "/api/v1/projects/shop/audit-results", "/api/v1/audits/x", "/api/v1/rules", "/metrics"] {
            refused(&stranger.get(path).await, 401, &["token"]);
        }
        refused(&stranger.post(PROJECTS, &body).await, 401, &["token"]);
        refused(&stranger.post("/api/v1/projects/shop/audit/trigger", &json!({})).await, 401, &["token"]);
    }
    let query = format!("{PROJECTS}?token={}&access_token={}", SECRET.replace(' ', "+"), SECRET.replace(' ', "+"));
    refused(&stack.api().anonymous().get(&query).await, 401, &["Authorization: Bearer"]);
}

async fn what_is_not_there_is_said_in_json(stack: &Stack) {
    let api = stack.api();
    for path in
        ["/", "/api", "/api/v2/projects", "/api/v1/projects/shop/unknown", "/webhooks/gitlab/shop", "//", "/%2e%2e"]
    {
        refused(&api.get(path).await, 404, &["nothing at this path"]);
    }
    for path in ["/health/live", "/metrics", "/api/v1/audits/x", PROJECTS] {
        refused(&api.delete(path).await, 405, &["method"]);
        refused(&api.put(path, &json!({})).await, 405, &["method"]);
    }
    refused(&api.get("/webhooks/github/shop").await, 405, &["method"]);
    refused(&api.post("/health/live", &json!({})).await, 405, &["method"]);
}

async fn health_and_metrics_are_for_machines(stack: &Stack) {
    let stranger = stack.api().anonymous();
    assert_eq!(stranger.get("/health/live").await.expect(200), json!({"status": "live"}));
    assert_eq!(
        stranger.get("/health/ready").await.expect(200),
        json!({"status": "ready", "postgres": true, "nats": true})
    );
    refused(&stranger.post("/webhooks/github/shop", &json!({})).await, 401, &[]);
    let metrics = stack.api().get("/metrics").await.expect(200);
    for line in [
        "# TYPE elder_audits_open gauge",
        "elder_audits_open{state=\"queued\"} 0",
        "elder_outbox_messages 0",
        "elder_tasks_in_flight 0",
        "elder_dead_letters 0",
        "# TYPE elder_webhook_deliveries counter",
        "elder_webhook_deliveries_total{outcome=\"unauthorized\"} 1",
    ] {
        assert!(text(&metrics).lines().any(|found| found == line), "no line `{line}` in\n{}", text(&metrics));
    }
}

async fn rules_are_shown_with_their_documentation(stack: &Stack) {
    let rules = stack.api().get("/api/v1/rules").await.expect(200);
    let written = include_str!("../../worker/docs/rules/catalogue.json");
    assert_eq!(rules, serde_json::from_str::<serde_json::Value>(written).unwrap(), "as it is in the source tree");
    let one = stack.api().get("/api/v1/rules/tdd/focused-test").await.expect(200);
    assert_eq!(one["id"], "tdd/focused-test", "the one that was asked for");
    assert!(rules["rules"].as_array().unwrap().contains(&one) && text(&one["doc"]).contains("## How to fix"));
    refused(&stack.api().get("/api/v1/rules/tdd/unknown").await, 404, &["GET /api/v1/rules"]);
}

async fn addresses_that_lead_inside_are_refused(api: &Api) {
    let inside = [
        ("file:///etc", "use https:// or ssh://"),
        ("http://github.com/a/b", "use https:// or ssh://"),
        ("ext::sh -c id", "repository address"),
        ("/srv/git/shop", "https://host/path"),
        ("git://github.com/a/b", "use https:// or ssh://"),
        ("https://127.0.0.1/a", "127.0.0.1"),
        ("https://[::1]/a", "::1"),
        ("https://10.0.0.8/a", "10.0.0.8"),
        ("https://169.254.169.254/latest", "169.254.169.254"),
        ("https://2130706433/a", "2130706433"),
        ("https://localhost/a", "localhost"),
        ("https://shop.svc.cluster.local/a", "shop.svc.cluster.local"),
        ("https://github.com:25/a", "port 25"),
        ("ssh://-oProxyCommand=x/a", "repository address"),
        ("https://github.com/a/../b", "`..`"),
    ];
    for (url, named) in inside {
        refused(
            &api.post(PROJECTS, &project("inside", url)).await,
            400,
            &["repository address", "not accepted", named],
        );
    }
    let password = ["hunter", "2"].concat();
    for login in [format!("ada:{password}"), password.clone()] {
        let answer = api.post(PROJECTS, &project("inside", &format!("https://{login}@github.com/a/b"))).await;
        refused(&answer, 400, &["leave the user and password out"]);
        assert!(!answer.body.to_string().contains(&password), "the password is repeated: {}", answer.body);
    }
}

async fn projects_are_registered_once(api: &Api) {
    let mut new = project("shop", "https://github.com/shop/shop.git");
    new["team_id"] = json!("checkout");
    let made = api.post(PROJECTS, &new).await.expect(201);
    assert_eq!((text(&made["project_id"]), text(&made["project_name"])), ("shop", "shop"));
    assert_eq!(text(&made["repository_url"]), "https://github.com/shop/shop.git");
    assert_eq!(text(&made["webhook_path"]), "/webhooks/github/shop");
    let secret = text(&made["webhook_secret"]);
    assert!(secret.len() >= 64, "a secret is made up where none is given: {made:#}");
    let list = api.get(PROJECTS).await.expect(200);
    assert!(!list.to_string().contains(secret), "the secret is shown once: {list:#}");

    let other = project("shop", "https://github.com/shop/other.git");
    refused(&api.post(PROJECTS, &other).await, 409, &["project `shop` exists already"]);
    for same in ["https://github.com/shop/shop.git", "HTTPS://GitHub.com:443/shop/shop.git/"] {
        let answer = api.post(PROJECTS, &project("second", same)).await;
        refused(&answer, 409, &["`https://github.com/shop/shop.git`", "as project `shop`"]);
        assert!(!answer.body.to_string().contains(secret), "{:#}", answer.body);
    }
}

async fn wrong_projects_are_told_what_is_wrong(api: &Api) {
    let url = "https://github.com/shop/wrong.git";
    for slug in ["", "Shop", "shop.api", "shop api", "-shop", "*", "../etc", "sh\u{f6}p", &"a".repeat(64)] {
        refused(&api.post(PROJECTS, &project(slug, url)).await, 400, &["project slug", "lower-case letters"]);
    }
    let wrong = [
        ("owner", json!("root"), "unknown field `owner`"),
        ("webhook_secret", json!("short"), "webhook_secret needs at least 16 bytes"),
        ("project_name", json!("\u{1b}[2J"), "project_name"),
        ("project_name", json!("x".repeat(201)), "project_name"),
        ("team_id", json!("a\u{0}b"), "team_id"),
        ("team_id", json!(""), "team_id"),
        ("repository_provider", json!("svn"), "repository_provider `svn` is not known"),
        ("repository_url", json!(5), "expected a string"),
    ];
    for (field, value, named) in wrong {
        let mut new = project("wrong", url);
        new[field] = value;
        refused(&api.post(PROJECTS, &new).await, 400, &[named]);
    }
    refused(&api.post(PROJECTS, &json!({"project_id": "wrong"})).await, 400, &["missing field `repository_url`"]);
    refused(&api.post(PROJECTS, &json!([])).await, 400, &["the body is not valid"]);
    let mut large = project("wrong", url);
    large["project_name"] = json!("x".repeat(65 * 1024));
    refused(&api.post(PROJECTS, &large).await, 413, &["65536"]);
}

async fn projects_are_listed_by_team_and_status(api: &Api) {
    for (slug, team) in [("api", "checkout"), ("office", "back office"), ("alone", "")] {
        let mut new = project(slug, &format!("https://github.com/shop/{slug}.git"));
        if !team.is_empty() {
            new["team_id"] = json!(team);
        }
        api.post(PROJECTS, &new).await.expect(201);
    }
    let slugs = async |query: &str| {
        let list = api.get(&format!("{PROJECTS}{query}")).await.expect(200);
        let slugs = list.as_array().unwrap().iter().map(|project| text(&project["project_id"]).to_owned());
        slugs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(slugs("").await, "alone api office shop");
    assert_eq!(slugs("?team_id=checkout").await, "api shop");
    assert_eq!(slugs("?team_id=back+office").await, "office");
    assert_eq!(slugs("?team_id=%27%20OR%20true%20--").await, "");
    assert_eq!(slugs("?status=never_audited&team_id=checkout").await, "api shop");
    assert_eq!(slugs("?status=passed").await, "");
    assert_eq!(slugs("?limit=2&offset=1").await, "api office");
    for (query, named) in [
        ("?status=great", "status `great` is not known"),
        ("?team_id=%00", "team_id"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?offset=-1", "offset"),
        ("?limit=9223372036854775808", "query"),
        ("?sort=id%3Bdrop", "unknown field `sort`"),
    ] {
        refused(&api.get(&format!("{PROJECTS}{query}")).await, 400, &[named]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_is_asked_for_followed_and_summed_up() {
    let stack = Stack::start().await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    stack.register_url("gone", &format!("file://{}", stack.folder("gone.git").display())).await;
    what_cannot_be_asked_is_refused(&stack).await;

    let path = "/api/v1/projects/shop/audit/trigger";
    let asked = stack.api().post(path, &json!({"audit_type": "full", "branch": "main", "priority": "high"})).await;
    let asked = asked.expect(202);
    assert_eq!((text(&asked["project_id"]), text(&asked["status"])), ("shop", "queued"), "{asked:#}");
    assert_eq!(asked["estimated_completion_time"], Value::Null, "nothing is known of the first");
    let first = text(&asked["task_id"]).to_owned();
    let ended = stack.ended(&first).await;
    assert_eq!((text(&ended["commit"]), text(&ended["priority"])), (tip.as_str(), "high"));
    let again = asked_twice_with_one_key(&stack, path).await;
    stack.ended(&again).await;

    findings_come_in_pages(&stack, &first).await;
    results_have_the_shapes_that_clients_know(&stack, &[&again, &first]).await;
    let failed = stack.trigger("gone", &json!({})).await;
    assert_eq!(stack.ended(&failed).await["state"], "failed");
    for (query, expected) in [("never_audited", ""), ("failed", "gone"), ("passed", "shop"), ("warning", "")] {
        let list = stack.api().get(&format!("{PROJECTS}?status={query}")).await.expect(200);
        let slugs: Vec<_> = list.as_array().unwrap().iter().map(|project| text(&project["project_id"])).collect();
        assert_eq!(slugs.join(" "), expected, "{query}: {list:#}");
    }
}

async fn what_cannot_be_asked_is_refused(stack: &Stack) {
    let path = "/api/v1/projects/shop/audit/trigger";
    let wrong = [
        (json!({"enabled_magics": ["alchemy"]}), "magic `alchemy` is not known"),
        (json!({"enabled_magics": ["git", "meta"]}), "magic `meta` has no rules in this build"),
        (json!({"audit_type": "ad_hoc"}), "kind `ad_hoc`"),
        (json!({"audit_type": "quick"}), "unknown variant `quick`"),
        (json!({"priority": "urgent"}), "unknown variant `urgent`"),
        (json!({"branch": "--upload-pack=x"}), "revision `--upload-pack=x` is not valid"),
        (json!({"branch": "a\u{0}b"}), "is not valid"),
        (json!({"force": true}), "unknown field `force`"),
        (json!("{"), "the body is not valid"),
    ];
    for (body, named) in wrong {
        refused(&stack.api().post(path, &body).await, 400, &[named]);
    }
    for key in [String::new(), "k".repeat(256), "schl\u{fc}ssel".to_owned()] {
        refused(&keyed(stack, path, &key).await, 400, &["Idempotency-Key"]);
    }
    for slug in ["nobody", "No_Slug", "%00"] {
        let answer = stack.api().post(&format!("/api/v1/projects/{slug}/audit/trigger"), &json!({})).await;
        refused(&answer, 404, &["there is no project"]);
    }
    refused(&stack.api().get("/api/v1/projects/nobody/audit-results").await, 404, &["there is no project `nobody`"]);
    for id in ["x", "00000000-0000-0000-0000-000000000000"] {
        refused(&stack.api().get(&format!("/api/v1/audits/{id}")).await, 404, &["no such audit"]);
    }
    let audits: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audits").fetch_one(&mut stack.record().await).await.unwrap();
    assert_eq!(audits, 0, "nothing came of a refused request");
}

async fn keyed(stack: &Stack, path: &str, key: &str) -> Answer {
    stack.api().post_with(path, &json!({"enabled_magics": ["git"]}), &[("idempotency-key", key)]).await
}

/// Returns the audit.
async fn asked_twice_with_one_key(stack: &Stack, path: &str) -> String {
    let first = keyed(stack, path, "nightly-1").await.expect(202);
    let second = keyed(stack, path, "nightly-1").await.expect(200);
    assert_eq!(first["task_id"], second["task_id"]);
    let estimate = text(&first["estimated_completion_time"]);
    assert!(
        estimate.ends_with('Z') && estimate.contains('T'),
        "an audit has ended, so an end can be guessed: {first:#}"
    );
    text(&first["audit_id"]).to_owned()
}

async fn findings_come_in_pages(stack: &Stack, audit: &str) {
    let path = format!("/api/v1/audits/{audit}");
    let whole = stack.api().get(&path).await.expect(200);
    let all = whole["findings"].as_array().unwrap().clone();
    assert_eq!((all.len(), &whole["limit"], &whole["offset"]), (EXPECTED.len(), &json!(50), &json!(0)));
    assert_eq!(all[0]["severity"], "critical", "worst first");
    let mut pages = Vec::new();
    for offset in (0..=all.len()).step_by(4) {
        let page = stack.api().get(&format!("{path}?limit=4&offset={offset}")).await.expect(200);
        pages.extend(page["findings"].as_array().unwrap().clone());
    }
    assert_eq!(pages, all, "pages are the whole, in order, without gaps or repetitions");
    let beyond = stack.api().get(&format!("{path}?offset=1000000")).await.expect(200);
    assert_eq!(beyond["findings"], json!([]));
    for query in ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=1e9", "offset=-1", "page=2", "limit=1&limit=2"]
    {
        refused(&stack.api().get(&format!("{path}?{query}")).await, 400, &[]);
    }
}

/// `audits` are newest first; the last is the full one.
async fn results_have_the_shapes_that_clients_know(stack: &Stack, audits: &[&str; 2]) {
    let results = stack.api().get("/api/v1/projects/shop/audit-results").await.expect(200);
    assert_eq!((text(&results["project_id"]), text(&results["projectId"])), ("shop", "shop"));
    let latest: Vec<_> =
        results["latest_results"].as_array().unwrap().iter().map(|audit| text(&audit["audit_id"])).collect();
    assert_eq!(latest, audits);
    let full = &results["latest_results"][1];
    assert_eq!((&full["files_analyzed"], &full["commits_analyzed"]), (&json!(FILES), &json!(COMMITS)));
    let trend: Vec<_> =
        results["trend_data"].as_array().unwrap().iter().map(|point| text(&point["audit_id"])).collect();
    assert_eq!(trend, [audits[1], audits[0]], "a trend goes forward in time");
    let (statistics, magics) = (&results["summary_statistics"], &results["magicResults"]);
    assert_eq!(statistics["audits"], 2);
    assert!(statistics["mean_score"].is_f64() && statistics["findings"].is_object(), "{statistics:#}");
    assert_eq!(text(&results["projectName"]), "shop");
    assert!(text(&results["repositoryUrl"]).ends_with("/shop.git"));
    assert_eq!(results["overallHealthScore"], results["latest_results"][0]["score"]);
    assert_eq!(results["lastAuditTime"], results["latest_results"][0]["finished_at"]);
    assert_eq!(magics.as_object().unwrap().keys().collect::<Vec<_>>(), ["git"], "the latest audit asked for one");
    assert_eq!(magics["git"]["violations"], 4);
    assert!(magics["git"]["executionTime"].is_u64() && magics["git"]["score"].is_f64(), "{magics:#}");

    let one = stack.api().get("/api/v1/projects/shop/audit-results?limit=1&offset=1").await.expect(200);
    assert_eq!(one["latest_results"].as_array().unwrap().len(), 1);
    assert_eq!(text(&one["latest_results"][0]["audit_id"]), audits[1]);
    let magics: BTreeSet<_> = one["magicResults"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(["git", "integrity", "tdd"].iter().all(|magic| magics.contains(magic)), "an audit of all: {magics:?}");
    refused(&stack.api().get("/api/v1/projects/shop/audit-results?limit=101").await, 400, &["limit"]);
}
