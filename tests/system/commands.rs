//! The commands that a person types: demo, up, audit, topology; what they print and how they end.

use std::process::Command;

use deploy::embedded::Durability;
use deploy::embedded::guard::Signal;
use serde_json::json;
use tests::audits::push;
use tests::fixture;
use tests::http::Api;
use tests::process::{Process, Run, descendants_of};
use tests::repository::FixtureRepository;
use tests::scratch::Scratch;
use tests::stack::{SECRET, Stack, StackConfig, tools};

#[tokio::test(flavor = "multi_thread")]
async fn demo_shows_a_verdict_and_leaves_nothing_running() {
    let scratch = Scratch::new();
    let mut repository = FixtureRepository::new(&scratch.path().join("shop.git"));
    fixture::build(&mut repository);
    let mut run = Run::new(scratch.path(), "demo", ["demo", "--directory", "data", "--repository", "shop.git"]);
    if let Some(tools) = tools() {
        run = run.env("ELDER_TOOLS", tools);
    }

    for known in ["0 and 0", "11 and 5"] {
        let process = run.start().await;
        let status = process.exited().await;
        let log = process.log();
        assert!(status.success(), "{status}\n{log}");
        assert!(log.contains("Verdict: FAILED"), "{log}");
        assert!(log.contains("critical  deploy/settings.py:2  integrity/committed-secret"), "{log}");
        assert!(log.contains(&format!("Looked at 11 files and 5 commits, {known} of them known from before")), "{log}");
        assert_eq!(descendants_of(process.pid()), [0; 0]);
        std::fs::remove_file(&run.log).unwrap();
    }
}

/// The words of the `curl` line that `up` prints, with the shell's quotes taken off.
async fn printed_token(up: &Process) -> String {
    up.line("  token      ").await
}

#[tokio::test(flavor = "multi_thread")]
async fn up_embeds_nothing_where_servers_are_named_and_ends_well() {
    let stack = Stack::services(StackConfig::default()).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    let arguments = ["up", "--listen", "127.0.0.1:0", "--directory", "data", "--allow-local"];
    let up = stack.run("up", arguments).start().await;

    let token = printed_token(&up).await;
    let base = up.line("  API        ").await;
    let base = base.split("/api/v1").next().unwrap().to_owned();
    assert_eq!(descendants_of(up.pid()), [0; 0], "nothing is embedded");

    let api = Api::new(base, token.trim());
    let project = json!({"project_id": "shop", "repository_url": repository.url(), "webhook_secret": SECRET});
    api.post("/api/v1/projects", &project).await.expect(201);
    let pushed = api.deliver("/webhooks/github/shop", push(None, &tip).sign(SECRET)).await.expect(202);
    let path = format!("/api/v1/audits/{}", pushed["audit_id"].as_str().unwrap());
    tests::wait::wait_for("the verdict", tests::wait::LONG, async || {
        (api.get(&path).await.body["audit"]["state"] == "completed").then_some(())
    })
    .await;

    up.signal(Signal::SIGINT);
    let status = up.exited().await;
    assert!(status.success(), "{status}\n{}", up.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn topology_is_made_once_kept_after_and_warns_of_lazy_servers() {
    for (durability, is_warned) in [(Durability::Fast, true), (Durability::Durable, false)] {
        let stack = Stack::services(StackConfig { durability, ..StackConfig::default() }).await;
        let mut run = stack.run("topology", ["topology"]).env("NATS_MONITOR_URL", stack.nats.monitor_url());
        for action in ["created", "unchanged"] {
            run.log = stack.folder(action);
            let process = run.start().await;
            assert!(process.exited().await.success(), "{}", process.log());
            let log = process.log();
            for line in ["stream    AUDIT_REQ", "stream    AUDIT_TASKS", "consumer  worker", "bucket    audit_bundles"]
            {
                assert!(log.contains(&format!("{action:<9}  {line}")), "{log}");
            }
            assert_eq!(log.contains("before they are on the disk"), is_warned, "{log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_kind_is_refused_and_left_alone() {
    let stack = Stack::services(StackConfig::default()).await;
    let jetstream = async_nats::jetstream::new(tests::nats::connect(stack.nats.url()).await);
    let foreign = async_nats::jetstream::stream::Config {
        name: "AUDIT_TASKS".to_owned(),
        subjects: vec!["audit.task.>".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(foreign).await.unwrap();
    jetstream.publish("audit.task.kept", "one".into()).await.unwrap().await.unwrap();

    let process = stack.run("topology", ["topology"]).start().await;

    assert_eq!(process.exited().await.code(), Some(1));
    let log = process.log();
    assert!(log.contains("cannot set up stream `AUDIT_TASKS`"), "{log}");
    assert!(log.contains("remove it by hand"), "{log}");
    let mut kept = jetstream.get_stream("AUDIT_TASKS").await.unwrap();
    assert_eq!(kept.info().await.unwrap().state.messages, 1);
}

/// Exit code and both outputs of `elder audit`.
fn audit(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(tests::elder::program()).arg("audit").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn audit_ends_with_0_1_or_2_as_documented() {
    let scratch = Scratch::new();
    let mut shop = FixtureRepository::new(&scratch.path().join("shop.git"));
    fixture::build(&mut shop);
    let mut clean = FixtureRepository::new(&scratch.path().join("clean.git"));
    clean.file("src/lib.rs", "pub fn price() {}\n");
    clean.commit("Start with the price");
    FixtureRepository::new(&scratch.path().join("empty.git"));
    let path = |name: &str| scratch.path().join(name).display().to_string();
    std::fs::create_dir(path("plain")).unwrap();

    let (code, out, _) = audit(&[&path("shop.git"), "--findings", "3"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("Worst findings (3 of 15):"), "{out}");
    let (code, out, _) = audit(&[&path("clean.git")]);
    assert_eq!(code, Some(0));
    assert!(out.contains("no test found"), "{out}");
    for (arguments, said) in [
        (vec![path("nowhere")], "there is no folder"),
        (vec![path("plain")], "is not in a git repository"),
        (vec![path("empty.git")], "empty"),
        (vec![path("shop.git"), "--revision".into(), "nowhere".into()], "`nowhere`"),
        (vec![path("shop.git"), "--magic".into(), "meta".into()], "magic `meta` has no rules"),
        (vec!["http://127.0.0.1/x.git".into()], "is not accepted"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, out, error) = audit(&arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
        assert!(error.starts_with("elder: ") && error.contains(said), "{arguments:?}: {error}");
        assert_eq!(out, "");
    }
}
