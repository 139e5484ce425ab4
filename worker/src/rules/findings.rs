//! What a rule is given, and where it puts what it finds.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use schemas::bundle::CommitFacts;
use schemas::day::Day;
use schemas::facts::Spot;
use schemas::finding::{Finding, Location, snippet};
use schemas::item::FINDINGS_PER_RULE_MAX;
use schemas::repository_config::RuleSettings;
use schemas::severity::Severity;

use super::{Rule, Threshold, readings};
use crate::automation::Automation;
use crate::lines::CodeLines;
use crate::outline::{Outline, Span};
use crate::paths;
use crate::secrets::{self, Secret};
use crate::source::Source;
use crate::suppressions::Suppressions;

/// Confidence, in permille, below which nothing is worse than medium: a guess must not fail an audit.
const SURE_PERMILLE: u16 = 700;

/// Confidence, in permille, below which nothing is worse than low: what is more often wrong than right is only a hint.
const LIKELY_PERMILLE: u16 = 500;

/// From this column on a snippet starts shortly before its place instead of at the start of the line.
const SNIPPET_COLUMN_MAX: usize = 150;

/// How much of such a line stands before the place.
const SNIPPET_LEAD_CHARS: usize = 40;

/// A file, read once for every rule.
#[derive(Debug)]
pub(crate) struct File<'f> {
    /// Its text.
    pub(crate) source: Source<'f>,
    /// What is known of it.
    pub(crate) outline: Outline,
    /// Which of its lines hold code.
    pub(crate) code_lines: CodeLines,
    /// The secrets in it.
    pub(crate) secrets: Vec<Secret>,
    /// What it makes machines do, if it is there for that.
    pub(crate) automation: Option<Automation>,
    /// What its comments allow.
    pub(crate) suppressions: Suppressions,
    /// The day of the audit, where it is known.
    pub(crate) day: Option<Day>,
    /// What many rules ask, once one of them has.
    pub(crate) known: Known,
}

/// Answers about a whole file.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(super) is_foreign: OnceCell<bool>,
    is_test: OnceCell<bool>,
    is_test_input: OnceCell<bool>,
}

/// A place, ready to be reported: every secret in it is masked.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    location: Location,
    snippet: String,
    /// What makes the finding what it is, wherever it moves.
    identity: String,
}

/// What a rule found at a place.
#[derive(Debug)]
pub(crate) struct Hit {
    /// Where.
    pub(crate) place: Place,
    /// How bad it is here.
    pub(crate) severity: Severity,
    /// How sure the rule is, in permille.
    pub(crate) confidence_permille: u16,
    /// What is wrong here.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) suggestion: &'static str,
}

