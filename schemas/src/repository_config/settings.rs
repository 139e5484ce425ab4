//! What a configuration comes to: what holds for a path, which files are left out, and under which key results are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Serialize;

use super::{FIXED_RULE, RepositoryConfig, RuleSettings, read};
use crate::catalogue::{Catalogue, RuleMeta, Ruleset};
use crate::ids::Digest;
use crate::magic::Magic;

/// Settings by the name of the rule. A rule that is not in it is looked at, with its defaults.
pub type ByRule = BTreeMap<String, RuleSettings>;

/// A configuration, ready to be asked.
#[derive(Debug, Clone)]
pub struct Settings {
    everywhere: ByRule,
    /// Globs with what they change, in order.
    paths: Vec<(String, ByRule)>,
    /// The globs of `paths`.
    globs: GlobSet,
    ignored: GlobSet,
}

impl Settings {
    /// What `config` means for the rules of `catalogue`.
    pub fn of(config: &RepositoryConfig, catalogue: &Catalogue) -> Self {
        // A preset may name a rule that this build has not, which is no mistake of the repository.
        let preset = config.preset.map(|preset| read(preset.text(), catalogue).0).unwrap_or_default();
        let mut settings = Self {
            everywhere: off_by_default(catalogue),
            paths: Vec::new(),
            globs: GlobSet::empty(),
            ignored: set(&config.ignore),
        };
        for layer in [&preset, config] {
            for (magic, of_magic) in &layer.magics {
                let switch = RuleSettings { enabled: Some(of_magic.enabled), ..RuleSettings::default() };
                overlay_magic(&mut settings.everywhere, *magic, &switch, catalogue);
            }
            for (rule, of_rule) in &layer.rules {
                settings.everywhere.entry(rule.to_string()).or_default().overlay(of_rule);
            }
            for path in &layer.paths {
                let mut changes = ByRule::new();
                for name in &path.off {
                    match name.parse::<Magic>() {
                        Ok(magic) => overlay_magic(&mut changes, magic, &RuleSettings::off(), catalogue),
                        Err(_it_is_a_rule) => changes.entry(name.clone()).or_default().overlay(&RuleSettings::off()),
                    }
                }
                for (rule, of_rule) in &path.rules {
                    changes.entry(rule.to_string()).or_default().overlay(of_rule);
                }
                settings.paths.push((path.glob.clone(), changes));
            }
        }
        settings.globs = set(settings.paths.iter().map(|(glob, _)| glob));
        settings
    }

    /// What a text means that may be wrong, or absent.
    pub fn from_text(text: Option<&str>, catalogue: &Catalogue) -> Self {
        let config = text.map(|text| read(text, catalogue).0).unwrap_or_default();
        Self::of(&config, catalogue)
    }

    /// What holds for a file, or for commits.
    pub fn at(&self, path: Option<&str>) -> Cow<'_, ByRule> {
        let matched = path.map(|path| self.globs.matches(path)).unwrap_or_default();
        if matched.is_empty() {
            return Cow::Borrowed(&self.everywhere);
        }
        let mut there = self.everywhere.clone();
        for (_, changes) in matched.into_iter().filter_map(|index| self.paths.get(index)) {
            for (rule, of_rule) in changes {
                there.entry(rule.clone()).or_default().overlay(of_rule);
            }
        }
        Cow::Owned(there)
    }

    /// Whether the file at `path` is left out.
    pub fn ignores(&self, path: &str) -> bool {
        self.ignored.is_match(path)
    }

    /// The rule set of each magic under these settings. Only settings of a magic's own rules change its digests, so that nothing
    /// else is analysed again; what is ignored changes none, since it is never asked for.
    pub fn rulesets(&self, catalogue: &Catalogue) -> BTreeMap<Magic, Ruleset> {
        let keyed = |(magic, Ruleset { items, tree }): (Magic, Ruleset)| {
            let rules: Vec<&RuleMeta> = catalogue.rules.iter().filter(|rule| rule.magic == magic).collect();
            let items = self.own(&rules, about_items).key(items);
            let tree = tree.map(|tree| self.own(&rules, |_, of_rule| of_rule.clone()).key(tree));
            (magic, Ruleset { items, tree })
        };
        catalogue.rulesets().into_iter().map(keyed).collect()
    }

    /// What `part` takes of the settings of `rules`.
    fn own(&self, rules: &[&RuleMeta], part: impl Fn(&RuleMeta, &RuleSettings) -> RuleSettings) -> Own {
        let own = |by_rule: &ByRule| -> ByRule {
            let set =
                rules.iter().filter_map(|rule| Some((rule.id.to_string(), part(rule, by_rule.get(rule.id.as_str())?))));
            set.filter(|(_, of_rule)| *of_rule != RuleSettings::default()).collect()
        };
        let mut everywhere = own(&self.everywhere);
        // What is off without being asked is part of the rule set itself.
        for rule in rules.iter().filter(|rule| rule.off_by_default) {
            if everywhere.get(rule.id.as_str()) == Some(&RuleSettings::off()) {
                everywhere.remove(rule.id.as_str());
            }
        }
        let paths = self.paths.iter().map(|(glob, changes)| (glob.clone(), own(changes)));
        Own { everywhere, paths: paths.filter(|(_, changes)| !changes.is_empty()).collect() }
    }
}

/// What decides about a file or commit: a rule over the whole repository collects the same facts whatever it makes of them.
fn about_items(rule: &RuleMeta, of_rule: &RuleSettings) -> RuleSettings {
    if rule.facts_version.is_some() {
        RuleSettings { enabled: of_rule.enabled, ..RuleSettings::default() }
    } else {
        of_rule.clone()
    }
}

/// Settings of one magic's rules.
#[derive(Serialize)]
struct Own {
    everywhere: ByRule,
    paths: Vec<(String, ByRule)>,
}

impl Own {
    /// The digest of a rule set under these settings.
    fn key(&self, ruleset: Digest) -> Digest {
        if self.everywhere.is_empty() && self.paths.is_empty() {
            return ruleset;
        }
        // Maps are sorted and texts are texts: this cannot fail, and always gives the same.
        let text = serde_json::to_string(self).unwrap_or_default();
        Digest::of(format!("{ruleset}\n{text}").as_bytes())
    }
}

/// The rules that are looked at only where they are switched on.
fn off_by_default(catalogue: &Catalogue) -> ByRule {
    let off = catalogue.rules.iter().filter(|rule| rule.off_by_default);
    off.map(|rule| (rule.id.to_string(), RuleSettings::off())).collect()
}

fn overlay_magic(by_rule: &mut ByRule, magic: Magic, settings: &RuleSettings, catalogue: &Catalogue) {
    for rule in catalogue.rules.iter().filter(|rule| rule.magic == magic && rule.id.as_str() != FIXED_RULE) {
        // Who wants a magic wants what it does by default.
        if rule.off_by_default && settings.enabled == Some(true) {
            continue;
        }
        by_rule.entry(rule.id.to_string()).or_default().overlay(settings);
    }
}

/// A set of globs that were found valid. Should they be too many for the library after all, nothing matches.
fn set(globs: impl IntoIterator<Item = impl AsRef<str>>) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        // The reader lets no bad one through; to leave one out here would give the others wrong numbers.
        let built = GlobBuilder::new(glob.as_ref()).literal_separator(true).build();
        let Ok(glob) = built else { return GlobSet::empty() };
        builder.add(glob);
    }
    builder.build().unwrap_or_default()
}
