//! The dispatcher's turns on their own: shares, limits, aging, and the same trace for the same seed.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use schemas::ids::{AuditId, ProjectSlug};
use schemas::request::Priority;
use uuid::Uuid;

use super::forecast::{Hold, Pace, forecast, hold};
use super::*;

fn project(number: usize) -> ProjectSlug {
    format!("p{number}").parse().unwrap()
}

fn entry(number: usize, ready: u64, task_cost: u64) -> Backlog {
    Backlog {
        audit: AuditId(Uuid::from_u128(number as u128)),
        project: project(number),
        team: None,
        priority: Priority::Normal,
        since_ms: 0,
        ready,
        in_flight: 0,
        task_cost,
        per_shard: 1,
    }
}

/// Plays rounds in which everything that was granted is done at once; returns the cost granted to each project.
fn play(
    turns: &mut Turns,
    backlog: &mut [Backlog],
    limits: &Limits,
    rounds: usize,
    room: u64,
) -> BTreeMap<String, u64> {
    let mut granted = BTreeMap::new();
    for round in 0..rounds {
        for grant in turns.choose(round as u64, backlog, limits, room) {
            *granted.entry(grant.project.to_string()).or_default() += grant.cost;
            let entry = backlog.iter_mut().find(|entry| entry.audit == grant.audit).unwrap();
            entry.ready -= grant.tasks;
        }
    }
    granted
}

/// Jain's index: 1 if all have the same, 1/n if one has everything.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn jain(shares: &[u64]) -> f64 {
    let (sum, squares) = shares
        .iter()
        .fold((0.0, 0.0), |(sum, squares), share| (sum + *share as f64, squares + (*share as f64).powi(2)));
    sum * sum / (shares.len() as f64 * squares)
}

proptest! {
    /// While all have work, nobody is ahead of anybody by more than a quantum and a shard for each round of turns.
    #[test]
    fn equal_weights_get_equal_cost_beside_a_neighbour_with_a_hundred_times_as_much(
        costs in prop::collection::vec(1..5_000_u64, 2..12),
        room in 1..300_u64,
    ) {
        let dearest = *costs.iter().max().unwrap();
        // Enough that nobody runs dry: the noisy neighbour has a hundred times as many tasks, and more audits.
        let mut backlog: Vec<Backlog> =
            costs.iter().enumerate().map(|(number, cost)| entry(number, 200 * dearest / cost + 1, *cost)).collect();
        let noisy: Vec<Backlog> = (100..110).map(|number| Backlog {
            project: project(99), ..entry(number, 20_000, dearest)
        }).collect();
        backlog.extend(noisy);
        let mut turns = Turns::default();
        let mut shares: HashMap<ProjectSlug, u64> = HashMap::new();
        let goal = 40 * dearest;
        while shares.values().copied().max().unwrap_or_default() < goal {
            for grant in turns.choose(0, &backlog, &Limits::default(), room) {
                *shares.entry(grant.project.clone()).or_default() += grant.cost;
                backlog.iter_mut().find(|entry| entry.audit == grant.audit).unwrap().ready -= grant.tasks;
            }
        }
        let shares: Vec<u64> = shares.into_values().collect();
        prop_assert_eq!(shares.len(), costs.len() + 1);
        prop_assert!(jain(&shares) >= 0.95, "{shares:?} is {}", jain(&shares));
    }

    #[test]
    fn no_limit_is_broken_and_no_room_is_left_unused(
        entries in prop::collection::vec((0..6_usize, 0..40_u64, 0..10_u64, 1..4_u64, 0..4_usize), 1..30),
        caps in prop::collection::vec(prop::option::of(1..20_u64), 6),
        team_cap in 1..30_u64,
        room in 0..100_u64,
    ) {
        let backlog: Vec<Backlog> = entries.iter().enumerate().map(|(number, (owner, ready, in_flight, per_shard, class))| Backlog {
            project: project(*owner),
            team: (owner % 2 == 0).then(|| "even".to_owned()),
            priority: Priority::ALL[*class],
            in_flight: *in_flight,
            per_shard: *per_shard,
            ..entry(number, *ready, 7)
        }).collect();
        let limits = Limits {
            projects: caps.iter().enumerate().map(|(owner, cap)| (project(owner), Limit { in_flight: *cap, weight: 1 })).collect(),
            teams: HashMap::from([("even".to_owned(), team_cap)]),
            project_default: Limit::default(),
        };
        let grants = Turns::default().choose(0, &backlog, &limits, room);
        let granted: u64 = grants.iter().map(|grant| grant.tasks).sum();
        prop_assert!(granted <= room);
        let mut after = backlog.clone();
        for grant in &grants {
            let entry = after.iter_mut().find(|entry| entry.audit == grant.audit).unwrap();
            prop_assert!(grant.tasks >= 1 && grant.tasks <= entry.ready);
            entry.ready -= grant.tasks;
            entry.in_flight += grant.tasks;
        }
        // Limits hold for all that was granted; what was above a limit before gets nothing.
        let (usage, before) = (Usage::of(&after), Usage::of(&backlog));
        for (owner, used) in &usage.projects {
            let most = limits.of(owner).in_flight.unwrap_or(u64::MAX);
            prop_assert!(*used <= most.max(before.projects[owner]));
        }
        for (team, used) in &usage.teams {
            prop_assert!(*used <= team_cap.max(before.teams[team]));
        }
        // Work is never held back while there is room that a limit does not forbid.
        if granted < room {
            for entry in &after {
                prop_assert!(entry.ready == 0 || usage.room(entry, &limits) == 0, "{entry:?} could have been served");
            }
        }
    }

    #[test]
    fn weights_decide_shares(weight in 1..20_u64) {
        let mut backlog = vec![entry(0, 1_000_000, 3), entry(1, 1_000_000, 3)];
        let weighted = Limit { in_flight: None, weight };
        let limits = Limits { projects: HashMap::from([(project(0), weighted)]), ..Limits::default() };
        let granted = play(&mut Turns::default(), &mut backlog, &limits, 100, 420);
        prop_assert!(granted["p0"].abs_diff(granted["p1"] * weight) <= 3 * (weight + 1) * weight, "{granted:?}");
    }
}

