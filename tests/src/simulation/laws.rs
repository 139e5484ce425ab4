//! The laws that hold at every step of a run, and at its end.

mod fairness;

use std::collections::{BTreeMap, BTreeSet};

use schemas::ids::ProjectSlug;
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::score;
use schemas::tally::Tally;

use self::fairness::Fairness;
use super::answers;
use super::record::{Answer, AuditRow, AuditState, Record, TaskRef, TaskRow, TaskState, whole};
use super::scenario::Scenario;

pub(super) use self::fairness::Look;

/// How long a round of the reconciler may take, in milliseconds.
const RECONCILING_MS: u64 = 300_000;

/// What has to be remembered to judge what comes.
#[derive(Debug)]
pub(super) struct Laws {
    /// The first answer to each task that somebody waited for.
    answers: BTreeMap<TaskRef, Answer>,
    /// Tasks of which some result was stored in the queue.
    stored: BTreeSet<TaskRef>,
    /// How and when each audit ended.
    ends: BTreeMap<usize, (AuditState, Option<u64>)>,
    /// Tasks in flight that a project may have beyond its limit, since a dispatcher without the seat published them after
    /// the one with the seat had looked.
    excess: BTreeMap<ProjectSlug, i64>,
    fairness: Fairness,
}

impl Laws {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            answers: BTreeMap::new(),
            stored: BTreeSet::new(),
            ends: BTreeMap::new(),
            excess: BTreeMap::new(),
            fairness: Fairness::new(scenario),
        }
    }

    /// The counters are what a recount gives, and what has ended stays as it ended.
    pub(super) fn check(&mut self, record: &Record, touched: &[usize]) {
        for &audit in touched {
            let row = &record.audits[audit];
            recount(row);
            if let Some(end) = self.ends.get(&audit) {
                assert_eq!(*end, (row.state, row.finished_ms), "audit {audit} ended, and stays as it ended");
            } else if row.state.is_final() {
                assert!(row.finished_ms.is_some(), "an end has a time");
                self.ends.insert(audit, (row.state, row.finished_ms));
            }
        }
    }

    /// A round is taken over what the record said, within limits and room, and by turns.
    pub(super) fn check_look(&mut self, look: &Look<'_>, seen: &mut BTreeMap<&'static str, u64>) {
        // From here on the one with the seat knows of what others published.
        self.excess.clear();
        self.fairness.check(look, seen);
    }

    /// Somebody else takes the turns from here on, and knows nothing of them.
    pub(super) fn forget_turns(&mut self) {
        self.fairness.forget();
    }

    /// Nothing is published of an audit that had ended when the dispatcher looked.
    pub(super) fn check_publish(&self, record: &Record, task: TaskRef, looked_ms: u64) {
        let row = &record.audits[task.0];
        assert!(row.finished_ms.is_none_or(|ended_ms| ended_ms >= looked_ms), "{task:?} was published after its end");
        assert!(row.state != AuditState::Queued, "{task:?} was published before it was planned");
    }

    /// No dispatcher that has the seat takes a project beyond its limit, or all of them beyond the window.
    pub(super) fn check_marked(&mut self, record: &Record, scenario: &Scenario, marked: &[TaskRef], holds_seat: bool) {
        let number = |count: u64| i64::try_from(count).expect("a small limit");
        let audits: BTreeSet<usize> = marked.iter().map(|(audit, _)| *audit).collect();
        let places: Vec<usize> = audits.into_iter().collect();
        self.check(record, &places);
        for task in marked {
            if !holds_seat {
                *self.excess.entry(record.audits[task.0].slug.clone()).or_default() += 1;
                continue;
            }
            let slug = &record.audits[task.0].slug;
            let Some(most) = scenario.limits.of(slug).in_flight else { continue };
            let rows = record.audits.iter().filter(|row| row.slug == *slug);
            let in_flight: i64 = rows.map(|row| row.tasks_in_flight).sum();
            let most = number(most) + self.excess.get(slug).copied().unwrap_or_default();
            assert!(in_flight <= most, "project {slug} has {in_flight} tasks in flight and may have {most}");
        }
        let in_flight: i64 = record.audits.iter().map(|row| row.tasks_in_flight).sum();
        let most = number(scenario.window_most) + self.excess.values().sum::<i64>();
        assert!(in_flight <= most, "{in_flight} tasks are in flight and {most} may be");
    }

    pub(super) fn answer_is_stored(&mut self, task: TaskRef) {
        self.stored.insert(task);
    }

    /// A worker acknowledges a task after its result is stored, unless nobody waits for one.
    pub(super) fn check_task_ack(&self, record: &Record, task: TaskRef) {
        let is_over = record.audits[task.0].state.is_final();
        assert!(is_over || self.stored.contains(&task), "{task:?} was acknowledged without a result");
    }

    /// An aggregator acknowledges a result after it has committed it.
    pub(super) fn check_result_ack(&self, record: &Record, task: TaskRef) {
        let row = &record.audits[task.0];
        let is_closed = row.state.is_final() || row.tasks[task.1].state == TaskState::Done;
        assert!(is_closed, "a result of {task:?} was acknowledged before it was committed");
    }

    /// No task stays without news, up to a round of the reconciler and the time that this takes.
    pub(super) fn check_news(&self, record: &Record, now_ms: u64, age_ms: u64) {
        for row in record.audits.iter().filter(|row| row.state == AuditState::Running) {
            let waits = |task: &&TaskRow| {
                task.state == TaskState::Published && task.deadline_ms.is_none_or(|deadline_ms| deadline_ms > now_ms)
            };
            for task in row.tasks.iter().filter(waits) {
                let most_ms = 2 * age_ms + RECONCILING_MS;
                assert!(task.published_ms + most_ms > now_ms, "a task of {} stays without news: {task:?}", row.id);
            }
        }
    }

    /// Which of these results are first answers to open tasks: told without looking at the states of tasks.
    pub(super) fn expect_answers(&mut self, record: &Record, batch: &[(TaskRef, Answer)]) -> Vec<TaskRef> {
        let mut first = Vec::new();
        for (task, answer) in batch {
            let row = &record.audits[task.0];
            let is_awaited = row.state == AuditState::Running && task.1 < row.ask.costs.len();
            if is_awaited && !self.answers.contains_key(task) {
                self.answers.insert(*task, *answer);
                first.push(*task);
            }
        }
        first
    }

    /// Audits that have not ended.
    pub(super) fn open(&self, record: &Record) -> Vec<usize> {
        (0..record.audits.len()).filter(|audit| !record.audits[*audit].state.is_final()).collect()
    }

    /// Every audit ended, and came out as the sum of the first answers says.
    pub(super) fn check_end(&mut self, record: &Record, seen: &mut BTreeMap<&'static str, u64>) {
        assert_eq!(self.open(record), [0_usize; 0], "these audits never ended");
        let all: Vec<usize> = (0..record.audits.len()).collect();
        self.check(record, &all);
        self.fairness.check_end(seen);
        for (audit, row) in record.audits.iter().enumerate() {
            let is_judged = matches!(row.state, AuditState::Completed | AuditState::Partial);
            assert_eq!(row.verdict.is_some(), is_judged, "audit {audit} has a verdict if all its tasks were answered");
            if is_judged {
                *seen.entry("an audit was judged").or_default() += 1;
                self.check_verdict(audit, row);
            }
        }
    }

    fn check_verdict(&self, audit: usize, row: &AuditRow) {
        // Counted apart: the merge law must not judge itself.
        let mut failed: BTreeMap<Magic, u64> = BTreeMap::new();
        let mut whole: BTreeMap<Magic, (PartialResult, Tally)> =
            answers::MAGICS.into_iter().take(row.ask.per_shard).map(|magic| (magic, Default::default())).collect();
        for task in 0..row.ask.costs.len() {
            let answer = self.answers.get(&(audit, task)).expect("each task was answered");
            let partial = answers::partial(&row.ask, task, *answer);
            let (all, failures) = whole.get_mut(&answers::magic(&row.ask, task)).expect("a magic of this audit");
            match answer {
                // All that was found as one result, as if the audit had had a single shard.
                Answer::Found => all.items.extend(partial.items),
                Answer::Failed(_) => {
                    *failed.entry(answers::magic(&row.ask, task)).or_default() += 1;
                    failures.merge(Tally::of(&partial));
                }
            }
        }
        let offline = whole.into_iter().map(|(magic, (all, failures))| {
            let mut tally = Tally::of(&all);
            tally.merge(failures);
            (magic, tally)
        });
        let offline = score::judge(offline.collect());
        assert_eq!(row.verdict.as_ref(), Some(&offline), "audit {audit} is judged by the sum of its first answers");
        for (magic, verdict) in &offline.magics {
            let count = failed.get(magic).copied().unwrap_or_default();
            assert_eq!(verdict.tally.failures.count, count, "failures of {magic} in audit {audit}");
        }
        let state = if offline.partial { AuditState::Partial } else { AuditState::Completed };
        assert_eq!(row.state, state, "audit {audit}");
    }
}

