//! One pass over a shard: each file is read once and parsed once, and every rule of every asked magic looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use broker::pulse::Pulse;
use rayon::prelude::*;
use schemas::bundle::{CommitFacts, Shard, SourceFile};
use schemas::catalogue::Ruleset;
use schemas::day::Day;
use schemas::facts::Tree;
use schemas::finding::{Finding, Location};
use schemas::ids::Digest;
use schemas::item::{Item, ItemResult, SkipReason, Units};
use schemas::magic::{Input, Magic};
use schemas::repository_config::{ByRule, FIXED_RULE, RuleSettings, Settings};

use crate::automation::Automation;
use crate::lines::CodeLines;
use crate::rules::{ALL, CATALOGUE, Check, File, Findings, Known, Rule, Told};
use crate::source::Source;
use crate::suppressions::Suppressions;
use crate::suppressions::allowances::Allowances;
use crate::{automation, effort, languages, paths, pool, secrets};

/// Extensions of formats that write values without quotes.
const BARE_VALUE_EXTENSIONS: &[&str] = &["cfg", "conf", "env", "ini", "properties", "sh", "toml", "yaml", "yml"];

/// Places of one file where something is allowed to rules over the whole repository; people write a handful.
const ALLOWED_MAX: usize = 1_000;

/// A magic with its rules.
type RuleSet = (Magic, Vec<&'static Rule>);

/// What holds for all of a shard.
struct Terms {
    settings: Settings,
    day: Option<Day>,
}

/// What each of `magics` says of each file or commit of `shard`, in the shard's order. Magics without rules are absent.
pub fn analyze(shard: &Shard, magics: &BTreeSet<Magic>) -> BTreeMap<Magic, Vec<ItemResult>> {
    // Nobody stops this pulse, so there is an answer.
    analyze_watched(shard, magics, &Pulse::default()).unwrap_or_default()
}

/// The same with one step of `pulse` for each file and commit; nothing if the pulse was stopped before the last of them.
pub fn analyze_watched(
    shard: &Shard,
    magics: &BTreeSet<Magic>,
    pulse: &Pulse,
) -> Option<BTreeMap<Magic, Vec<ItemResult>>> {
    let (file_sets, commit_sets) = (rule_sets(magics, Input::Files), rule_sets(magics, Input::History));
    let terms = Terms { settings: settings(shard), day: shard.day };
    pool::run(|| {
        let files = by_magic(&file_sets, &shard.files, pulse, |file, sets| examine_file(file, sets, &terms))?;
        let commits =
            by_magic(&commit_sets, &shard.commits, pulse, |commit, sets| examine_commit(commit, sets, &terms))?;
        let tree_sets = tree_sets(&file_sets);
        let trees = by_magic(&tree_sets, shard.tree.as_slice(), pulse, |tree, sets| examine_tree(tree, sets, &terms))?;
        let mut results = BTreeMap::<Magic, Vec<ItemResult>>::new();
        for (magic, items) in files.into_iter().chain(commits).chain(trees) {
            results.entry(magic).or_default().extend(items);
        }
        Some(results)
    })
}

/// Under which rule set the results of each magic are kept, as the repository of `shard` has set it. A shard holds what is
/// read or a tree, never both.
pub fn rulesets(shard: &Shard) -> BTreeMap<Magic, Digest> {
    let rulesets = settings(shard).rulesets(&CATALOGUE).into_iter();
    let of_shard = |Ruleset { items, tree }| if shard.tree.is_some() { tree } else { Some(items) };
    rulesets.filter_map(|(magic, ruleset)| Some((magic, of_shard(ruleset)?))).collect()
}

fn settings(shard: &Shard) -> Settings {
    Settings::from_text(shard.config.as_ref().map(|config| config.text.as_str()), &CATALOGUE)
}

/// The rules of `magics` that read `input`.
fn rule_sets(magics: &BTreeSet<Magic>, input: Input) -> Vec<RuleSet> {
    let is_of = |magic: Magic| move |rule: &&Rule| rule.magic == magic && rule.check.input() == input;
    let rules = |magic: Magic| ALL.iter().copied().filter(is_of(magic)).collect::<Vec<_>>();
    magics.iter().map(|&magic| (magic, rules(magic))).filter(|(_, rules)| !rules.is_empty()).collect()
}

/// Those of `sets` that judge whole repositories.
fn tree_sets(sets: &[RuleSet]) -> Vec<RuleSet> {
    let judges = |(_, rules): &&RuleSet| rules.iter().any(|rule| matches!(rule.check, Check::Tree { .. }));
    sets.iter().filter(judges).cloned().collect()
}

/// Runs `examine` over `items`, which answers one result for each of `sets`, and sorts the results by magic.
fn by_magic<T: Sync>(
    sets: &[RuleSet],
    items: &[T],
    pulse: &Pulse,
    examine: impl Fn(&T, &[RuleSet]) -> Vec<ItemResult> + Sync,
) -> Option<Vec<(Magic, Vec<ItemResult>)>> {
    if sets.is_empty() {
        return Some(Vec::new());
    }
    let step = |item| (!pulse.is_stopped()).then(|| pulse.step(|| examine(item, sets)));
    let rows: Vec<Vec<ItemResult>> = items.par_iter().map(step).collect::<Option<_>>()?;
    let mut columns: Vec<_> = sets.iter().map(|(magic, _)| (*magic, Vec::with_capacity(rows.len()))).collect();
    for row in rows {
        for (column, result) in columns.iter_mut().zip(row) {
            column.1.push(result);
        }
    }
    Some(columns)
}

/// Decodes and parses `file`, or says why it is not examined.
pub(crate) fn read(file: &SourceFile, day: Option<Day>) -> Result<File<'_>, SkipReason> {
    effort::note_read();
    let source = Source::read(file)?;
    let outline = languages::outline(&source);
    let secrets = secrets::find(&source.text, allows_bare_values(&file.path));
    let code_lines = CodeLines::count(&source, &outline);
    let automation = automation::read(&source);
    let suppressions = Suppressions::read(&source, &outline.comments);
    let known = Known::default();
    Ok(File { source, outline, code_lines, secrets, automation, suppressions, day, known })
}

