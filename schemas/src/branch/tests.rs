//! The law of one branch, by example and by property.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The commit with this number; the branch moves from 0 to 1 to 2.
fn commit(number: usize) -> ObjectId {
    format!("{number:040x}").parse().unwrap()
}

fn number(commit: &str) -> usize {
    usize::from_str_radix(commit, 16).unwrap()
}

fn audit(number: usize) -> AuditId {
    AuditId(Uuid::from_u128(number as u128))
}

/// The push of commit `number` onto the one before it.
fn push(number: usize) -> OpenPush {
    let base = Some(commit(number - 1));
    let scope = Scope { base: base.clone(), pushed_onto: base, magics: vec![Magic::Integrity] };
    OpenPush { audit: audit(number), is_running: false, revision: commit(number).into(), scope, waits_for: None }
}

fn full(number: usize) -> OpenPush {
    let push = push(number);
    OpenPush { scope: Scope { base: None, ..push.scope.clone() }, ..push }
}

fn running(push: OpenPush) -> OpenPush {
    OpenPush { is_running: true, ..push }
}

/// The commits whose changes an audit covers.
fn covered(push: &OpenPush) -> std::ops::RangeInclusive<usize> {
    let from = push.scope.base.as_ref().map_or(0, |base| number(base.as_str()));
    from + 1..=number(&push.revision)
}

/// The branch after what was settled.
fn applied(open: &[OpenPush], settlement: &Settlement) -> Vec<OpenPush> {
    let stays = |push: &&OpenPush| !settlement.superseded.iter().any(|(stopped, _)| *stopped == push.audit);
    let mut after: Vec<OpenPush> = open.iter().filter(stays).cloned().collect();
    for push in &mut after {
        if let Some((_, scope)) = settlement.widened.as_ref().filter(|(audit, _)| *audit == push.audit) {
            push.scope = scope.clone();
        }
        if let Some((_, waits_for)) = settlement.waits.iter().find(|(audit, _)| *audit == push.audit) {
            push.waits_for = *waits_for;
        }
    }
    after
}

/// A branch of which nothing is known but what is open.
fn settle(policy: PushPolicy, open: &[OpenPush]) -> Settlement {
    super::settle(policy, open, &open.iter().map(known).collect::<Vec<_>>())
}

fn known(push: &OpenPush) -> KnownPush {
    let OpenPush { audit, revision, scope, .. } = push.clone();
    KnownPush { audit, revision, onto: scope.pushed_onto, is_full: scope.base.is_none(), superseded_by: None }
}

fn settled(policy: PushPolicy, open: &[OpenPush]) -> Vec<OpenPush> {
    applied(open, &settle(policy, open))
}

prop_compose! {
    /// Some pushes of one history, received in any order, some running, some full.
    fn branches()(
        pushes in proptest::sample::subsequence((1..8_usize).collect::<Vec<_>>(), 0..8).prop_shuffle(),
        running: [bool; 8], full: [bool; 8], git: [bool; 8],
    ) -> Vec<OpenPush> {
        let one = |number: usize| {
            let mut push = push(number);
            push.is_running = running[number];
            if full[number] {
                push.scope.base = None;
            }
            if git[number] {
                push.scope.magics.push(Magic::Git);
            }
            push
        };
        pushes.into_iter().map(one).collect()
    }
}

