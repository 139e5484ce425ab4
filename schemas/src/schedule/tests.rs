//! Which moments a schedule means, by example on days when clocks change, and by property.

use proptest::prelude::*;
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::*;

fn at(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn calendar(cron: &str, zone: &str) -> Calendar {
    Calendar::new(cron, zone).unwrap()
}

/// The moments after `after`, one by one.
fn following(calendar: &Calendar, after: &str, count: usize) -> Vec<String> {
    let mut last = at(after);
    let mut moments = Vec::new();
    while moments.len() < count {
        last = calendar.next_after(last).unwrap();
        moments.push(last.format(&Rfc3339).unwrap());
    }
    moments
}

#[test]
fn a_skipped_local_time_fires_once_right_after_the_change() {
    // Berlin, 29 March 2026: from 02:00 to 03:00, which is 01:00 UTC.
    let daily = calendar("30 2 * * *", "Europe/Berlin");
    let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
    assert_eq!(following(&daily, "2026-03-27T12:00:00Z", 3), expected);
    // Four skipped quarters, and 03:00 itself, are one moment.
    let quarters = calendar("*/15 * * * *", "Europe/Berlin");
    let expected = ["2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"];
    assert_eq!(following(&quarters, "2026-03-29T00:40:00Z", 3), expected);
}

#[test]
fn a_doubled_local_time_fires_the_first_time_only() {
    // Berlin, 25 October 2026: from 03:00 back to 02:00, which is 01:00 UTC.
    let daily = calendar("30 2 * * *", "Europe/Berlin");
    let expected = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(following(&daily, "2026-10-24T12:00:00Z", 2), expected);
    assert_eq!(following(&daily, "2026-10-25T01:10:00Z", 1), expected[1..], "between the two");
    let hourly = calendar("@hourly", "Europe/Berlin");
    let expected = ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"];
    assert_eq!(following(&hourly, "2026-10-24T23:00:00Z", 2), expected);
    // An every-second schedule rests during the second pass, and looking back from within it finds the first.
    let seconds = calendar("* * * * * *", "Europe/Berlin");
    assert_eq!(following(&seconds, "2026-10-25T00:59:59Z", 1), ["2026-10-25T02:00:00Z"]);
    for until in ["2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:59:59.9Z"] {
        let latest = seconds.latest(at("2026-10-25T00:00:00Z"), at(until), 2);
        assert_eq!(latest, [at("2026-10-25T00:59:58Z"), at("2026-10-25T00:59:59Z")], "{until}");
    }
}

#[test]
fn expressions_and_time_zones_are_checked_when_they_are_defined() {
    for good in ["0 3 * * 1-5", "*/10 * * * * *", "@daily", "0 0 29 2 *", "0 0 L * *"] {
        assert!(Calendar::new(good, "America/New_York").is_ok(), "{good}");
    }
    for (cron, zone, said) in [
        ("", "UTC", "cron expression `` is not valid"),
        ("60 * * * *", "UTC", "out of bounds"),
        ("* * * *", "UTC", "5 or 6 fields"),
        ("* * * * * * *", "UTC", "5 or 6 fields"),
        ("@reboot", "UTC", "not valid"),
        ("0 0 30 2 *", "UTC", "never matches"),
        ("@daily", "Mars/Olympus", "time zone `Mars/Olympus` is not known"),
        ("@daily", "", "time zone ``"),
    ] {
        let error = Calendar::new(cron, zone).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(Calendar::new(&"1,".repeat(300), "UTC").unwrap_err().to_string().contains("400 bytes"));
}

#[test]
fn missed_moments_are_skipped_made_up_for_by_one_or_each() {
    let hourly = calendar("@hourly", "UTC");
    let moments = |catch_up, now: &str| due(&hourly, catch_up, at("2026-01-01T01:00:00Z"), at(now)).moments;
    let (late, on_time) = ("2026-01-01T05:30:00Z", "2026-01-01T05:00:20Z");
    assert!(moments(CatchUp::Skip, late).is_empty());
    assert_eq!(moments(CatchUp::Once, late), [at("2026-01-01T05:00:00Z")]);
    assert_eq!(moments(CatchUp::All, late).len(), 5);
    assert_eq!(moments(CatchUp::Skip, on_time), [at("2026-01-01T05:00:00Z")]);
    assert_eq!(moments(CatchUp::Once, on_time), [at("2026-01-01T05:00:00Z")]);
    assert_eq!(moments(CatchUp::All, "2026-01-20T00:00:30Z").len(), CATCH_UP_MAX);
    assert_eq!(
        due(&hourly, CatchUp::Skip, at("2026-01-01T01:00:00Z"), at(late)).next,
        Some(at("2026-01-01T06:00:00Z"))
    );
}

const CRONS: [&str; 8] = [
    "*/7 * * * *",
    "30 2 * * *",
    "0 */6 * * *",
    "15,45 1-3 * * *",
    "@daily",
    "0 2 * * 0",
    "59 23 L * *",
    "*/20 30 2 * * *",
];
/// Clocks that change by an hour, by half of one, by a whole day, and never.
const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca"];

prop_compose! {
    fn moments()(cron in 0..CRONS.len(), zone in 0..ZONES.len(), start in 1_293_840_000..1_325_376_000_i64, days in 0..40_i64)
        -> (Calendar, OffsetDateTime, OffsetDateTime) {
        let since = OffsetDateTime::from_unix_timestamp(start).unwrap();
        (calendar(CRONS[cron], ZONES[zone]), since, since + Duration::days(days))
    }
}

proptest! {
    #[test]
    fn looking_back_finds_what_going_forward_found((calendar, since, until) in moments(), max in 0..50_usize) {
        let mut forward = Vec::new();
        let mut last = since - Duration::SECOND;
        while let Some(next) = calendar.next_after(last).filter(|next| *next <= until) {
            prop_assert!(next > last, "moments only go forward");
            forward.push(next);
            last = next;
        }
        prop_assert_eq!(&calendar.latest(since, until, usize::MAX / 2), &forward);
        let latest = forward.split_off(forward.len().saturating_sub(max));
        prop_assert_eq!(calendar.latest(since, until, max), latest);
    }

    #[test]
    fn whenever_it_is_looked_each_moment_is_dealt_with_once(
        (calendar, since, until) in moments(), pauses in proptest::collection::vec(1..400_000_i64, 1..12), policy in 0..3_usize,
    ) {
        let catch_up = CatchUp::ALL[policy];
        let mut next = calendar.next_after(since);
        let (mut now, mut fired) = (since, Vec::new());
        for pause in pauses.into_iter().cycle() {
            now += Duration::seconds(pause);
            if now > until {
                break;
            }
            if let Some(since) = next.filter(|next| *next <= now) {
                let due = due(&calendar, catch_up, since, now);
                let missed = due.moments.iter().filter(|moment| now - **moment > Duration::seconds(ON_TIME_SECS)).count();
                match catch_up {
                    CatchUp::Skip => prop_assert_eq!(missed, 0),
                    CatchUp::Once => prop_assert!(missed <= 1 && !due.moments.is_empty()),
                    CatchUp::All => prop_assert_eq!(&due.moments, &calendar.latest(since, now, CATCH_UP_MAX)),
                }
                fired.extend(due.moments);
                next = due.next;
            }
            prop_assert!(next.is_none_or(|next| next > now));
        }
        let mut sorted = fired.clone();
        sorted.dedup();
        prop_assert!(fired.is_sorted() && sorted.len() == fired.len(), "nothing fires twice");
    }
}
