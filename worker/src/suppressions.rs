//! What comments allow: `elder:allow(rule) reason: why until: YYYY-MM-DD`.
//!
//! A comment counts for the line it stands on and, if it stands there alone, for the line after it;
//! `elder:allow-file(…)` in the first lines counts for the file. It must name rules and give a reason.

pub(crate) mod allowances;

use std::collections::HashMap;

use schemas::day::Day;
use schemas::facts::Allowed;
use schemas::repository_config::FIXED_RULE;

use crate::markdown;
use crate::outline::Span;
use crate::rules::ALL;
use crate::source::Source;

/// What opens every such comment.
const MARK: &str = "elder:allow";

/// How far down the file a comment may stand that counts for all of it: below a licence, above the code.
const FILE_LINES_MAX: usize = 20;

/// What opens documentation. It may show such a comment; what it shows allows nothing.
const DOCUMENTATION: &[&str] = &["///", "//!", "/**", "/*!"];

/// What opens a comment, within a comment too: `# noqa  # elder:allow(…)`.
const OPENERS: &[&str] = &["//", "#", "--", "/*", "<!--", ";", "%"];

/// What closes a comment.
const CLOSERS: &[&str] = &["*/", "-->", "-}", "]]"];

/// Until when something is allowed; without a day, for ever.
type Until = Option<Day>;

/// What the comments of a file allow, and what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    file: HashMap<&'static str, Until>,
    lines: HashMap<(usize, &'static str), Until>,
    /// Comments that allow less than they seem to, by place.
    pub(crate) mistakes: Vec<(Span, Mistake)>,
    /// Comments that count until a day, by place.
    pub(crate) dated: Vec<(Span, Day)>,
}

/// Why a comment allows nothing, or less than it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// It does not say why.
    NoReason,
    /// It names no rule.
    NoRule,
    /// It names a rule that is not there, or that cannot be allowed.
    UnknownRule(String),
    /// What follows `until:` is no day.
    NoDay,
    /// It would count for the file and stands too far down.
    TooFarDown,
}

/// One comment that allows something, or would.
struct Directive<'t> {
    span: Span,
    for_file: bool,
    rules: Vec<&'t str>,
    has_reason: bool,
    until: Option<&'t str>,
}

impl Suppressions {
    /// Reads the comments of a file: those that its language knows, or those of a document.
    pub(crate) fn read(source: &Source<'_>, comments: &[Span]) -> Self {
        let mut read = Self::default();
        if !source.text.contains(MARK) {
            return read;
        }
        let in_document = markdown::is_markdown(source.path).then(|| markdown::read(&source.text).comments);
        let comments = in_document
            .as_deref()
            .unwrap_or(comments)
            .iter()
            .filter(|span| source.text[Span::clone(span)].contains(MARK));
        // From below, so that each of several comments above a line knows what the next one counts for.
        let mut targets: HashMap<usize, usize> = HashMap::new();
        for comment in comments.rev() {
            let directives = directives(&source.text, comment);
            if directives.is_empty() {
                continue;
            }
            let (first, last) = (source.line_of(comment.start), source.line_of(comment.end.saturating_sub(1)));
            let next = stands_alone(source, comment).then(|| targets.get(&(last + 1)).copied().unwrap_or(last + 1));
            if let Some(next) = next {
                targets.insert(first, next);
            }
            for directive in directives.into_iter().rev() {
                let own = source.line_of(directive.span.start);
                read.add(directive, own, next);
            }
        }
        read.mistakes.reverse();
        read.dated.reverse();
        read
    }

    fn add(&mut self, directive: Directive<'_>, own: usize, next: Option<usize>) {
        let Directive { span, for_file, rules, has_reason, until } = directive;
        let mut mistaken = |mistake| self.mistakes.push((span.clone(), mistake));
        let known = |name: &&str| ALL.iter().map(|rule| rule.id).find(|id| id == name && *id != FIXED_RULE);
        let (names, strangers): (Vec<_>, Vec<_>) = rules.into_iter().partition(|name| known(name).is_some());
        if let Some(stranger) = strangers.first() {
            mistaken(Mistake::UnknownRule((*stranger).to_owned()));
        } else if names.is_empty() {
            mistaken(Mistake::NoRule);
        }
        let day = until.map(str::parse::<Day>).transpose();
        if for_file && own >= FILE_LINES_MAX {
            return mistaken(Mistake::TooFarDown);
        }
        if !has_reason {
            return mistaken(Mistake::NoReason);
        }
        let Ok(until) = day else { return mistaken(Mistake::NoDay) };
        if let Some(day) = until.filter(|_| !names.is_empty()) {
            self.dated.push((span, day));
        }
        for name in names.iter().filter_map(known) {
            if for_file {
                allow(&mut self.file, name, until);
            } else {
                for line in [Some(own), next].into_iter().flatten() {
                    allow(&mut self.lines, (line, name), until);
                }
            }
        }
    }