/// Counts the rows of an audit and compares that with its counters.
fn recount(row: &AuditRow) {
    let (mut open, mut in_flight, mut done, mut waiting, mut cost_done) = (0, 0, 0, 0, 0);
    for task in &row.tasks {
        match task.state {
            TaskState::Waiting => waiting += 1,
            TaskState::Ready => open += 1,
            TaskState::Published => in_flight += 1,
            TaskState::Done => {
                done += 1;
                cost_done += task.cost;
                assert!(task.result.is_some(), "a task of {} is done without a result", row.id);
            }
            TaskState::Cancelled => {}
        }
    }
    assert_eq!(row.tasks_total, whole(row.tasks.len()), "tasks_total of {}", row.id);
    assert_eq!(row.tasks_done, done, "tasks_done of {}", row.id);
    assert_eq!(row.cost_done, cost_done, "cost_done of {}", row.id);
    assert_eq!(row.tasks_in_flight, in_flight, "tasks_in_flight of {}", row.id);
    assert_eq!(row.tasks_waiting, waiting, "tasks_waiting of {}", row.id);
    let (files, trees) = row.tasks.split_at(row.tasks.len().saturating_sub(row.ask.trees));
    let is_opened = |task: &TaskRow| matches!(task.state, TaskState::Ready | TaskState::Published | TaskState::Done);
    let is_left = files.iter().any(|task| task.state != TaskState::Done);
    assert!(!is_left || !trees.iter().any(is_opened), "{} was judged as a whole before all of it was examined", row.id);
    open += in_flight + waiting;
    assert!(open == 0 || row.state == AuditState::Running, "{} is not running and has open tasks", row.id);
    let is_complete = row.tasks_done == row.tasks_total;
    assert!(!is_complete || row.state != AuditState::Running, "{} is complete and goes on", row.id);
}
