//! What workers find: a pure function of the task, as that of real ones is.

use schemas::finding::{Finding, Location};
use schemas::ids::{AuditId, ObjectId, RuleId};
use schemas::item::{Item, ItemResult, SkipReason, Units};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::severity::Severity;
use schemas::task::TaskKey;

use super::record::{Answer, AuditRow};
use super::scenario::Ask;

/// The magics of an audit, as many as its shards have tasks; in the order of their names, as the record sorts them.
pub(super) const MAGICS: [Magic; 4] = [Magic::Integrity, Magic::Sages, Magic::Servant, Magic::Tdd];

/// The magic of a task.
pub(super) fn magic(ask: &Ask, task: usize) -> Magic {
    MAGICS[task % ask.per_shard]
}

/// The key of a task, as the product names it.
pub(super) fn key(row: &AuditRow, task: usize) -> TaskKey {
    let shard = u32::try_from(task / row.ask.per_shard + 1).expect("few shards");
    TaskKey { magic: magic(&row.ask, task), project: row.slug.clone(), audit: row.id, shard }
}

/// The other way round.
pub(super) fn task_of(ask: &Ask, key: &TaskKey) -> usize {
    let place = MAGICS.iter().position(|magic| *magic == key.magic).expect("one of ours");
    (key.shard as usize - 1) * ask.per_shard + place
}

/// The id of the audit that was asked for as number `place`.
pub(super) fn audit_id(place: usize) -> AuditId {
    AuditId(uuid::Uuid::from_u128(place as u128 + 1))
}

/// What is answered for a task.
pub(super) fn partial(ask: &Ask, task: usize, answer: Answer) -> PartialResult {
    match answer {
        Answer::Failed(class) => PartialResult::failed(class, format!("{} on {task}", class.as_str())),
        Answer::Found => {
            let items = (0..1 + task % 2).map(|number| item(ask, task, number)).collect();
            PartialResult { items, ..PartialResult::default() }
        }
    }
}

fn item(ask: &Ask, task: usize, number: usize) -> ItemResult {
    let shard = task / ask.per_shard;
    let path = format!("src/{shard}-{number}.rs");
    let blob: ObjectId = format!("{shard:040x}").parse().expect("forty hex digits");
    let item = Item::File { path: path.clone(), blob };
    if task % 11 == 10 {
        return ItemResult::skipped(item, SkipReason::Binary);
    }
    let lines = ask.costs[task] % 997;
    let units = Units { files: 1, lines, tests: 1, ..Units::default() };
    let findings = if lines.is_multiple_of(3) { vec![finding(ask, task, path)] } else { Vec::new() };
    ItemResult { findings, ..ItemResult::examined(item, units) }
}

fn finding(ask: &Ask, task: usize, path: String) -> Finding {
    let rule: RuleId = format!("{}/found", magic(ask, task).as_str()).parse().expect("a rule");
    Finding {
        rule,
        severity: Severity::WORST_FIRST[1 + task % 4],
        confidence_permille: u16::try_from(ask.costs[task] % 1_000).expect("below a thousand"),
        location: Location::File { path, line: 1, column: 1, end_line: 1, end_column: 2 },
        snippet: String::new(),
        message: String::new(),
        suggestion: String::new(),
        fingerprint: String::new(),
        content_fingerprint: String::new(),
    }
}