impl File<'_> {
    /// The text of `span`.
    pub(crate) fn text(&self, span: &Span) -> &str {
        self.source.text.get(span.clone()).unwrap_or_default()
    }

    /// The comments that stand above the first code.
    pub(crate) fn comments_above_code(&self) -> &[Span] {
        let mut end = 0;
        let is_above = |comment: &&Span| {
            let between = end..comment.start.max(end);
            end = comment.end;
            self.text(&between).trim().is_empty()
        };
        let count = self.outline.comments.iter().take_while(is_above).count();
        &self.outline.comments[..count]
    }

    /// How many lines of `span` hold code.
    pub(crate) fn code_lines(&self, span: &Span) -> usize {
        let last = self.source.line_of(span.end.saturating_sub(1).max(span.start));
        self.code_lines.within(self.source.line_of(span.start)..last + 1)
    }

    /// Whether byte `at` is in code that exists for tests only.
    pub(crate) fn is_test_code(&self, at: usize) -> bool {
        self.is_test() || self.outline.is_test_code(at)
    }

    /// Whether it is a file of tests, by its path.
    pub(crate) fn is_test(&self) -> bool {
        *self.known.is_test.get_or_init(|| paths::is_test(self.source.path))
    }

    /// Whether tests read it, by its path.
    pub(crate) fn is_test_input(&self) -> bool {
        *self.known.is_test_input.get_or_init(|| paths::is_test_input(self.source.path))
    }

    /// The comments on the line of byte `at` and those that end on the line above.
    pub(crate) fn comments_near(&self, at: usize) -> impl Iterator<Item = &str> {
        let line = self.source.line_of(at);
        let comments = &self.outline.comments;
        let from = comments.partition_point(|span| self.source.line_of(span.end.saturating_sub(1)) + 1 < line);
        comments[from..]
            .iter()
            .take_while(move |span| self.source.line_of(span.start) <= line)
            .map(|span| self.text(span))
    }

    /// The place `span`, with its first line as snippet.
    pub(crate) fn place(&self, span: Span) -> Place {
        let window = self.window(span.start);
        self.place_in(&window, span)
    }

    /// The place `span` with nothing but itself as snippet: what stands beside it is a secret that only the rule knows.
    pub(crate) fn place_alone(&self, span: Span) -> Place {
        self.place_in(&span.clone(), span)
    }

    fn place_in(&self, window: &Span, span: Span) -> Place {
        let (line, column) = self.source.position(span.start);
        let (end_line, end_column) = self.source.position(span.end);
        let location = Location::File { path: self.source.path.to_owned(), line, column, end_line, end_column };
        let snippet = snippet(&secrets::mask(&self.source.text, window, &self.secrets));
        Place { location, identity: snippet.clone(), snippet }
    }

    /// The place `span` as a fact.
    pub(crate) fn spot(&self, span: Span) -> Spot {
        let (line, column) = self.source.position(span.start);
        let (end_line, end_column) = self.source.position(span.end);
        Spot { line, column, end_line, end_column, snippet: self.place(span).snippet }
    }

    /// The place `span` as a fact, with nothing but itself as snippet.
    pub(crate) fn spot_alone(&self, span: Span) -> Spot {
        let (line, column) = self.source.position(span.start);
        let (end_line, end_column) = self.source.position(span.end);
        Spot { line, column, end_line, end_column, snippet: self.place_alone(span).snippet }
    }

    /// The part of the line of byte `at` that is worth showing.
    fn window(&self, at: usize) -> Span {
        let line = self.source.line_span(self.source.line_of(at));
        let before = self.source.text.get(line.start..at).unwrap_or_default();
        let hidden = match before.chars().count() {
            column if column > SNIPPET_COLUMN_MAX => column - SNIPPET_LEAD_CHARS,
            _ => 0,
        };
        let start = before.char_indices().nth(hidden).map_or(line.start, |(offset, _)| line.start + offset);
        start..line.end
    }
}

impl Place {
    /// The place of `commit`, with its subject as snippet.
    pub(crate) fn of_commit(commit: &CommitFacts) -> Self {
        let subject = &commit.subject;
        let masked = secrets::mask(subject, &(0..subject.len()), &secrets::find(subject, false));
        let snippet = snippet(&masked);
        Self { location: Location::Commit { sha: commit.sha.clone() }, identity: snippet.clone(), snippet }
    }

    /// The place of `spot` in the file of this path.
    pub(crate) fn of_spot(path: &str, spot: &Spot) -> Self {
        let Spot { line, column, end_line, end_column, snippet } = spot.clone();
        let location = Location::File { path: path.to_owned(), line, column, end_line, end_column };
        Self { location, identity: snippet.clone(), snippet }
    }

    /// The same place, told apart from equal ones by `mark`.
    pub(crate) fn marked(mut self, mark: &str) -> Self {
        self.identity = format!("{} {mark}", self.identity);
        self
    }
}

/// What one rule found in one file, commit or repository.
pub(crate) struct Findings<'r> {
    rule: &'r Rule,
    settings: Option<&'r RuleSettings>,
    /// Whether no finding is surer than readers found the rule.
    heeds_readings: bool,
    hits: Vec<Hit>,
    is_over: bool,
}

impl<'r> Findings<'r> {
    /// Nothing yet, and whatever will be is believed as the rule says it.
    pub(crate) fn new(rule: &'r Rule) -> Self {
        Self { rule, settings: None, heeds_readings: false, hits: Vec::new(), is_over: false }
    }

