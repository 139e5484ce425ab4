//! The moments that a cron expression means on the clocks of a time zone.
//!
//! A local time that a change of clocks skips counts as the first moment after the change; one that comes twice counts the
//! first time. So each local time that matches fires once, and what falls on one moment is one.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use time::OffsetDateTime;

/// Longest cron expression, in bytes: six lists of every value have about 400.
const CRON_BYTES_MAX: usize = 400;

/// Local times looked at for one moment: a day of seconds, for clocks that were set back by one.
const STEPS_MAX: usize = 100_000;

/// A cron expression or time zone that gives no moments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCalendar {
    /// The expression is not one.
    #[error("cron expression `{cron}` is not valid: {reason}")]
    Cron {
        /// The expression, clipped.
        cron: String,
        /// Why.
        reason: String,
    },
    /// It matches no day that any calendar has.
    #[error("cron expression `{0}` never matches")]
    Never(String),
    /// There is no such time zone.
    #[error("time zone `{0}` is not known: use an IANA name, e.g. `Europe/Berlin` or `UTC`")]
    TimeZone(String),
}

/// A cron expression on the clocks of a time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    cron: Cron,
    zone: TimeZone,
}

impl Calendar {
    /// Reads an expression and the name of a time zone.
    ///
    /// # Errors
    /// If either is not valid, or no moment ever matches.
    pub fn new(cron: &str, time_zone: &str) -> Result<Self, InvalidCalendar> {
        let shown = |text: &str| text.chars().take(80).flat_map(char::escape_debug).collect::<String>();
        let invalid = |reason: String| InvalidCalendar::Cron { cron: shown(cron), reason };
        if cron.len() > CRON_BYTES_MAX {
            return Err(invalid(format!("it has more than {CRON_BYTES_MAX} bytes")));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| invalid(error.to_string().to_lowercase()))?;
        let zone = TimeZone::get(time_zone).map_err(|_unknown| InvalidCalendar::TimeZone(shown(time_zone)))?;
        // Leap days come at least every eight years; from any day on, so does everything else.
        if parsed.find_next_occurrence(&DateTime::constant(2024, 1, 1, 0, 0, 0, 0), true).is_err() {
            return Err(InvalidCalendar::Never(shown(cron)));
        }
        Ok(Self { cron: parsed, zone })
    }

    /// The first moment after `after`; `None` at the end of the calendar.
    pub fn next_after(&self, after: OffsetDateTime) -> Option<OffsetDateTime> {
        let after = timestamp(after)?;
        let mut local = self.zone.to_datetime(after);
        for _ in 0..STEPS_MAX {
            local = self.cron.find_next_occurrence(&local, false).ok()?;
            let at = self.moment(local)?;
            if at > after {
                return moment_of(at);
            }
        }
        None
    }

    /// The latest moments from `since` to `until`, both included, at most `max`, in order.
    pub fn latest(&self, since: OffsetDateTime, until: OffsetDateTime, max: usize) -> Vec<OffsetDateTime> {
        let mut moments = self.backwards(since, until, max).unwrap_or_default();
        moments.reverse();
        moments.into_iter().filter_map(moment_of).collect()
    }

    fn backwards(&self, since: OffsetDateTime, until: OffsetDateTime, max: usize) -> Option<Vec<Timestamp>> {
        let (since, until) = (timestamp(since)?, timestamp(until)?);
        let mut moments: Vec<Timestamp> = Vec::new();
        let mut local = self.last_local(until)?;
        let mut is_first = true;
        for _ in 0..STEPS_MAX + max {
            let Ok(found) = self.cron.find_previous_occurrence(&local, is_first) else { break };
            (local, is_first) = (found, false);
            let at = self.moment(local)?;
            if at < since || moments.len() == max {
                break;
            }
            if at <= until && moments.last() != Some(&at) {
                moments.push(at);
            }
        }
        Some(moments)
    }

    /// The latest local time that the clocks have shown by then: not the one that they show, where they were just set back.
    fn last_local(&self, until: Timestamp) -> Option<DateTime> {
        let local = self.zone.to_datetime(until);
        let tick = jiff::SignedDuration::from_nanos(1);
        let Some(change) = self.zone.preceding(until.checked_add(tick).ok()?).next() else { return Some(local) };
        let before = self.zone.to_datetime(change.timestamp().checked_sub(tick).ok()?);
        Some(local.max(before))
    }

    /// When the clocks show a local time, by the law at the head of this file.
    fn moment(&self, local: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { before, .. } => {
                // By the clocks before the change it would be this, which is at or after the change.
                let would_be = before.to_timestamp(local).ok()?;
                let beyond = would_be.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
                self.zone.preceding(beyond).next().map(|change| change.timestamp())
            }
        }
    }
}

fn timestamp(at: OffsetDateTime) -> Option<Timestamp> {
    Timestamp::from_nanosecond(at.unix_timestamp_nanos()).ok()
}

fn moment_of(at: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.as_second()).ok()
}
