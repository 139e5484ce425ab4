//! Which text format of metrics who asks can read: OpenMetrics, or the older one of Prometheus.

use std::collections::BTreeSet;

use warp::http::HeaderMap;
use warp::http::header::ACCEPT;

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// What Prometheus asks for first.
    OpenMetrics,
    /// What everything else that reads metrics understands, `promtool check metrics` among it.
    Plain,
}

impl Format {
    /// The plain one for who asks for plain text and for nothing better.
    pub(super) fn asked_for(headers: &HeaderMap) -> Self {
        let accepted: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let names = |format: &str| accepted.iter().any(|value| value.contains(format));
        if names("text/plain") && !names("application/openmetrics-text") { Self::Plain } else { Self::OpenMetrics }
    }

    /// What it is called in the answer.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// OpenMetrics in this format.
    pub(super) fn of(self, text: String) -> String {
        match self {
            Self::OpenMetrics => text,
            Self::Plain => plain(&text),
        }
    }
}

/// The two differ in how a counter is called where it is described, and in the end of the text.
fn plain(text: &str) -> String {
    let counters: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|start| Some((start, line.strip_prefix(start)?)));
        match described.and_then(|(start, rest)| Some((start, rest.split_once(' ')?))) {
            Some((start, (name, rest))) if counters.contains(name) => {
                out.extend([start, name, "_total ", rest]);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_by_the_name_that_they_are_counted_under() {
        let open =
            "# HELP a What a is.\n# TYPE a counter\na_total{b=\"c\"} 1\n# HELP d D.\n# TYPE d gauge\nd 2\n# EOF\n";
        let expected =
            "# HELP a_total What a is.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n# HELP d D.\n# TYPE d gauge\nd 2\n";
        assert_eq!(Format::Plain.of(open.to_owned()), expected);
        assert_eq!(Format::OpenMetrics.of(open.to_owned()), open);
    }

    #[test]
    fn the_older_format_is_for_who_asks_for_it_alone() {
        let mut headers = HeaderMap::new();
        assert_eq!(Format::asked_for(&headers), Format::OpenMetrics);
        headers.insert(ACCEPT, "*/*".parse().unwrap());
        assert_eq!(Format::asked_for(&headers), Format::OpenMetrics);
        headers.insert(ACCEPT, "text/plain;version=0.0.4,*/*;q=0.1".parse().unwrap());
        assert_eq!(Format::asked_for(&headers), Format::Plain);
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        headers.insert(ACCEPT, prometheus.parse().unwrap());
        assert_eq!(Format::asked_for(&headers), Format::OpenMetrics);
    }
}
