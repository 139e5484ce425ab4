//! Reads a configuration piece by piece, so that one mistake costs one setting and every mistake is told.

use std::collections::BTreeMap;
use std::ops::Range;

use globset::GlobBuilder;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::{did_you_mean, shown};
use super::{
    CONFIG_BYTES_MAX, CONFIG_PATH, FIXED_RULE, GLOB_CHARS_MAX, GLOBS_MAX, MagicSettings, PROBLEMS_MAX, PathSettings,
    Preset, Problem, RepositoryConfig, RuleSettings,
};
use crate::catalogue::{Catalogue, RuleMeta};
use crate::ids::RuleId;
use crate::magic::Magic;
use crate::severity::Severity;

/// A value with its place.
type Value<'t> = Spanned<DeValue<'t>>;

/// The configuration that `text` is, as far as it is one, and everything that is wrong with it, by place. What is wrong
/// is left at its default; where not even TOML can be made of the text, everything is.
pub fn read(text: &str, catalogue: &Catalogue) -> (RepositoryConfig, Vec<Problem>) {
    let mut reader = Reader { text, catalogue, problems: Vec::new(), globs: 0 };
    if text.len() > CONFIG_BYTES_MAX {
        let bytes = text.len();
        reader.problem(0..0, || {
            format!("`{CONFIG_PATH}` has {bytes} bytes and was not read: use at most {CONFIG_BYTES_MAX}")
        });
        return (RepositoryConfig::default(), reader.problems);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let said = error.message().replace('\n', ", ");
        reader.problem(error.span().unwrap_or_default(), || {
            format!("not TOML: {}; nothing of the file holds until this is mended", shown(&said))
        });
    }
    let torn: Vec<u32> = reader.problems.iter().map(|problem| problem.line).collect();
    let mut problems = std::mem::take(&mut reader.problems);
    let config = reader.config(table.get_ref());
    // What stands on a line that could not be read says nothing.
    problems.extend(reader.problems.into_iter().filter(|problem| !torn.contains(&problem.line)));
    problems.truncate(PROBLEMS_MAX);
    problems.sort();
    // What a half of a list or a table meant is not known; to leave out too little is the safe side.
    (if errors.is_empty() { config } else { RepositoryConfig::default() }, problems)
}

struct Reader<'t> {
    text: &'t str,
    catalogue: &'t Catalogue,
    problems: Vec<Problem>,
    globs: usize,
}