proptest! {
    #[test]
    fn a_branch_comes_to_rest(mut open in branches(), policy in 0..3_usize) {
        let policy = PushPolicy::ALL[policy];
        // What was pushed onto what is known for good.
        let known: Vec<KnownPush> = open.iter().map(known).collect();
        let mut before = open.len() + 1;
        loop {
            let settlement = super::settle(policy, &open, &known);
            if settlement == Settlement::default() {
                break;
            }
            prop_assert!(open.len() < before, "each step but the first stops somebody");
            before = open.len();
            open = applied(&open, &settlement);
            if policy != PushPolicy::Supersede || open.iter().all(|push| !push.is_running) {
                prop_assert_eq!(super::settle(policy, &open, &known), Settlement::default(), "one step is enough");
            }
        }
    }

    #[test]
    fn in_any_order_of_receipt_the_newest_stays_and_covers_all(
        pushes in Just((3..8).collect::<Vec<usize>>()).prop_shuffle(), with_full: bool,
    ) {
        let one = |&number: &usize| if with_full && number == 5 { full(number) } else { push(number) };
        let after = settled(PushPolicy::Supersede, &pushes.iter().map(one).collect::<Vec<_>>());
        prop_assert_eq!(after.len(), 1);
        prop_assert_eq!(after[0].audit, audit(7));
        prop_assert_eq!(covered(&after[0]), if with_full { 1..=7 } else { 3..=7 });
    }

    #[test]
    fn what_stops_in_the_order_of_the_pushes_is_covered(mut open in branches(), policy in 0..3_usize) {
        open.sort_by_key(|push| push.audit);
        let settlement = settle(PushPolicy::ALL[policy], &open);
        let after = applied(&open, &settlement);
        for (stopped, follower) in &settlement.superseded {
            let old = open.iter().find(|push| push.audit == *stopped).unwrap();
            let new = after.iter().find(|push| push.audit == *follower).unwrap();
            prop_assert!(covered(old).all(|change| covered(new).contains(&change)), "{old:?} {new:?}");
            prop_assert!(old.scope.magics.iter().all(|magic| new.scope.magics.contains(magic)));
        }
    }

    #[test]
    fn what_runs_is_never_widened_and_a_wait_is_for_what_runs(open in branches(), policy in 0..3_usize) {
        let (policy, runs) = (PushPolicy::ALL[policy], |id| open.iter().any(|push| push.audit == id && push.is_running));
        let settlement = settle(policy, &open);
        prop_assert!(settlement.widened.as_ref().is_none_or(|(audit, _)| !runs(*audit)));
        let waits: Vec<_> = settlement.waits.iter().filter_map(|(audit, target)| Some((*audit, (*target)?))).collect();
        prop_assert!(waits.iter().all(|(audit, target)| !runs(*audit) && runs(*target)));
        if policy == PushPolicy::Coalesce {
            prop_assert!(settlement.superseded.iter().all(|(audit, _)| !runs(*audit)), "what runs goes on");
            let queued = applied(&open, &settlement).iter().filter(|push| !push.is_running).count();
            prop_assert!(queued <= 1);
        }
    }
}

#[test]
fn three_pushes_one_after_the_other_inherit_the_first_base_and_its_start() {
    let mut open = vec![push(3)];
    for next in [push(4), push(5)] {
        open.push(next);
        open = settled(PushPolicy::Supersede, &open);
    }
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].audit, covered(&open[0])), (audit(5), 3..=5));
    // A delivery from before all of them that comes last of all is still the oldest.
    open.push(push(2));
    assert_eq!(settle(PushPolicy::Supersede, &open).superseded, [(audit(2), audit(5))]);
    assert_eq!(covered(&settled(PushPolicy::Supersede, &open)[0]), 2..=5);
}

#[test]
fn a_gap_between_two_pushes_makes_the_newer_one_full() {
    let after = settled(PushPolicy::Supersede, &[push(3), push(5)]);
    assert_eq!((after.len(), covered(&after[0])), (1, 1..=5));
    // What came out of order with a gap is taken for the newer one; nothing of its own is lost by that.
    let after = settled(PushPolicy::Supersede, &[push(5), push(3)]);
    assert_eq!((after[0].audit, covered(&after[0])), (audit(3), 1..=3));
}

#[test]
fn pushes_that_go_round_in_a_circle_count_in_the_order_of_receipt() {
    let mut back = push(3);
    (back.revision, back.scope.pushed_onto, back.scope.base) = (commit(1).into(), Some(commit(2)), Some(commit(2)));
    let after = settled(PushPolicy::Supersede, &[push(2), back.clone()]);
    assert_eq!(after.iter().map(|push| push.audit).collect::<Vec<_>>(), [back.audit]);
    let mut same = push(4);
    same.revision = commit(3).into();
    assert_eq!(settle(PushPolicy::Supersede, &[push(2), same]).superseded, [(audit(2), audit(4))]);
}

#[test]
fn what_runs_stops_only_what_it_covers() {
    let settlement = settle(PushPolicy::Supersede, &[running(push(5)), push(4), push(3)]);
    assert_eq!(settlement.superseded, [(audit(3), audit(4))], "the older two are not in the plan of the newest");
    let settlement = settle(PushPolicy::Supersede, &[running(full(5)), push(4), push(3)]);
    assert_eq!(settlement.superseded, [(audit(3), audit(5)), (audit(4), audit(5))]);
}

