//! Figures: percentiles of many measurements, and the spread of a few repetitions.

use std::fmt;
use std::time::Duration;

/// A number of things as a factor of a rate.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub fn real(count: usize) -> f64 {
    count as f64
}

/// How many in a second.
pub fn rate(count: usize, time: Duration) -> f64 {
    real(count) / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// Microseconds for each of `count`.
pub fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / real(count.max(1))
}

/// The smallest measurement that at least `permille` of 1,000 do not exceed; zero of none.
pub fn percentile(sorted: &[Duration], permille: usize) -> Duration {
    let rank = (sorted.len() * permille).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// Milliseconds at p50, p90, p99 and the worst, as cells of a table.
pub fn latency_cells(mut times: Vec<Duration>) -> Vec<String> {
    times.sort();
    let at = |permille| format!("{:.2}", percentile(&times, permille).as_secs_f64() * 1e3);
    vec![at(500), at(900), at(990), at(1_000)]
}

/// The same figure of several repetitions: shown as the middle one with the smallest and the largest.
#[derive(Debug, Clone, Default)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Adds a repetition.
    pub fn add(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one; zero of none.
    pub fn middle(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(least), Some(most)) = (self.0.first(), self.0.last()) else { return f.pad("-") };
        f.pad(&format!("{} ({}–{})", short(self.middle()), short(*least), short(*most)))
    }
}

/// Three significant digits or whole numbers, with thousands apart.
pub fn short(figure: f64) -> String {
    match figure {
        figure if figure >= 1e4 => format!("{:.1} k", figure / 1e3),
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements_that_were_made() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let at = |permille| percentile(&times, permille).as_millis();
        assert_eq!((at(500), at(990), at(1_000), at(0)), (100, 198, 200, 1));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }

    #[test]
    fn a_spread_shows_the_middle_between_its_ends() {
        let mut spread = Spread::default();
        for figure in [3.0, 12_345.0, 150.4] {
            spread.add(figure);
        }
        assert_eq!(spread.to_string(), "150 (3.00–12.3 k)");
        assert_eq!(Spread::default().to_string(), "-");
    }
}
