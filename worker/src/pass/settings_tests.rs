//! What a repository's own settings and comments change in a pass, and what they do not.

use schemas::bundle::ConfigFile;
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
