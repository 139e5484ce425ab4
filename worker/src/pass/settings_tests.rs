//! What a repository's own settings and comments change in a pass, and what they do not.

use schemas::bundle::ConfigFile;
use schemas::facts::FileFacts;
use schemas::severity::Severity;

use super::*;
use crate::rules::testing::{change, commit, file};

const FIXME: &str = concat!("FIX", "ME");

const ALLOW: &str = concat!("elder", ":allow");

/// What `magic` says of files and commits under `config`.
fn under(config: &str, magic: Magic, files: &[(&str, &str)], commits: Vec<CommitFacts>) -> Vec<ItemResult> {
    let config = ConfigFile { blob: "1".repeat(40).parse().unwrap(), text: config.to_owned() };
    let files = files.iter().map(|(path, text)| file(path, text.replace("FIX", FIXME).replace('@', ALLOW)));
    let day = Some("2026-11-25".parse().unwrap());
    let shard = Shard { files: files.collect(), commits, tree: None, config: Some(config), day };
    analyze(&shard, &BTreeSet::from([magic])).remove(&magic).unwrap()
}

fn severities(result: &ItemResult) -> Vec<Severity> {
    result.findings.iter().map(|finding| finding.severity).collect()
}

#[test]
fn a_rule_that_is_off_finds_nothing_and_the_others_go_on() {
    let text = "# FIX a\n<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n";
    let found = |config| severities(&under(config, Magic::Integrity, &[("a.py", text)], Vec::new())[0]);
    assert_eq!(found(""), [Severity::Medium, Severity::Critical]);
    assert_eq!(found("[rules.\"integrity/todo-marker\"]\nenabled = false\n"), [Severity::Critical]);
}

#[test]
fn a_file_of_which_every_rule_is_off_is_not_counted_as_examined() {
    let files = [("a.py", "# FIX a\n"), ("tests/a.py", "# FIX a\n"), (".elder.toml", "x = 1\n")];
    let results =
        under("[[paths]]\nglob = \"tests/**\"\noff = [\"integrity\"]\n", Magic::Integrity, &files, Vec::new());
    assert_eq!((results[0].skipped, results[0].units.files), (None, 1));
    assert_eq!((results[1].skipped, results[1].units.files), (Some(SkipReason::SwitchedOff), 0));
    let results = under("[magics.integrity]\nenabled = false\n", Magic::Integrity, &files, Vec::new());
    assert_eq!(results[0].skipped, Some(SkipReason::SwitchedOff));
    assert_eq!(results[2].findings[0].rule.as_str(), FIXED_RULE, "mistakes are told all the same");
    let off = under("[magics.git]\nenabled = false\n", Magic::Git, &[], vec![commit("WIP")]);
    assert_eq!((off[0].skipped, off[0].units.commits), (Some(SkipReason::SwitchedOff), 0));
}

#[test]
fn a_severity_moves_all_but_what_is_only_worth_knowing() {
    let text = format!("# FIX a\n# {} b\n# FIX(#12) c\n", concat!("TO", "DO"));
    let set = |severity: &str| {
        let config = format!("[rules.\"integrity/todo-marker\"]\nseverity = \"{severity}\"\n");
        severities(&under(&config, Magic::Integrity, &[("a.py", &text)], Vec::new())[0])
    };
    assert_eq!(set("medium"), [Severity::Medium, Severity::Low, Severity::Info]);
    assert_eq!(set("critical"), [Severity::Critical, Severity::High, Severity::Info]);
    assert_eq!(set("low"), [Severity::Low, Severity::Info, Severity::Info]);
    assert_eq!(set("info"), [Severity::Info; 3]);
}

#[test]
fn a_guess_stays_a_guess_whatever_the_severity() {
    let rule = ALL.iter().find(|rule| rule.id == "integrity/todo-marker").unwrap();
    let own = RuleSettings { severity: Some(Severity::Critical), ..RuleSettings::default() };
    let mut found = Findings::under(rule, Some(&own));
    found.push(crate::rules::Hit {
        place: crate::rules::Place::of_commit(&commit("a")),
        severity: Severity::Medium,
        confidence_permille: 600,
        message: String::new(),
        suggestion: "",
    });
    assert_eq!(found.finish().0[0].severity, Severity::Medium);
}