#[test]
fn coalesced_pushes_wait_for_what_runs_and_go_on_when_the_policy_changes() {
    let open = [running(push(3)), push(4), push(5)];
    let settlement = settle(PushPolicy::Coalesce, &open);
    assert_eq!(settlement.superseded, [(audit(4), audit(5))]);
    assert_eq!(settlement.waits, [(audit(5), Some(audit(3)))]);
    let after = applied(&open, &settlement);
    assert_eq!(covered(&after[1]), 4..=5);
    assert_eq!(settle(PushPolicy::RunAll, &after).waits, [(audit(5), None)]);
    let settlement = settle(PushPolicy::Supersede, &after);
    assert_eq!((settlement.superseded, settlement.waits), (vec![(audit(3), audit(5))], vec![(audit(5), None)]));
}

/// A branch as the record keeps it: the audits of its pushes, and what became of them.
#[derive(Default)]
struct History {
    open: Vec<OpenPush>,
    /// All of them, in the order of receipt.
    known: Vec<KnownPush>,
    completed: Vec<OpenPush>,
}

impl History {
    fn receive(&mut self, push: OpenPush) {
        self.known.push(known(&push));
        self.open.push(push);
    }

    /// Asks again for what was overlooked and settles, until there is nothing to do.
    fn settle(&mut self, policy: PushPolicy) {
        for round in 0.. {
            assert!(round < 20, "the branch comes to rest");
            let overlooked = overlooked(&self.known);
            if let Some(audit) = overlooked {
                let old = self.known.iter().find(|push| push.audit == audit).unwrap();
                let again = OpenPush { audit: self::audit(1_000 + self.known.len()), ..full(number(&old.revision)) };
                self.receive(again);
            }
            let settlement = super::settle(policy, &self.open, &self.known);
            if overlooked.is_none() && settlement == Settlement::default() {
                return;
            }
            self.open = applied(&self.open, &settlement);
            for push in &mut self.known {
                let follower = settlement.superseded.iter().find(|(stopped, _)| *stopped == push.audit);
                push.superseded_by = push.superseded_by.or(follower.map(|(_, follower)| *follower));
                let open = self.open.iter().find(|open| open.audit == push.audit);
                push.is_full = open.map_or(push.is_full, |open| open.scope.base.is_none());
            }
        }
    }

    /// Everything that is open begins or ends, where it need not wait.
    fn go_on(&mut self, is_to_end: bool) {
        for push in std::mem::take(&mut self.open) {
            match push.waits_for.is_none() {
                true if is_to_end => self.completed.push(push),
                true => self.open.push(running(push)),
                false => self.open.push(push),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn once_all_pushes_were_received_the_newest_is_audited_and_all_are_covered(
        (count, order) in (2..=5_usize).prop_flat_map(|count| {
            (Just(count), Just((1..=count).collect::<Vec<usize>>()).prop_shuffle())
        }),
        steps: [Option<bool>; 5], is_quiet: bool, coalesce: bool,
    ) {
        let policy = if coalesce { PushPolicy::Coalesce } else { PushPolicy::Supersede };
        let mut history = History::default();
        for (received, step) in order.iter().zip(steps) {
            history.receive(push(*received));
            history.settle(policy);
            if let Some(is_to_end) = step.filter(|_| !is_quiet) {
                history.go_on(is_to_end);
                history.settle(policy);
            }
        }
        let stands: Vec<&OpenPush> = history.open.iter().chain(&history.completed).collect();
        let is_newest_there = stands.iter().any(|push| number(&push.revision) == count);
        prop_assert!(is_newest_there, "{stands:#?}");
        for change in 1..=count {
            let is_covered = stands.iter().any(|push| covered(push).contains(&change));
            prop_assert!(is_covered, "change {change} is in none of {stands:#?}");
        }
        prop_assert!(!is_quiet || stands.len() == 1, "{stands:#?}");
    }
}

#[test]
fn a_push_that_was_overlooked_is_seen_when_the_one_before_it_comes() {
    let mut history = History::default();
    for received in [3, 1] {
        history.receive(push(received));
        history.settle(PushPolicy::Supersede);
        assert_eq!(history.open.len(), 1);
        assert_eq!(number(&history.open[0].revision), received, "nobody can know better yet");
    }
    history.receive(push(2));
    assert_eq!(overlooked(&history.known), Some(audit(3)));
    history.settle(PushPolicy::Supersede);
    assert_eq!(history.open.len(), 1);
    assert_eq!((number(&history.open[0].revision), covered(&history.open[0])), (3, 1..=3));
}