    /// Nothing yet, where the repository may have settings of its own. Readers of other projects are not asked where it has a
    /// severity of its own: who chose that has looked.
    pub(crate) fn under(rule: &'r Rule, settings: Option<&'r RuleSettings>) -> Self {
        let is_chosen = settings.is_some_and(|settings| settings.severity.is_some());
        Self { settings, heeds_readings: !is_chosen, ..Self::new(rule) }
    }

    /// What the repository chose, or else the default.
    pub(crate) fn threshold(&self, threshold: &Threshold) -> u64 {
        debug_assert!(self.rule.thresholds.contains(&threshold), "{} does not list {}", self.rule.id, threshold.name);
        let chosen = self.settings.and_then(|settings| settings.thresholds.get(threshold.name));
        chosen.copied().unwrap_or(threshold.default)
    }

    /// Whether no more is listed; a rule may stop looking.
    pub(crate) fn is_full(&self) -> bool {
        self.is_over
    }

    /// Reports `hit`.
    pub(crate) fn push(&mut self, mut hit: Hit) {
        debug_assert!(hit.severity <= self.rule.severity, "{} promises no {}", self.rule.id, hit.severity);
        if self.hits.len() >= FINDINGS_PER_RULE_MAX {
            self.is_over = true;
            return;
        }
        // Asked here and not once for each file: most rules find nothing in most files.
        let max = self.heeds_readings.then(|| readings::confidence_max(self.rule.id)).flatten();
        hit.confidence_permille = hit.confidence_permille.min(max.unwrap_or(hit.confidence_permille));
        hit.severity = self.chosen(hit.severity);
        let worst = match hit.confidence_permille {
            ..LIKELY_PERMILLE => Severity::Low,
            LIKELY_PERMILLE..SURE_PERMILLE => Severity::Medium,
            _ => hit.severity,
        };
        hit.severity = hit.severity.min(worst);
        self.hits.push(hit);
    }

    /// `severity` moved by as many steps as the repository moved the rule's worst one. What is only worth knowing stays so:
    /// it was ruled to be fine.
    fn chosen(&self, severity: Severity) -> Severity {
        let Some(worst) = self.settings.and_then(|settings| settings.severity) else { return severity };
        if severity == Severity::Info {
            return severity;
        }
        let step = |severity| Severity::WORST_FIRST.iter().position(|one| *one == severity).unwrap_or(0);
        let milder = step(severity).saturating_sub(step(self.rule.severity));
        Severity::WORST_FIRST.get(step(worst) + milder).copied().unwrap_or(Severity::Info)
    }

    /// The findings with their fingerprints, and a note if not all are listed.
    pub(crate) fn finish(mut self) -> (Vec<Finding>, Option<String>) {
        // Most rules find nothing in most files.
        if self.hits.is_empty() {
            return (Vec::new(), None);
        }
        self.hits.sort_by(|a, b| a.place.location.cmp(&b.place.location));
        let id = self.rule.rule_id();
        // Of one file, since its fingerprints must not depend on what other files of a repository hold.
        let mut ordinals: BTreeMap<(Option<String>, String), u32> = BTreeMap::new();
        let finding = |hit: Hit| {
            let Place { location, snippet, identity } = hit.place;
            let Hit { severity, confidence_permille, message, .. } = hit;
            let (rule, suggestion) = (id.clone(), hit.suggestion.to_owned());
            let (fingerprint, content_fingerprint) = (String::new(), String::new());
            #[rustfmt::skip]
            let mut finding = Finding {
                rule, severity, confidence_permille, location, snippet, message, suggestion, fingerprint, content_fingerprint,
            };
            let path = match &finding.location {
                Location::File { path, .. } => Some(path.clone()),
                Location::Commit { .. } => None,
            };
            let ordinal = ordinals.entry((path, identity.clone())).or_default();
            finding.identify(&identity, *ordinal);
            *ordinal += 1;
            finding
        };
        let findings = self.hits.into_iter().map(finding).collect();
        let id = self.rule.id;
        let note = format!("more than {FINDINGS_PER_RULE_MAX} findings of {id}; the rest is not listed");
        (findings, self.is_over.then_some(note))
    }
}
