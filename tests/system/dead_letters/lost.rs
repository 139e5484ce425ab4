//! Letters that are lost on their way to the record: a queue that loses its store takes none of them along for good.

use async_nats::HeaderMap;
use serde_json::json;
use tests::player::{Player, REASON};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

type Letter = (String, Option<String>, Option<String>, Option<String>, String, String);

/// Reason, class, item, worker, who noticed and state of every letter, once they are as `are_right` says.
async fn letters(stack: &Stack, what: &str, are_right: impl Fn(&[Letter]) -> bool) -> Vec<Letter> {
    let mut record = stack.record().await;
    wait_for(what, LONG, async || {
        let sql = "SELECT reason, class, item, worker, noticed_by, state FROM dead_letters ORDER BY received_at, id";
        let letters: Vec<Letter> = sqlx::query_as(sql).fetch_all(&mut record).await.unwrap();
        are_right(&letters).then_some(letters)
    })
    .await
}

async fn messages(stack: &Stack, stream: &str) -> u64 {
    stack.jetstream().await.get_stream(stream).await.unwrap().cached_info().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_record_writes_letters_there_without_waiting_for_the_copy() {
    let mut stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    stack.stop(Role::Aggregator, 0).await;
    let jetstream = stack.jetstream().await;
    jetstream.publish("audit.request", r#"{"project": "nobody"}"#.into()).await.unwrap().await.unwrap();

    let kept = letters(&stack, "the planner's letter", |letters| letters.len() == 1).await;
    wait_for("the letter in the queue", LONG, async || (messages(&stack, "AUDIT_DLQ").await == 1).then_some(())).await;
    stack.restart(Role::Aggregator, 0).await;
    stack.settles().await;
    assert_eq!(letters(&stack, "letters", |_| true).await, kept, "the copy is the same letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workers_letter_that_is_lost_is_written_from_its_answer_and_gives_way_to_one_that_comes_after_all() {
    let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "2".to_owned())];
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("bad.rs", "pub const B: u32 = 1;\n");
    let tip = repository.commit("Start the shop");
    stack.register("shop", &repository).await;
    stack.stop(Role::Aggregator, 0).await;
    let audit = stack.trigger("shop", &json!({"enabled_magics": ["integrity"], "branch": tip})).await;
    let mut player = Player::new(&stack).await;
    let answered = wait_for("the answer", LONG, async || (messages(&stack, "AUDIT_RESULTS").await == 1).then_some(()));
    player.play_once("bad.rs", Box::pin(answered)).await;
    stack.stop(Role::Planner, 0).await;
    let jetstream = stack.jetstream().await;
    let dead = jetstream.get_stream("AUDIT_DLQ").await.unwrap();
    let lost = dead.get_raw_message(dead.cached_info().state.first_sequence).await.unwrap();
    dead.purge().await.unwrap();

    stack.restart(Role::Aggregator, 0).await;
    assert_eq!(stack.ended(&audit).await["state"], "partial");
    letters(&stack, "no letter", |letters| letters.is_empty()).await;
    stack.restart(Role::Planner, 0).await;
    let letter = |worker: Option<&str>, noticed_by: &str| {
        let text = |text: &str| Some(text.to_owned());
        let worker = worker.map(str::to_owned);
        (REASON.to_owned(), text("analyzer"), text("bad.rs"), worker, noticed_by.to_owned(), "open".to_owned())
    };
    let written = letters(&stack, "the letter", |letters| !letters.is_empty()).await;
    assert_eq!(written, [letter(None, "reconciler")]);

    let mut headers: HeaderMap = lost.headers.clone();
    headers.insert("Nats-Msg-Id", "the same letter, late");
    jetstream.publish_with_headers(lost.subject.clone(), headers, lost.payload.clone()).await.unwrap().await.unwrap();
    let came = |letters: &[Letter]| letters.iter().any(|letter| letter.4 == "receiver");
    assert_eq!(letters(&stack, "the letter that came", came).await, [letter(Some("player"), "receiver")]);
}