impl<'t> Reader<'t> {
    /// Notes what is wrong at `span`. The message is made only if it is kept: a hostile file has thousands.
    fn problem(&mut self, span: Range<usize>, message: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::at(self.text, span.start, message()));
        }
    }

    fn config(&mut self, table: &DeTable<'t>) -> RepositoryConfig {
        let mut config = RepositoryConfig::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "preset" => config.preset = self.preset(value),
                "ignore" => {
                    let globs = self.texts("ignore", value);
                    config.ignore = globs.into_iter().filter_map(|(text, span)| self.glob(&text, span)).collect();
                }
                "magics" => config.magics = self.magics(value),
                "rules" => config.rules = self.rules(value),
                "paths" => config.paths = self.paths(value),
                _ => self.unknown("setting", key, &["ignore", "magics", "paths", "preset", "rules"]),
            }
        }
        config
    }

    fn unknown(&mut self, kind: &str, key: &Spanned<std::borrow::Cow<'_, str>>, names: &[&str]) {
        let word = key.get_ref().as_ref();
        self.unknown_word(kind, word, key.span(), names);
    }

    fn unknown_word(&mut self, kind: &str, word: &str, span: Range<usize>, names: &[&str]) {
        self.problem(span, || {
            let use_one = if names.is_empty() { String::new() } else { format!(": use {}", one_of(names)) };
            format!("{kind} `{}` is not known{use_one}{}", shown(word), did_you_mean(word, names.iter().copied()))
        });
    }

    fn mistyped(&mut self, name: &str, wanted: &str, value: &Value<'_>) {
        let found = value.get_ref().type_str();
        self.problem(value.span(), || format!("`{name}` is of type {found}: use {wanted}"));
    }

    fn preset(&mut self, value: &Value<'_>) -> Option<Preset> {
        let Some(name) = value.get_ref().as_str() else {
            self.mistyped("preset", "a name in quotes", value);
            return None;
        };
        let known = Preset::ALL.into_iter().find(|preset| preset.as_str() == name);
        if known.is_none() {
            self.unknown_word("preset", name, value.span(), &Preset::ALL.map(Preset::as_str));
        }
        known
    }

    fn table<'v>(&mut self, name: &str, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.mistyped(name, "a table", value);
        }
        table
    }

    fn texts(&mut self, name: &str, value: &Value<'_>) -> Vec<(String, Range<usize>)> {
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(name, "a list of texts in quotes", value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => self.mistyped(name, "texts in quotes", item),
            }
        }
        texts
    }

    fn boolean(&mut self, name: &str, value: &Value<'_>) -> Option<bool> {
        let known = value.get_ref().as_bool();
        if known.is_none() {
            self.mistyped(name, "true or false", value);
        }
        known
    }

    /// `text` if it is a glob.
    fn glob(&mut self, text: &str, span: Range<usize>) -> Option<String> {
        self.globs += 1;
        if self.globs > GLOBS_MAX {
            if self.globs == GLOBS_MAX + 1 {
                self.problem(span, || format!("more than {GLOBS_MAX} globs: this one and what follows is not read"));
            }
            return None;
        }
        if text.is_empty() || text.chars().count() > GLOB_CHARS_MAX {
            self.problem(span, || format!("glob `{}` is not valid: use 1 to {GLOB_CHARS_MAX} characters", shown(text)));
            return None;
        }
        match GlobBuilder::new(text).literal_separator(true).build() {
            Ok(_) => Some(text.to_owned()),
            Err(error) => {
                self.problem(span, || format!("glob `{}` is not valid: {}", shown(text), error.kind()));
                None
            }
        }
    }

    fn magics(&mut self, value: &Value<'t>) -> BTreeMap<Magic, MagicSettings> {
        let mut magics = BTreeMap::new();
        for (key, value) in self.table("magics", value).into_iter().flatten() {
            let Ok(magic) = key.get_ref().parse::<Magic>() else {
                self.unknown("magic", key, &Magic::ALL.map(Magic::as_str));
                continue;
            };
            for (key, value) in self.table(magic.as_str(), value).into_iter().flatten() {
                if key.get_ref().as_ref() == "enabled" {
                    if let Some(enabled) = self.boolean("enabled", value) {
                        magics.insert(magic, MagicSettings { enabled });
                    }
                } else {
                    self.unknown("setting", key, &["enabled"]);
                }
            }
        }
        magics
    }

    fn rules(&mut self, value: &Value<'t>) -> BTreeMap<RuleId, RuleSettings> {
        let mut rules = BTreeMap::new();
        for (key, value) in self.table("rules", value).into_iter().flatten() {
            let Some(rule) = self.rule(key.get_ref().as_ref(), key.span()) else { continue };
            if let Some(table) = self.table(rule.id.as_str(), value) {
                rules.insert(rule.id.clone(), self.rule_settings(rule, table));
            }
        }
        rules
    }

    /// The rule of that name, if it is one that can be set.
    fn rule(&mut self, name: &str, span: Range<usize>) -> Option<&'t RuleMeta> {
        if name == FIXED_RULE {
            self.problem(span, || format!("`{FIXED_RULE}` cannot be set: it tells what is wrong here"));
            return None;
        }
        let rules = &self.catalogue.rules;
        let known = rules.iter().find(|rule| rule.id.as_str() == name);
        if known.is_none() {
            // Not a list of all: there are many. `elder rules` shows them.
            let near = rules.iter().map(|rule| rule.id.as_str());
            self.problem(span, || {
                format!("rule `{}` is not known: `elder rules` lists all{}", shown(name), did_you_mean(name, near))
            });
        }
        known
    }

    fn rule_settings(&mut self, rule: &RuleMeta, table: &DeTable<'t>) -> RuleSettings {
        let mut settings = RuleSettings::default();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            match name {
                "enabled" => settings.enabled = self.boolean(name, value),
                "severity" => settings.severity = self.severity(value),
                _ => match rule.thresholds.iter().find(|threshold| threshold.name == name) {
                    Some(threshold) => {
                        let value = self.integer(name, value, threshold.min, threshold.max);
                        settings.thresholds.extend(value.map(|value| (name.to_owned(), value)));
                    }
                    None => {
                        let thresholds = rule.thresholds.iter().map(|threshold| threshold.name.as_str());
                        let names: Vec<&str> = ["enabled", "severity"].into_iter().chain(thresholds).collect();
                        self.unknown(&format!("setting of {}", rule.id), key, &names);
                    }
                },
            }
        }
        settings
    }

    fn severity(&mut self, value: &Value<'_>) -> Option<Severity> {
        let Some(name) = value.get_ref().as_str() else {
            self.mistyped("severity", "a severity in quotes", value);
            return None;
        };
        let known = Severity::WORST_FIRST.into_iter().find(|severity| severity.as_str() == name);
        if known.is_none() {
            self.unknown_word("severity", name, value.span(), &Severity::WORST_FIRST.map(Severity::as_str));
        }
        known
    }

    fn integer(&mut self, name: &str, value: &Value<'_>, min: u64, max: u64) -> Option<u64> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.mistyped(name, &format!("a whole number from {min} to {max}"), value);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.problem(value.span(), || format!("`{name}` is out of range: use {min} to {max}"));
        }
        number
    }

    fn paths(&mut self, value: &Value<'t>) -> Vec<PathSettings> {
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped("paths", "one `[[paths]]` for each glob", value);
            return Vec::new();
        };
        array.iter().filter_map(|entry| self.path(entry)).collect()
    }

    fn path(&mut self, entry: &Value<'t>) -> Option<PathSettings> {
        let table = self.table("paths", entry)?;
        let (mut settings, mut has_glob) = (PathSettings::default(), false);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "glob" => {
                    has_glob = true;
                    match value.get_ref().as_str() {
                        Some(text) => settings.glob = self.glob(text, value.span()).unwrap_or_default(),
                        None => self.mistyped("glob", "a text in quotes", value),
                    }
                }
                "off" => {
                    let names = self.texts("off", value);
                    let is_magic = |name: &str| name.parse::<Magic>().is_ok();
                    let mut keep =
                        |(name, span): &(String, _)| is_magic(name) || self.rule(name, Range::clone(span)).is_some();
                    settings.off = names.into_iter().filter(|name| keep(name)).map(|(name, _)| name).collect();
                }
                "rules" => settings.rules = self.rules(value),
                _ => self.unknown("setting of a path", key, &["glob", "off", "rules"]),
            }
        }
        if !has_glob {
            self.problem(entry.span(), || "a `[[paths]]` needs a `glob`: without one it holds nowhere".to_owned());
        }
        (!settings.glob.is_empty()).then_some(settings)
    }
}

/// `a, b or c`.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