#[test]
fn thresholds_are_those_of_the_repository() {
    let large = || vec![CommitFacts { changes: vec![change("a.rs", 600)], ..commit("Rework everything there is") }];
    let found = |config| under(config, Magic::Git, &[], large())[0].findings.len();
    assert_eq!(found(""), 0);
    assert_eq!(found("[rules.\"git/oversized-commit\"]\nlines_max = 599\n"), 1);
    assert_eq!(found("[rules.\"git/oversized-commit\"]\nlines_max = 600\n"), 0);
    assert_eq!(found("preset = \"enterprise\"\n"), 1);
}

#[test]
fn what_a_comment_allows_is_counted_and_not_listed() {
    let text = "# @(integrity/todo-marker) reason: waits for the new parser\n# FIX a\n# FIX b\n";
    let result = under("", Magic::Integrity, &[("a.py", text)], Vec::new()).remove(0);
    assert_eq!(result.findings.len(), 1);
    assert!(matches!(result.findings[0].location, Location::File { line: 3, .. }));
    assert_eq!(result.suppressed, BTreeMap::from([("integrity/todo-marker".parse().unwrap(), 1)]));
    assert!(!result.dated);
}

#[test]
fn what_is_allowed_until_a_day_says_that_it_depends_on_the_day() {
    let text = |until: &str| format!("# @(integrity/todo-marker) reason: x until: {until}\n# FIX a\n");
    let on = |until| under("", Magic::Integrity, &[("a.py", &text(until))], Vec::new()).remove(0);
    let good = on("2026-11-25");
    assert_eq!((good.findings.len(), good.suppressed.len(), good.dated), (0, 1, true));
    let late = on("2026-11-24");
    let rules: Vec<&str> = late.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["integrity/bare-suppression", "integrity/todo-marker"]);
    assert!(late.suppressed.is_empty() && late.dated);
}

#[test]
fn no_comment_hides_a_bad_configuration() {
    let text = "# @-file(integrity/config-invalid) reason: x\npreset = 7\n";
    let result = under("", Magic::Integrity, &[(".elder.toml", text)], Vec::new()).remove(0);
    let rules: Vec<&str> = result.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["integrity/bare-suppression", FIXED_RULE]);
}

#[test]
fn what_is_wrong_with_a_configuration_leaves_the_rest_of_it_in_force() {
    let config = "preset = 7\n[rules.\"integrity/todo-marker\"]\nenabled = false\nseverity = 1\n";
    assert_eq!(under(config, Magic::Integrity, &[("a.py", "# FIX a\n")], Vec::new())[0].findings.len(), 0);
}

fn tree_of(files: Vec<FileFacts>) -> Tree {
    let paths = files.iter().map(|file| file.path.clone()).collect();
    Tree { commit: "1".repeat(40).parse().unwrap(), since: None, changed: None, paths, files, gap: None }
}

/// What judging the whole repository of these files says, and what each of them says.
fn whole(config: &str, magic: Magic, files: &[(&str, &str)], day: &str) -> (ItemResult, Vec<ItemResult>) {
    let results = under(config, magic, files, Vec::new());
    let file = |((path, _), result): (&(&str, &str), &ItemResult)| FileFacts {
        path: (*path).to_owned(),
        facts: result.facts.clone().unwrap_or_default(),
    };
    let tree = tree_of(files.iter().zip(&results).map(file).collect());
    let config = ConfigFile { blob: "1".repeat(40).parse().unwrap(), text: config.to_owned() };
    let day = Some(day.parse().unwrap());
    let shard = Shard { tree: Some(tree), config: Some(config), day, ..Shard::default() };
    (analyze(&shard, &BTreeSet::from([magic])).remove(&magic).unwrap().remove(0), results)
}

fn long_function(inside: &str) -> String {
    let line = |number| format!("    let v{number} = compute_{number}(x, other_{number}) + table_{number};\n");
    let lines: Vec<String> = (0..20).map(line).collect();
    format!("fn sum(x: u32) -> u32 {{\n{}{inside}{}    x\n}}\n", lines[..15].concat(), lines[15..].concat())
}