fn allows_bare_values(path: &str) -> bool {
    let is_known = |extension: &str| BARE_VALUE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    paths::file_name(path).starts_with(".env") || paths::extension(path).is_some_and(is_known)
}

fn examine_file(file: &SourceFile, sets: &[RuleSet], terms: &Terms) -> Vec<ItemResult> {
    let item = Item::File { path: file.path.clone(), blob: file.blob.clone() };
    let skipped = |reason| ItemResult::skipped(item.clone(), reason);
    let view = match guarded(&item, || read(file, terms.day)) {
        Some(Ok(view)) => view,
        Some(Err(reason)) => return sets.iter().map(|_| skipped(reason)).collect(),
        None => return sets.iter().map(|_| skipped(SkipReason::AnalyzerFailed)).collect(),
    };
    let settings = terms.settings.at(Some(&file.path));
    // Guarded one by one: what a magic finds must not depend on which others were asked for.
    let judge = |(_, rules): &RuleSet| guarded(&item, || judge_file(&item, &view, rules, &settings));
    sets.iter().map(|set| judge(set).unwrap_or_else(|| skipped(SkipReason::AnalyzerFailed))).collect()
}

/// `work`, or nothing if it panics. The log names the item; a panic message could quote the file.
fn guarded<T>(item: &Item, work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(work));
    if done.is_err() {
        let (path, object) = item.cache_key();
        tracing::error!(path, object, "analyzer failed");
    }
    done.ok()
}

fn judge_file(item: &Item, file: &File<'_>, rules: &[&'static Rule], settings: &ByRule) -> ItemResult {
    let gap = file.outline.gap;
    let mut result = ItemResult { notes: notes(file), ..ItemResult::examined(item.clone(), units(file)) };
    result.dated = file.suppressions.is_dated();
    let (mut has_looked, mut is_any_off) = (false, false);
    let mut told = Told::default();
    for rule in rules {
        let own = settings.get(rule.id);
        if is_off(own) {
            // What is off in every repository says nothing of this file.
            is_any_off |= !rule.is_off_by_default();
            continue;
        }
        let mut found = Findings::under(rule, own);
        match (rule.check, &file.automation) {
            (Check::Text(check), _) => check(file, &mut found),
            (Check::Code(check), _) if gap.is_none() => check(file, &mut found),
            (Check::Automation(check), Some(automation)) => check(file, automation, &mut found),
            (Check::Tree { collect, .. }, _) if collect(file, &mut told) => {}
            (Check::Code(_) | Check::Automation(_) | Check::Tree { .. } | Check::Commit(_), _) => continue,
        }
        add(&mut result, found, |finding| match finding.location {
            Location::File { line, .. } => file.suppressions.allows(rule.id, line, file.day),
            Location::Commit { .. } => false,
        });
        // The rule that no setting switches off must not make a file count that no other rule has looked at.
        has_looked |= rule.id != FIXED_RULE || !result.findings.is_empty();
    }
    if !has_looked && (is_any_off || gap.is_some()) {
        return ItemResult::skipped(item.clone(), gap.filter(|_| !is_any_off).unwrap_or(SkipReason::SwitchedOff));
    }
    let allowed = file.suppressions.allowed_to(&tree_rules(rules));
    told.facts.allowed = told.at_most(ALLOWED_MAX, allowed, "places where something is allowed");
    result.notes.append(&mut told.notes);
    result.facts = (!told.facts.is_empty()).then_some(told.facts);
    in_order(result)
}