#[test]
fn classes_share_by_weight_and_none_starves() {
    let mut backlog: Vec<Backlog> = Priority::ALL
        .into_iter()
        .enumerate()
        .map(|(number, priority)| Backlog { priority, ..entry(number, 1_000_000, 5) })
        .collect();
    let granted = play(&mut Turns::default(), &mut backlog, &Limits::default(), 100, 29);
    let shares: Vec<u64> = granted.values().map(|cost| cost / 500).collect();
    assert_eq!(shares, [16, 8, 4, 1], "{granted:?}");
}

#[test]
fn a_class_that_was_idle_has_saved_up_nothing() {
    let mut turns = Turns::default();
    let mut backlog = vec![entry(0, 1_000_000, 5)];
    play(&mut turns, &mut backlog, &Limits::default(), 1_000, 100);
    backlog.push(Backlog { priority: Priority::Low, ..entry(1, 1_000, 5) });
    let granted = play(&mut turns, &mut backlog, &Limits::default(), 1, 100);
    assert_eq!(granted["p1"], 100, "one in five of 500: {granted:?}");
}

#[test]
fn what_was_served_before_everybody_was_idle_is_forgotten() {
    let mut turns = Turns::default();
    let normal = entry(0, 1_000_000, 5);
    play(&mut turns, &mut [normal.clone()], &Limits::default(), 1_000, 100);
    turns.choose(1_001, &[], &Limits::default(), 100);
    let mut backlog = [normal, Backlog { priority: Priority::High, ..entry(1, 1_000_000, 5) }];
    let granted = play(&mut turns, &mut backlog, &Limits::default(), 3, 100);
    assert!(
        granted["p0"].abs_diff(500) <= 10,
        "a class of weight 4 beside one of 8 gets a third of 1,500: {granted:?}"
    );
}

#[test]
fn a_class_that_was_held_by_a_limit_has_saved_up_nothing() {
    let (mut turns, held) = (Turns::default(), Limit { in_flight: Some(1), weight: 1 });
    let limits = Limits { projects: HashMap::from([(project(0), held)]), ..Limits::default() };
    let high = |number| Backlog { priority: Priority::High, ..entry(number, 1_000_000, 5) };
    let mut backlog = vec![Backlog { in_flight: 1, ..high(0) }, entry(1, 1_000_000, 5)];
    play(&mut turns, &mut backlog, &limits, 1_000, 100);
    backlog.push(high(2));
    let granted = play(&mut turns, &mut backlog, &limits, 3, 100);
    assert!(
        granted["p1"].abs_diff(500) <= 10,
        "a class of weight 4 beside one of 8 gets a third of 1,500: {granted:?}"
    );
}