#[test]
fn comments_allow_what_rules_over_the_whole_repository_find() {
    let rule: schemas::ids::RuleId = "servant/duplicate-block".parse().unwrap();
    let plain = long_function("");
    let counts = |other: &str, day: &str| {
        let (tree, _) = whole("", Magic::Servant, &[("a.rs", &plain), ("b.rs", other)], day);
        (tree.findings.len(), tree.suppressed.get(&rule).copied().unwrap_or(0), tree.dated)
    };
    assert_eq!(counts(&plain, "2026-11-25"), (1, 0, false));
    let inside = long_function("    // @(servant/duplicate-block) reason: each goes its own way\n");
    assert_eq!(counts(&inside, "2026-11-25"), (0, 1, false));
    let above = format!("// @-file(servant/duplicate-block) reason: a copy of a library\n{plain}");
    assert_eq!(counts(&above, "2026-11-25"), (0, 1, false));
    let elsewhere = format!("{plain}// @(servant/duplicate-block) reason: nothing is here\nfn z() {{}}\n");
    assert_eq!(counts(&elsewhere, "2026-11-25"), (1, 0, false));
    let other_rule = long_function("    // @(servant/complexity) reason: another rule\n");
    assert_eq!(counts(&other_rule, "2026-11-25"), (1, 0, false));
    let dated = long_function("    // @(servant/duplicate-block) reason: merged soon until: 2026-12-01\n");
    assert_eq!(counts(&dated, "2026-12-01"), (0, 1, true));
    assert_eq!(counts(&dated, "2026-12-02"), (1, 0, true));
}

#[test]
fn comments_of_html_allow_what_is_found_in_a_document() {
    let counts = |text: &str| {
        let (tree, _) = whole("", Magic::Sages, &[("a.md", text)], "2026-11-25");
        (tree.findings.len(), tree.suppressed.len())
    };
    assert_eq!(counts("# A\n\n[b](b.png)\n"), (1, 0));
    let allowed = "# A\n\n<!-- @(sages/broken-doc-link) reason: made by the build -->\n[b](b.png)\n";
    assert_eq!(counts(allowed), (0, 1));
    assert_eq!(counts(&allowed.replace("<!--", "`<!--").replace("-->", "-->`")), (1, 0));
}

#[test]
fn settings_move_what_rules_over_the_whole_repository_find() {
    let plain = long_function("");
    let count = |config: &str| {
        let files = [("a.rs", plain.as_str()), ("gen/b.rs", &plain)];
        whole(config, Magic::Servant, &files, "2026-11-25").0.findings.len()
    };
    assert_eq!(count(""), 1);
    assert_eq!(count("[rules.\"servant/duplicate-block\"]\ntokens_min = 400\n"), 0);
    assert_eq!(count("[rules.\"servant/duplicate-block\"]\nenabled = false\n"), 0);
    assert_eq!(count("[[paths]]\nglob = \"gen/**\"\noff = [\"servant/duplicate-block\"]\n"), 0);
}

/// What `schemas::repository_config::Settings::rulesets` takes for granted.
#[test]
fn what_a_file_gives_does_not_depend_on_what_is_made_of_its_facts() {
    let code = long_function("    if x > 1 { todo!() } // LCOV_EXCL_LINE\n");
    let files = [("a.rs", code.as_str()), ("b.py", "a = 1  # pragma: no cover\n"), ("c.md", "[b](b.png)\n")];
    for rule in ALL.iter().filter(|rule| matches!(rule.check, Check::Tree { .. })) {
        let numbers = rule.thresholds.iter().map(|threshold| format!("{} = {}\n", threshold.name, threshold.max));
        let config = format!("[rules.\"{}\"]\nseverity = \"info\"\n{}", rule.id, numbers.collect::<String>());
        let plain = under("", rule.magic, &files, Vec::new());
        assert_eq!(under(&config, rule.magic, &files, Vec::new()), plain, "{config}");
        assert!(plain.iter().any(|result| result.facts.is_some()), "{} is told something", rule.id);
    }
}

#[test]
fn what_is_said_of_a_tree_is_kept_under_a_key_of_its_own() {
    let all = CATALOGUE.rulesets();
    let read = rulesets(&Shard::default());
    assert_eq!(read, all.iter().map(|(magic, ruleset)| (*magic, ruleset.items.clone())).collect());
    let judged = rulesets(&Shard { tree: Some(tree_of(Vec::new())), ..Shard::default() });
    assert_eq!(judged.keys().copied().collect::<BTreeSet<_>>(), CATALOGUE.judging_trees());
    assert!(judged.iter().all(|(magic, digest)| Some(digest) == all[magic].tree.as_ref()));
}

#[test]
fn of_too_many_places_where_something_is_allowed_the_rest_is_told() {
    let line = "a = 1  # @(servant/duplicate-block) reason: each goes its own way\n";
    let (_, results) = whole("", Magic::Servant, &[("a.py", &line.repeat(ALLOWED_MAX + 5))], "2026-11-25");
    assert_eq!(results[0].facts.as_ref().unwrap().allowed.len(), ALLOWED_MAX);
    assert_eq!(results[0].notes, ["5 places where something is allowed beyond the limit of 1000 are left out"]);
}
