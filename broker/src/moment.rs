//! A moment as people write it: RFC 3339, or an age such as `2h`.

use std::str::FromStr;

use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// A moment; an age counts back from when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment(pub OffsetDateTime);

/// Text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no moment: use RFC 3339, e.g. 2026-01-31T12:00:00Z, or an age in s, m, h or d, e.g. 2h")]
pub struct InvalidMoment(String);

impl FromStr for Moment {
    type Err = InvalidMoment;
    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let age = age(text).and_then(|age| OffsetDateTime::now_utc().checked_sub(age));
        let moment = age.or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok());
        moment.map(Self).ok_or_else(|| InvalidMoment(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

impl TryFrom<String> for Moment {
    type Error = InvalidMoment;
    fn try_from(text: String) -> Result<Self, InvalidMoment> {
        text.parse()
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.0.to_offset(time::UtcOffset::UTC);
        let (day, time) = (at.date(), at.time());
        write!(f, "{day}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
    }
}

fn age(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::seconds(i64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_dates_are_read() {
        let hours = |text: &str| {
            let Moment(then) = text.parse().unwrap();
            (OffsetDateTime::now_utc() - then).whole_hours()
        };
        assert_eq!(["2h", "120m", "7200s", "1d", "0s"].map(hours), [2, 2, 2, 24, 0]);
        let noon: Moment = "2026-01-31T12:00:00+01:00".parse().unwrap();
        assert_eq!(noon.0.unix_timestamp(), 1_769_857_200);
        assert_eq!(noon.to_string(), "2026-01-31T11:00:00Z");
    }

    #[test]
    fn what_is_no_moment_is_named() {
        for bad in ["", "h", "-2h", "2w", "yesterday", "2026-01-31", "99999999999d", "2 h", "é"] {
            let error = bad.parse::<Moment>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{bad}` is no moment")), "{error}");
        }
        // Longer ago than there are dates.
        assert!("4294967295d".parse::<Moment>().is_err());
    }
}
