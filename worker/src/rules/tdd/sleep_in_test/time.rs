//! Tests for which time itself has to pass, by their names, their comments or what they look at.

use super::own::comment;
use crate::names;
use crate::paths;

/// Words in names of tests that are about time.
const TIMES: &[&str] = &[
    "age",
    "ages",
    "eta",
    "idle",
    "lease",
    "mtime",
    "newer",
    "older",
    "rate",
    "slow",
    "soak",
    "stale",
    "stress",
    "tick",
    "ticker",
    "ticks",
    "timed",
    "timestamp",
    "timestamps",
    "ttl",
];

/// Words, joined, that names of tests write apart: `TestBackOff`, `test_time_out`.
const JOINED_TIMES: &[&str] = &["backoff", "ratelimit", "timeout"];

/// Beginnings of words of comments that say why time itself has to pass.
const TIME_SAID: &[&str] = &[
    "clock",
    "debounc",
    "distinct",
    "expir",
    "granular",
    "mtime",
    "newer",
    "older",
    "resolution",
    "stale",
    "throttl",
    "timestamp",
    "ttl",
];

/// Signs of code, next to a sleep, that looks at when something was changed.
const STAMPS: &[&str] = &["ModTime", "getmtime", "lastModified", "mtime", "updatedAt", "updated_at", "utime("];

/// Beginnings of words in names of tests that are about time.
const TIME_BEGINNINGS: &[&str] = &[
    "backoff",
    "clock",
    "deadline",
    "debounc",
    "delay",
    "duration",
    "elaps",
    "expir",
    "heartbeat",
    "interval",
    "latenc",
    "schedul",
    "sleep",
    "stopwatch",
    "throttl",
    "timeout",
    "timer",
    "uptime",
];

/// Whether a test is about time, as its name or that of its file says.
pub(super) fn is_about_time(name: &str, path: &str) -> bool {
    let says = |name: &str| {
        names::words(name).iter().any(|word| {
            TIMES.contains(&word.as_str()) || TIME_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        })
    };
    let joined = names::words(name).concat();
    let file = paths::file_name(path);
    says(name) || JOINED_TIMES.iter().any(|word| joined.contains(word)) || says(file.split('.').next().unwrap_or(file))
}

/// Whether the code of a line looks at when something was changed.
pub(super) fn is_stamped(line: &str) -> bool {
    STAMPS.iter().any(|sign| line.contains(sign))
}

/// Whether a comment says why time itself has to pass: stamps are to differ, something is to grow old.
pub(super) fn says_time(line: &str) -> bool {
    let words = names::words(&comment(line));
    words.iter().any(|word| TIME_SAID.iter().any(|head| word.starts_with(head)))
        || words.windows(2).any(|pair| pair == ["more", "recent"])
}
