//! Each role with its own key and no more rights than it needs: the whole product runs, and nothing else is allowed.

mod deputy;
mod matrix;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use broker::permissions::Role as KeyRole;
use tests::audits::sorted;
use tests::fixture::{self, EXPECTED};
use tests::keyed::Keyed;
use tests::process::{Process, Run};
use tests::repository::FixtureRepository;
use tests::scratch::Scratch;
use tests::stack::{Role, Stack, StackConfig};

/// Every role with its key, ready for requests. `server` is more of the server's configuration.
async fn keyed_stack(server: &str) -> Stack {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.require_keys().await;
    let file = stack.folder("services").join("keys/auth.conf");
    let users = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{users}{server}\n")).unwrap();
    stack.nats.restart().await.unwrap();
    stack.set_up().await;
    for role in ROLES {
        stack.add(role).await;
    }
    stack
}

const ROLES: [Role; 4] = [Role::Serve, Role::Planner, Role::Aggregator, Role::Worker];

async fn audited(stack: &Stack, slug: &str, name: &str) {
    let mut repository = FixtureRepository::new(&stack.folder(name));
    let tip = fixture::build(&mut repository);
    stack.register(slug, &repository).await;
    let audit = stack.push(slug, None, &tip).await;
    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&EXPECTED));
}

fn expect_no_violation(stack: &Stack) {
    for role in ROLES {
        let log = stack.process(role, 0).log();
        let refused: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("violation")).collect();
        assert_eq!(refused, [""; 0], "{role:?} wanted more than it may");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_product_runs_on_the_keys_of_its_roles_and_survives_a_lost_store() {
    let mut stack = keyed_stack("").await;
    audited(&stack, "shop", "shop.git").await;
    expect_no_violation(&stack);

    stack.wipe_nats().await;

    // Nobody runs `elder topology`: the planner's key is enough to make again what is gone.
    audited(&stack, "forum", "forum.git").await;
    expect_no_violation(&stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_form_of_acknowledgements_is_allowed_too() {
    let stack = keyed_stack("feature_flags { js_ack_fc_v2: true }").await;
    audited(&stack, "shop", "shop.git").await;
    expect_no_violation(&stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_the_key_of_another_or_none_gets_nowhere() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.require_keys().await;
    stack.set_up().await;

    // The operator's commands with a worker's key: the server refuses, nothing is said about streams as if they were gone.
    let worker = stack.key(KeyRole::Worker);
    let (code, log) = ended(&stack.run("stolen", ["topology"]).env("NATS_NKEY", &worker)).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.to_lowercase().contains("violation"), "{log}");

    let mut run = stack.run("nobody", ["topology"]);
    run.environment.retain(|(name, _)| name != "NATS_NKEY");
    let (code, log) = ended(&run).await;
    assert_eq!(code, Some(1), "without a key one is in another account: {log}");

    let broken = stack.folder("broken.nkey");
    std::fs::write(&broken, "SUNOTASEED\n").unwrap();
    let (code, log) = ended(&stack.run("broken", ["topology"]).env("NATS_NKEY", &broken)).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(!log.contains("SUNOTASEED"), "{log}");
    let public = stack.folder("services").join("keys/auth.conf");
    let (code, log) = ended(&stack.run("public", ["topology"]).env("NATS_NKEY", &public)).await;
    assert!(code == Some(1) && log.contains("it holds no seed of a user"), "{log}");
}

/// Runs a command to its end; its exit code and what it has written.
async fn ended(run: &Run) -> (Option<i32>, String) {
    let process: Process = run.start().await;
    let status = process.exited().await;
    (status.code(), process.log())
}

async fn auth(scratch: &Scratch, name: &str, more: &[&str]) -> (Option<i32>, String) {
    ended(&Run::new(scratch.path(), name, [&["topology", "--auth", "keys"], more].concat())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_once_kept_and_compared() {
    let scratch = Scratch::new();
    let read = |name: &str| std::fs::read_to_string(scratch.path().join("keys").join(name)).unwrap();

    let (code, log) = auth(&scratch, "early", &["--check"]).await;
    assert!(code == Some(1) && log.contains("missing    keys/worker.nkey"), "{log}");
    assert!(!Path::exists(&scratch.path().join("keys")), "a check makes nothing");

    let (code, log) = auth(&scratch, "first", &[]).await;
    assert!(
        code == Some(0) && log.contains("created    keys/worker.nkey") && log.contains("include \"auth.conf\""),
        "{log}"
    );
    let seeds = KeyRole::ALL.map(|role| read(&format!("{}.nkey", role.as_str())));
    for (role, seed) in KeyRole::ALL.iter().zip(&seeds) {
        let file = scratch.path().join(format!("keys/{}.nkey", role.as_str()));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!log.contains(seed.trim()) && !read("auth.conf").contains(seed.trim()), "a seed is shown");
    }

    let written = read("auth.conf");
    let (code, log) = auth(&scratch, "again", &[]).await;
    assert!(code == Some(0) && log.contains("kept       keys/worker.nkey"), "{log}");
    assert_eq!(KeyRole::ALL.map(|role| read(&format!("{}.nkey", role.as_str()))), seeds);
    assert_eq!(read("auth.conf"), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_server_that_was_changed_is_reported_and_written_again() {
    let scratch = Scratch::new();
    auth(&scratch, "first", &[]).await;
    let file = scratch.path().join("keys/auth.conf");
    let written = std::fs::read_to_string(&file).unwrap();
    let changed = written.replace("\"audit.result.*.*.*.*\"", "\"audit.result.>\"");
    std::fs::write(&file, &changed).unwrap();

    let (code, log) = auth(&scratch, "check", &["--check"]).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("auth.conf: has and should not have \"\\\"audit.result.>\\\"\""), "{log}");
    assert!(log.contains("auth.conf: has not and should have \"\\\"audit.result.*.*.*.*\\\"\""), "{log}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), changed, "a check writes nothing");

    let (code, log) = auth(&scratch, "write", &[]).await;
    assert!(code == Some(0) && log.contains("updated    keys/auth.conf"), "{log}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.require_keys().await;
    let mut wrong = Vec::new();
    for role in KeyRole::ALL {
        let mut client = Keyed::connect(stack.nats.url(), &stack.key(role)).await;
        for (subject, allowed) in matrix::publish() {
            let should = allowed.contains(&role);
            let subject = match subject.strip_prefix("$JS.API.") {
                // Under the usual name it would reach what the server keeps for this account, which is nothing.
                Some(request) if role == KeyRole::Worker => {
                    assert!(!client.may_publish(&subject).await, "{subject}");
                    format!("$JS.AUDIT.API.{request}")
                }
                _ => subject,
            };
            if client.may_publish(&subject).await != should {
                wrong.push(format!("{role:?} {} publish to {subject}", if should { "cannot" } else { "can" }));
            }
        }
        for (subject, allowed) in matrix::subscribe() {
            let should = allowed.contains(&role);
            if client.may_subscribe(&subject).await != should {
                wrong.push(format!("{role:?} {} subscribe to {subject}", if should { "cannot" } else { "can" }));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}
