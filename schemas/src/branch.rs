//! The law of one branch: which of the open audits of its pushes goes on, which stop, and what the one that stays must cover.

use std::collections::HashMap;

use crate::ids::{AuditId, ObjectId};
use crate::magic::Magic;
use crate::policy::PushPolicy;

/// How much an audit of a push covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// What is new since this commit; everything if absent.
    pub base: Option<ObjectId>,
    /// The commit that the branch was at before the first of the pushes that the audit stands for.
    pub pushed_onto: Option<ObjectId>,
    /// Which magics, in order and each once.
    pub magics: Vec<Magic>,
}

/// An audit of a push that is queued or running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPush {
    /// The audit.
    pub audit: AuditId,
    /// Whether its plan is made, so that what it covers is settled.
    pub is_running: bool,
    /// What was pushed: a commit.
    pub revision: String,
    /// What it covers.
    pub scope: Scope,
    /// The audit whose end it waits for.
    pub waits_for: Option<AuditId>,
}

/// An audit of a push that was received lately, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPush {
    /// The audit.
    pub audit: AuditId,
    /// What was pushed: a commit.
    pub revision: String,
    /// The commit that the branch was at before this very push, where that is known.
    pub onto: Option<ObjectId>,
    /// Whether it looks at everything, not only at what is new.
    pub is_full: bool,
    /// The audit that took its place, if one did.
    pub superseded_by: Option<AuditId>,
}

/// What is to be done about a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Audits that stop, each with the audit that takes its place.
    pub superseded: Vec<(AuditId, AuditId)>,
    /// An audit that must cover more than it was asked to.
    pub widened: Option<(AuditId, Scope)>,
    /// Audits that wait for another one, or (`None`) for none any more; only where that changes.
    pub waits: Vec<(AuditId, Option<AuditId>)>,
}

/// Settles a branch. `known` is what its pushes are put in order by: the open ones among all that were received lately, in
/// the order of receipt. Settled again and again, it comes to rest.
pub fn settle(policy: PushPolicy, open: &[OpenPush], known: &[KnownPush]) -> Settlement {
    let order = in_push_order(known);
    let place = |push: &&OpenPush| order.iter().position(|known| known.audit == push.audit);
    let mut open: Vec<&OpenPush> = open.iter().collect();
    // Those that were received so long ago that they are not known any more come first.
    open.sort_by_cached_key(place);
    let (settlement, waiting) = match policy {
        PushPolicy::RunAll => (Settlement::default(), None),
        PushPolicy::Supersede => (supersede(open.clone()), None),
        PushPolicy::Coalesce => {
            let (running, queued): (Vec<_>, Vec<_>) = open.iter().copied().partition(|push| push.is_running);
            let waiting = running.last().zip(queued.last()).map(|(running, queued)| (queued.audit, running.audit));
            (supersede(queued), waiting)
        }
    };
    let is_stopped = |audit: AuditId| settlement.superseded.iter().any(|(stopped, _)| *stopped == audit);
    let stays = open.iter().filter(|push| !push.is_running && !is_stopped(push.audit));
    let waits = stays.filter_map(|push| {
        let waits_for = waiting.filter(|(audit, _)| *audit == push.audit).map(|(_, running)| running);
        (waits_for != push.waits_for).then_some((push.audit, waits_for))
    });
    Settlement { waits: waits.collect(), ..settlement }
}

/// The newest push that was superseded by an older one, because a delivery in between was missing when it was judged, and
/// that no other stands for since. Its audit has ended for good, so everything up to it must be asked for again.
pub fn overlooked(known: &[KnownPush]) -> Option<AuditId> {
    let order = in_push_order(known);
    let stands = order.iter().rposition(|push| push.is_full && push.superseded_by.is_none());
    let newer = stands.map_or(0, |stands| stands + 1);
    let is_overlooked = |(place, push): &(usize, &&KnownPush)| {
        let follower = follower(known, push).and_then(|last| order.iter().position(|other| other.audit == last));
        follower.is_some_and(|follower| follower < *place)
    };
    order.iter().enumerate().skip(newer).rfind(is_overlooked).map(|(_, push)| push.audit)
}