#[test]
fn who_waits_long_enough_becomes_urgent_and_who_is_served_does_not() {
    let mut turns = Turns::default();
    let low = Backlog { priority: Priority::Low, ..entry(0, 10, 1) };
    let class = |turns: &Turns, now_ms| turns.class_of(now_ms, &low);
    assert_eq!(class(&turns, AGING_MS - 1), Priority::Low);
    assert_eq!(class(&turns, AGING_MS), Priority::Normal);
    assert_eq!(class(&turns, 99 * AGING_MS), Priority::Critical);
    let grants = turns.choose(99 * AGING_MS, std::slice::from_ref(&low), &Limits::default(), 1);
    assert_eq!(grants[0].class, Priority::Critical);
    assert_eq!(class(&turns, 99 * AGING_MS + 1), Priority::Low, "it was served just now");
}

#[test]
fn a_small_push_beside_a_huge_audit_waits_one_turn() {
    let mut turns = Turns::default();
    let mut backlog = vec![Backlog { per_shard: 3, ..entry(0, 100_000, 10) }];
    play(&mut turns, &mut backlog, &Limits::default(), 50, 96);
    backlog.push(Backlog { per_shard: 3, since_ms: 50, ..entry(1, 9, 10) });
    let grants = turns.choose(51, &backlog, &Limits::default(), 96);
    let last = grants.iter().rposition(|grant| grant.project == project(1)).unwrap();
    let before: u64 = grants[..=last].iter().map(|grant| grant.tasks).sum();
    assert!(before <= 9 + 9 + 3, "nine of its own, as many of the other, and one turn: {before}");
}

#[test]
fn predictions_that_were_wrong_are_made_good() {
    let mut turns = Turns::default();
    let mut backlog = vec![entry(0, 100_000, 10), entry(1, 100_000, 10)];
    let mut spent = [0_u64; 2];
    for round in 0..200 {
        for grant in turns.choose(round, &backlog, &Limits::default(), 20) {
            let number = usize::from(grant.project == project(1));
            // The second one's tasks are five times as dear as predicted.
            let actual = if number == 1 { 5 * grant.cost } else { grant.cost };
            turns.settle(&grant, actual);
            spent[number] += actual;
            backlog[number].ready -= grant.tasks;
        }
    }
    assert!(jain(&spent) > 0.99, "{spent:?}");
}

#[test]
fn what_holds_an_audit_is_named() {
    let limits = Limits {
        projects: HashMap::from([(project(0), Limit { in_flight: Some(4), weight: 1 })]),
        teams: HashMap::from([("core".to_owned(), 6)]),
        project_default: Limit::default(),
    };
    let id = |number: u128| AuditId(Uuid::from_u128(number));
    let backlog = [
        Backlog { in_flight: 4, ..entry(0, 5, 1) },
        Backlog { in_flight: 6, team: Some("core".to_owned()), ..entry(1, 5, 1) },
        entry(2, 5, 1),
        Backlog { in_flight: 2, ..entry(3, 0, 1) },
    ];
    assert_eq!(hold(&backlog, &limits, id(0)), Hold::Project { in_flight_max: 4, is_default: false });
    assert_eq!(hold(&backlog, &limits, id(1)), Hold::Team { team: "core".to_owned(), in_flight_max: 6 });
    assert_eq!(hold(&backlog, &limits, id(2)), Hold::Turn);
    assert_eq!(hold(&backlog, &limits, id(3)), Hold::Nothing);
}

#[test]
fn a_forecast_is_what_the_turns_will_do() {
    let backlog = [entry(0, 1_000, 10), entry(1, 10, 10)];
    let pace = Pace { cost_per_sec: 1_000.0, window: 20 };
    let small = forecast(0, &backlog, &Limits::default(), pace, backlog[1].audit).unwrap();
    assert_eq!((small.starts_in_secs, small.ends_in_secs), (Some(0.0), Some(0.2)), "{small:?}");
    assert!(small.tasks_ahead <= 1 && small.position <= 2, "{small:?}");
    let large = forecast(0, &backlog, &Limits::default(), pace, backlog[0].audit).unwrap();
    assert!((large.ends_in_secs.unwrap() - 10.1).abs() < 0.2, "1,010 tasks at 100 a second: {large:?}");
    let pace = Pace { cost_per_sec: 1_000.0, window: 0 };
    let never = forecast(0, &backlog, &Limits::default(), pace, backlog[1].audit).unwrap();
    assert_eq!((never.starts_in_secs, never.ends_in_secs), (None, None));
}