    /// Whether `rule` may find something on `line`, counted from 1, on `day`.
    pub(crate) fn allows(&self, rule: &'static str, line: u32, day: Option<Day>) -> bool {
        let line = usize::try_from(line).map_or(usize::MAX, |line| line.saturating_sub(1));
        let found = [self.file.get(rule), self.lines.get(&(line, rule))];
        found.into_iter().flatten().any(|until| !has_passed(*until, day))
    }

    /// Where they allow what one of `rules` finds.
    pub(crate) fn allowed_to(&self, rules: &[&'static str]) -> Vec<Allowed> {
        let number = |line: usize| u32::try_from(line + 1).ok();
        let files = self.file.iter().map(|(rule, until)| (*rule, None, *until));
        let lines = self.lines.iter().map(|((line, rule), until)| (*rule, number(*line), *until));
        let own = files.chain(lines).filter(|(rule, ..)| rules.contains(rule));
        let allowed = own.filter_map(|(rule, line, until)| Some(Allowed { rule: rule.parse().ok()?, line, until }));
        let mut allowed: Vec<Allowed> = allowed.collect();
        allowed.sort();
        allowed
    }

    /// Whether what is allowed depends on the day.
    pub(crate) fn is_dated(&self) -> bool {
        !self.dated.is_empty()
    }
}

/// Whether `until` was before `day`; where the day is not known, nothing has passed.
pub(crate) fn has_passed(until: Until, day: Option<Day>) -> bool {
    until.zip(day).is_some_and(|(until, day)| until < day)
}

/// Of two comments that allow the same, the one that counts longer.
fn allow<K: Eq + std::hash::Hash>(allowed: &mut HashMap<K, Until>, key: K, until: Until) {
    let longest = allowed.entry(key).or_insert(until);
    *longest = longest.zip(until).map(|(one, other)| one.max(other));
}

/// Whether nothing else is on the lines of `comment`.
fn stands_alone(source: &Source<'_>, comment: &Span) -> bool {
    let first = source.line_span(source.line_of(comment.start));
    let last = source.line_span(source.line_of(comment.end.saturating_sub(1)));
    let text = |from: usize, to: usize| source.text.get(from..to).unwrap_or_default();
    text(first.start, comment.start).trim().is_empty() && text(comment.end, last.end).trim().is_empty()
}

/// What `comment` says line by line; one line says one thing.
fn directives<'t>(text: &'t str, comment: &Span) -> Vec<Directive<'t>> {
    let all = &text[comment.clone()];
    if DOCUMENTATION.iter().any(|open| all.starts_with(open)) {
        return Vec::new();
    }
    let mut at = comment.start;
    let mut found = Vec::new();
    for line in all.split_inclusive('\n') {
        found.extend(directive(line, at));
        at += line.len();
    }
    found
}

/// What one line of a comment says, which starts at byte `at` of the file.
fn directive(line: &str, at: usize) -> Option<Directive<'_>> {
    let (start, rest) = line.match_indices(MARK).find_map(|(start, _)| {
        let rest = &line[start + MARK.len()..];
        (opens_segment(&line[..start]) && rest.strip_prefix("-file").unwrap_or(rest).starts_with('('))
            .then_some((start, rest))
    })?;
    let (for_file, rest) = rest.strip_prefix("-file").map_or((false, rest), |rest| (true, rest));
    let rest = CLOSERS.iter().fold(rest.trim_end(), |rest, close| rest.strip_suffix(close).unwrap_or(rest));
    let inner = rest.strip_prefix('(')?;
    let (rules, fields) = inner.split_once(')').unwrap_or((inner, ""));
    let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect();
    let reason = field(fields, "reason:").map(|reason| reason.split(" until:").next().unwrap_or(reason));
    let until = field(fields, "until:").map(|until| until.split_whitespace().next().unwrap_or_default());
    let has_reason = reason.is_some_and(|reason| {
        let reason = reason.trim();
        !reason.starts_with("until:") && reason.contains(char::is_alphanumeric)
    });
    Some(Directive { span: at + start..at + line.trim_end().len(), for_file, rules, has_reason, until })
}

/// What follows `name` in `fields`, where it is a word of its own.
fn field<'t>(fields: &'t str, name: &str) -> Option<&'t str> {
    let (at, _) = fields.match_indices(name).find(|(at, _)| fields[..*at].ends_with([' ', '\t']) || *at == 0)?;
    Some(&fields[at + name.len()..])
}

/// Whether what follows `before` on a line of a comment is the first word of it, or of a comment in it.
fn opens_segment(before: &str) -> bool {
    let before = before.trim_end();
    let is_first = before.chars().all(|c| c.is_whitespace() || "/*#-<!;%{[".contains(c));
    let opens_another =
        |open: &&str| before.strip_suffix(*open).is_some_and(|rest| rest.ends_with(char::is_whitespace));
    is_first || OPENERS.iter().any(opens_another)
}

#[cfg(test)]
#[path = "suppressions/tests.rs"]
mod tests;
