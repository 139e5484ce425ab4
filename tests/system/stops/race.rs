//! A cancel and the last results at the same moment: exactly one of them ends the audit.

use schemas::ids::AuditId;
use tests::random::Random;
use tests::stack::{Stack, StackConfig};

use crate::merge::World;

/// Races run.
const SEEDS: u64 = 80;

/// What is left of an audit: state, tasks done as counted, tasks done as they are, open tasks, tasks in flight, and how
/// many ends were told.
type Left = (String, i64, i64, i64, i64, i64);

async fn left(stack: &Stack, audit: AuditId) -> Left {
    sqlx::query_as(
        "SELECT state, tasks_done,
                (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state = 'done'),
                (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state IN ('ready', 'published')),
                tasks_in_flight,
                (SELECT count(*) FROM outbox WHERE subject LIKE 'audit.event.%.' || a.id || '.%'
                 AND body ->> 'kind' IN ('completed', 'cancelled', 'failed', 'superseded'))
         FROM audits a WHERE id = $1",
    )
    .bind(audit.0)
    .fetch_one(&mut stack.record().await)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_and_the_last_result_give_one_end() {
    let stack = Stack::services(StackConfig::default()).await;
    let world = World::new(&stack).await;
    let [merging, cancelling] = &world.stores;
    let mut ends = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let audit = world.start().await;
        let mut results = world.results(audit);
        random.shuffle(&mut results);
        let total = i64::try_from(results.len()).unwrap();
        let last = results.split_off(results.len() - 1 - random.below(3));
        merging.merge(&results).await.unwrap();
        let asks = random.below(3);
        let merge = async {
            merging.merge(&last).await.unwrap();
        };
        let cancel = async {
            for _ in 0..asks {
                // Not sleeping, only letting the other one go first by a varying amount of work.
                cancelling.audit(audit).await.unwrap();
            }
            cancelling.cancel_audit(audit, "raced").await.unwrap().unwrap()
        };
        let ((), (ended, is_new)) = tokio::join!(merge, cancel);

        let (state, counted, done, open, in_flight, told) = left(&stack, audit).await;
        assert_eq!(state, ended.state, "what was answered is what is");
        assert_eq!((counted, open, in_flight, told), (done, 0, 0, 1), "{state}");
        assert_eq!(is_new, state == "cancelled");
        assert_eq!(done == total, state == "completed" || state == "partial", "{state} with {done} of {total}");
        assert_eq!(ended.verdict.is_some(), state != "cancelled");
        // Late or not, every answer is remembered, and asking again changes nothing.
        merging.merge(&last).await.unwrap();
        let (again, is_new) = cancelling.cancel_audit(audit, "again").await.unwrap().unwrap();
        assert_eq!((again.state.as_str(), is_new), (state.as_str(), false));
        assert_eq!(left(&stack, audit).await, (state.clone(), counted, done, 0, 0, 1));
        *ends.entry(state).or_default() += 1;
    }
    assert!(ends.len() > 1, "both ends were met: {ends:?}");
}