fn is_off(settings: Option<&RuleSettings>) -> bool {
    settings.is_some_and(|settings| settings.enabled == Some(false))
}

/// Those of `rules` that judge whole repositories.
fn tree_rules(rules: &[&'static Rule]) -> Vec<&'static str> {
    rules.iter().filter(|rule| matches!(rule.check, Check::Tree { .. })).map(|rule| rule.id).collect()
}

/// Adds what is found; what is allowed only counts.
fn add(result: &mut ItemResult, found: Findings<'_>, is_allowed: impl Fn(&Finding) -> bool) {
    let (findings, note) = found.finish();
    for finding in findings {
        if is_allowed(&finding) {
            *result.suppressed.entry(finding.rule).or_default() += 1;
        } else {
            result.findings.push(finding);
        }
    }
    result.notes.extend(note);
}

fn in_order(mut result: ItemResult) -> ItemResult {
    result.findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    result
}

fn units(file: &File<'_>) -> Units {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Units {
        files: 1,
        lines: count(file.source.line_count()),
        functions: count(file.outline.functions.iter().filter(|one| one.body.is_some()).count()),
        tests: count(file.outline.tests().count()),
        commits: 0,
    }
}

fn notes(file: &File<'_>) -> Vec<String> {
    let mut notes: Vec<String> = file.source.note.iter().cloned().collect();
    if let Some(at) = file.outline.first_error {
        notes.push(format!("syntax not understood at line {}", file.source.position(at).0));
    }
    if let Some(Automation::Unread(reason)) = &file.automation {
        notes.push(reason.clone());
    }
    if file.outline.gap == Some(SkipReason::ParseBudget) {
        notes.push("takes too long to parse; only text and comments were read".to_owned());
    }
    notes
}

fn examine_commit(commit: &CommitFacts, sets: &[RuleSet], terms: &Terms) -> Vec<ItemResult> {
    let item = Item::Commit { sha: commit.sha.clone(), on_default_branch: commit.on_default_branch };
    let skipped = |reason| ItemResult::skipped(item.clone(), reason);
    let settings = terms.settings.at(None);
    let judge = |(_, rules): &RuleSet| {
        if commit.by_bot || commit.parents > 1 {
            return skipped(SkipReason::NotByHand);
        }
        guarded(&item, || judge_commit(&item, commit, rules, &settings))
            .unwrap_or_else(|| skipped(SkipReason::AnalyzerFailed))
    };
    sets.iter().map(judge).collect()
}

fn judge_commit(item: &Item, commit: &CommitFacts, rules: &[&Rule], settings: &ByRule) -> ItemResult {
    if rules.iter().all(|rule| is_off(settings.get(rule.id))) {
        return ItemResult::skipped(item.clone(), SkipReason::SwitchedOff);
    }
    let mut result = ItemResult::examined(item.clone(), Units { commits: 1, ..Units::default() });
    for rule in rules {
        let own = settings.get(rule.id);
        if let Check::Commit(check) = rule.check
            && !is_off(own)
        {
            let mut found = Findings::under(rule, own);
            check(commit, &mut found);
            add(&mut result, found, |_no_file| false);
        }
    }
    in_order(result)
}

fn examine_tree(tree: &Tree, sets: &[RuleSet], terms: &Terms) -> Vec<ItemResult> {
    let item = Item::Tree { commit: tree.commit.clone(), since: tree.since.clone() };
    let settings = terms.settings.at(None);
    let judge = |(_, rules): &RuleSet| {
        if let Some(gap) = &tree.gap {
            return ItemResult {
                notes: vec![gap.clone()],
                ..ItemResult::skipped(item.clone(), SkipReason::FactsMissing)
            };
        }
        let judged = guarded(&item, || judge_tree(&item, tree, rules, &settings, terms.day));
        judged.unwrap_or_else(|| ItemResult::skipped(item.clone(), SkipReason::AnalyzerFailed))
    };
    sets.iter().map(judge).collect()
}

/// Files for which a rule is off tell it nothing, so settings count here only where they are about all files.
fn judge_tree(item: &Item, tree: &Tree, rules: &[&'static Rule], settings: &ByRule, day: Option<Day>) -> ItemResult {
    // Its files and their lines were counted when they were read.
    let mut result = ItemResult::examined(item.clone(), Units::default());
    let allowed = Allowances::of(tree, &tree_rules(rules));
    result.dated = allowed.is_dated();
    for rule in rules {
        let own = settings.get(rule.id);
        if let Check::Tree { judge, .. } = rule.check
            && !is_off(own)
        {
            let mut found = Findings::under(rule, own);
            judge(tree, &mut found);
            add(&mut result, found, |finding| allowed.allow(finding, day));
        }
    }
    in_order(result)
}

#[cfg(test)]
#[path = "pass/tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pass/settings_tests.rs"]
mod settings_tests;