/// The audit that a superseded one was replaced by in the end.
fn follower(known: &[KnownPush], push: &KnownPush) -> Option<AuditId> {
    let mut last = push.superseded_by?;
    // Each was received at another time, so there are no more steps than pushes.
    for _ in known {
        match known.iter().find(|other| other.audit == last)?.superseded_by {
            Some(next) => last = next,
            None => return Some(last),
        }
    }
    None
}

/// From the oldest push to the newest. Deliveries may come in any order: what another push was pushed onto is older than
/// that one. Where that says nothing, or goes round in a circle, the order of receipt counts.
fn in_push_order(known: &[KnownPush]) -> Vec<&KnownPush> {
    let mut left: Vec<&KnownPush> = known.iter().collect();
    // How many of those left were pushed onto a commit.
    let mut onto: HashMap<&str, usize> = HashMap::new();
    for base in left.iter().filter_map(|push| follows(push)) {
        *onto.entry(base).or_default() += 1;
    }
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_last = |push: &&KnownPush| onto.get(push.revision.as_str()).is_none_or(|count| *count == 0);
        let newest = left.remove(left.iter().rposition(is_last).unwrap_or(left.len() - 1));
        if let Some(count) = follows(newest).and_then(|base| onto.get_mut(base)) {
            *count -= 1;
        }
        order.push(newest);
    }
    order.reverse();
    order
}

/// The commit whose push this one followed on; a push that changed nothing does not follow on itself.
fn follows(push: &KnownPush) -> Option<&str> {
    push.onto.as_ref().map(ObjectId::as_str).filter(|onto| *onto != push.revision)
}

/// The newest stops all others. One that runs already cannot cover more than it was planned to, so it stops only those
/// that it covers; the newest of the rest then stands for the rest.
fn supersede(mut order: Vec<&OpenPush>) -> Settlement {
    let mut settlement = Settlement::default();
    while let Some(newest) = order.pop() {
        let mut left = Vec::new();
        if newest.is_running {
            for older in order {
                if covers(&newest.scope, &older.scope) {
                    settlement.superseded.push((older.audit, newest.audit));
                } else {
                    left.push(older);
                }
            }
        } else {
            let scope = widened(&order, newest);
            settlement.superseded.extend(order.iter().map(|older| (older.audit, newest.audit)));
            settlement.widened = (scope != newest.scope).then_some((newest.audit, scope));
        }
        order = left;
    }
    settlement
}

fn covers(newer: &Scope, older: &Scope) -> bool {
    let has_base = newer.base.is_none() || newer.base == older.base;
    has_base && older.magics.iter().all(|magic| newer.magics.contains(magic))
}

/// What the newest must cover to stand for all of `order`, which is older. Where one push followed on the other, that is
/// everything since the first one's base; where a delivery in between is missing, only everything is surely enough.
fn widened(order: &[&OpenPush], newest: &OpenPush) -> Scope {
    let mut pushes = order.iter().copied().chain([newest]);
    let Some(first) = pushes.next() else { return newest.scope.clone() };
    let (mut scope, mut previous) = (first.scope.clone(), first);
    for push in pushes {
        let next = &push.scope;
        let follows = next.pushed_onto.as_ref().is_some_and(|onto| onto.as_str() == previous.revision);
        if !follows {
            scope.pushed_onto.clone_from(&next.pushed_onto);
        }
        if next.base.is_none() || (!follows && next.base != scope.base) {
            scope.base = None;
        }
        scope.magics.extend(&next.magics);
        previous = push;
    }
    scope.magics.sort_unstable();
    scope.magics.dedup();
    scope
}

#[cfg(test)]
mod tests;
