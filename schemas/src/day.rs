//! A day of the calendar, as people write one: `2026-11-25`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Length of a day in text.
const TEXT_BYTES: usize = "YYYY-MM-DD".len();

/// A day of the calendar, in UTC wherever a clock decides which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Day(Date);

/// Text that is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day of the calendar: use YYYY-MM-DD")]
pub struct InvalidDay;

impl Day {
    /// The day in UTC on which `moment` is.
    pub fn of(moment: time::OffsetDateTime) -> Self {
        let moment = moment.to_offset(time::UtcOffset::UTC);
        let (year, month, day) = moment.to_calendar_date();
        let narrow = |number: u8| i8::try_from(number).unwrap_or(1);
        // Both calendars end far beyond any clock; what is out of range is a day long past.
        let date = i16::try_from(year).ok().and_then(|year| Date::new(year, narrow(month.into()), narrow(day)).ok());
        Self(date.unwrap_or(Date::MIN))
    }
}

impl FromStr for Day {
    type Err = InvalidDay;
    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        // The library also takes times of day and years before Christ.
        let is_plain = text.len() == TEXT_BYTES && text.starts_with(|c: char| c.is_ascii_digit());
        let date = if is_plain { text.parse().ok() } else { None };
        date.map(Self).ok_or(InvalidDay)
    }
}

impl TryFrom<String> for Day {
    type Error = InvalidDay;
    fn try_from(text: String) -> Result<Self, InvalidDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_days() {
        for good in ["2026-11-25", "2028-02-29", "0001-01-01"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        for bad in ["", "2026-02-29", "2026-13-01", "26-11-25", "2026-11-25T10", "2026/11/25", "20261125", "-02026-1-1"]
        {
            assert_eq!(bad.parse::<Day>(), Err(InvalidDay), "{bad}");
        }
    }

    #[test]
    fn days_are_in_order_and_a_moment_is_on_its_day_in_utc() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert!(day("2026-09-30") < day("2026-10-01"));
        let late = time::OffsetDateTime::UNIX_EPOCH - time::Duration::SECOND;
        assert_eq!(Day::of(late), day("1969-12-31"));
        let elsewhere = late.to_offset(time::UtcOffset::from_hms(9, 0, 0).unwrap());
        assert_eq!(Day::of(elsewhere), day("1969-12-31"));
    }
}
