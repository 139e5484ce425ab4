//! What a configuration means, and what is said of one that means nothing.

use proptest::prelude::*;

use super::*;
use crate::catalogue::{Catalogue, RuleMeta, ThresholdMeta};

/// One of everything.
const EXAMPLE: &str = r#"
preset = "startup"
ignore = ["docs/**", "*.snap"]

[magics.tdd]
enabled = false

[rules."integrity/todo-marker"]
severity = "high"

[rules."git/oversized-commit"]
enabled = true
lines_max = 1_500

[[paths]]
glob = "tests/**"
off = ["git", "integrity/todo-marker"]

[[paths]]
glob = "tests/system/*.rs"
rules."integrity/todo-marker" = { enabled = true, severity = "low" }
"#;

fn catalogue() -> Catalogue {
    let threshold =
        |name: &str| ThresholdMeta { name: name.to_owned(), default: 1_000, min: 1, max: 9_999, doc: String::new() };
    let rule = |(id, magic, facts_version, thresholds): (&str, Magic, Option<u32>, &[&str])| RuleMeta {
        id: id.parse().unwrap(),
        magic,
        version: 1,
        severity: Severity::Medium,
        judges_tree: facts_version.is_some(),
        facts_version,
        off_by_default: false,
        reading: None,
        thresholds: thresholds.iter().map(|name| threshold(name)).collect(),
        doc: String::new(),
    };
    let rules: [(&str, Magic, Option<u32>, &[&str]); 8] = [
        ("git/commit-subject", Magic::Git, None, &[]),
        ("git/oversized-commit", Magic::Git, None, &["files_max", "lines_max"]),
        (FIXED_RULE, Magic::Integrity, None, &[]),
        ("integrity/todo-marker", Magic::Integrity, None, &[]),
        ("servant/duplicate-block", Magic::Servant, Some(1), &["lines_min"]),
        ("servant/too-many-params", Magic::Servant, None, &["params_max"]),
        ("tdd/focused-test", Magic::Tdd, None, &[]),
        ("tdd/skipped-test", Magic::Tdd, None, &[]),
    ];
    Catalogue { rules: rules.into_iter().map(rule).collect(), ..Catalogue::default() }
}

fn settings(text: &str) -> Settings {
    let (config, problems) = read(text, &catalogue());
    assert_eq!(problems, [], "{text}");
    Settings::of(&config, &catalogue())
}

fn problems(text: &str) -> Vec<String> {
    read(text, &catalogue()).1.iter().map(ToString::to_string).collect()
}

#[test]
fn the_reader_and_the_types_read_the_same() {
    let (config, problems) = read(EXAMPLE, &catalogue());
    assert_eq!(problems, []);
    assert_eq!(toml::from_str::<RepositoryConfig>(EXAMPLE).unwrap(), config);
    let schema = serde_json::to_value(schemars::schema_for!(RepositoryConfig)).unwrap();
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["ignore", "magics", "paths", "preset", "rules"]);
}

#[test]
fn later_settings_win_and_leave_the_others_as_they_were() {
    let settings = settings(EXAMPLE);
    let at = |path, rule: &str| settings.at(path).get(rule).cloned().unwrap_or_default();
    assert_eq!(at(None, "git/commit-subject").severity, Some(Severity::Info), "from the preset");
    let oversized = at(None, "git/oversized-commit");
    assert_eq!(oversized.thresholds, BTreeMap::from([("files_max".into(), 100), ("lines_max".into(), 1_500)]));
    assert_eq!(at(Some("a.rs"), "tdd/focused-test").enabled, Some(false));
    let todo = |path| at(Some(path), "integrity/todo-marker");
    assert_eq!((todo("a.rs").enabled, todo("a.rs").severity), (None, Some(Severity::High)));
    assert_eq!(todo("tests/a/b.rs").enabled, Some(false));
    let again = todo("tests/system/a.rs");
    assert_eq!((again.enabled, again.severity), (Some(true), Some(Severity::Low)));
    assert_eq!(todo("tests/system/a/b.rs").enabled, Some(false), "one star stays within a folder");
}

#[test]
fn what_is_ignored_is_matched_from_the_root() {
    let settings = settings(EXAMPLE);
    for path in ["docs/a.md", "docs/a/b", "a.snap"] {
        assert!(settings.ignores(path), "{path}");
    }
    for path in ["src/docs/a", "docs", "src/a.snap", "a.snap2"] {
        assert!(!settings.ignores(path), "{path}");
    }
}

#[test]
fn settings_of_a_magic_change_its_key_and_no_other() {
    let (plain, magics) = (catalogue().rulesets(), [Magic::Integrity, Magic::Tdd, Magic::Git, Magic::Servant]);
    let changed = |text: &str| {
        let keys = settings(text).rulesets(&catalogue());
        magics.into_iter().filter(|magic| keys[magic] != plain[magic]).collect::<Vec<_>>()
    };
    assert_eq!(changed(""), []);
    assert_eq!(changed("ignore = [\"a\"]\n[rules.\"tdd/focused-test\"]\n"), []);
    assert_eq!(changed("[rules.\"tdd/focused-test\"]\nseverity = \"low\"\n"), [Magic::Tdd]);
    assert_eq!(changed("[magics.git]\nenabled = false\n"), [Magic::Git]);
    assert_eq!(changed("[[paths]]\nglob = \"a\"\noff = [\"integrity\"]\n"), [Magic::Integrity]);
    let key = |text: &str| settings(text).rulesets(&catalogue())[&Magic::Tdd].clone();
    let off = |glob: &str| key(&format!("[[paths]]\nglob = \"{glob}\"\noff = [\"tdd\"]\n"));
    assert_ne!(off("a"), off("b"));
}

#[test]
fn what_a_rule_makes_of_facts_has_no_file_read_again_and_whether_it_collects_them_has() {
    let plain = settings("").rulesets(&catalogue())[&Magic::Servant].clone();
    let changed = |text: &str| {
        let rulesets = settings(text).rulesets(&catalogue());
        let others = rulesets.iter().filter(|(magic, _)| **magic != Magic::Servant);
        assert!(others.into_iter().all(|(magic, ruleset)| *ruleset == catalogue().rulesets()[magic]), "{text}");
        let servant = &rulesets[&Magic::Servant];
        (servant.items != plain.items, servant.tree != plain.tree)
    };
    let of_rule = |rule: &str, setting: &str| changed(&format!("[rules.\"servant/{rule}\"]\n{setting}\n"));
    assert_eq!(of_rule("duplicate-block", "lines_min = 9"), (false, true));
    assert_eq!(of_rule("duplicate-block", "severity = \"low\""), (false, true));
    assert_eq!(of_rule("duplicate-block", "enabled = false\nlines_min = 9"), (true, true));
    assert_eq!(of_rule("too-many-params", "params_max = 9"), (true, true), "a tree is judged with what its files have");
    assert_eq!(of_rule("too-many-params", "severity = \"low\""), (true, true));
    let there = |rules: &str| changed(&format!("[[paths]]\nglob = \"a/**\"\n{rules}\n"));
    assert_eq!(there("rules.\"servant/duplicate-block\" = { lines_min = 9 }"), (false, true));
    assert_eq!(there("off = [\"servant/duplicate-block\"]"), (true, true));
    assert_eq!(there("rules.\"servant/too-many-params\" = { params_max = 9 }"), (true, true));
}

#[test]
fn the_rule_that_reports_mistakes_stays_on() {
    let settings = settings("[magics.integrity]\nenabled = false\n");
    assert_eq!(settings.at(None).keys().collect::<Vec<_>>(), ["integrity/todo-marker"]);
    let said = "line 1, column 8: `integrity/config-invalid` cannot be set: it tells what is wrong here";
    assert_eq!(problems("[rules.\"integrity/config-invalid\"]\nenabled = false\n"), [said]);
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_is_right() {
    let text = r#"preset = "start-up"
ignore = ["a[", 7]
colour = 1
[magics.alchemy]
[magics.git]
enabled = "no"
[rules."integrity/todo-markers"]
[rules."git/oversized-commit"]
line_max = 5
lines_max = 0
files_max = "many"
severity = "urgent"
[[paths]]
off = ["tdd/focus-test"]
[[paths]]
glob = ""
"#;
    let expected = [
        "line 1, column 10: preset `start-up` is not known: use startup, open-source or enterprise; did you mean `startup`?",
        "line 2, column 11: glob `a[` is not valid: unclosed character class; missing ']'",
        "line 2, column 17: `ignore` is of type integer: use texts in quotes",
        "line 3, column 1: setting `colour` is not known: use ignore, magics, paths, preset or rules",
        "line 4, column 9: magic `alchemy` is not known: use integrity, tdd, flow, sages, git, servant, meta or unified",
        "line 6, column 11: `enabled` is of type string: use true or false",
        "line 7, column 8: rule `integrity/todo-markers` is not known: `elder rules` lists all; did you mean `integrity/todo-marker`?",
        "line 9, column 1: setting of git/oversized-commit `line_max` is not known: use enabled, severity, files_max or lines_max; \
         did you mean `lines_max`?",
        "line 10, column 13: `lines_max` is out of range: use 1 to 9999",
        "line 11, column 13: `files_max` is of type string: use a whole number from 1 to 9999",
        "line 12, column 12: severity `urgent` is not known: use critical, high, medium, low or info",
        "line 13, column 1: a `[[paths]]` needs a `glob`: without one it holds nowhere",
        "line 14, column 8: rule `tdd/focus-test` is not known: `elder rules` lists all; did you mean `tdd/focused-test`?",
        "line 16, column 8: glob `` is not valid: use 1 to 256 characters",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn one_mistake_costs_one_setting() {
    let text = "preset = 7\n[rules.\"git/oversized-commit\"]\nlines_max = -1\nfiles_max = 0x10\nseverity = \"low\"\n";
    let (config, problems) = read(text, &catalogue());
    assert_eq!(problems.len(), 2);
    let rule = &config.rules[&"git/oversized-commit".parse().unwrap()];
    assert_eq!(rule.severity, Some(Severity::Low));
    assert_eq!(rule.thresholds, BTreeMap::from([("files_max".to_owned(), 16)]));
}

#[test]
fn what_is_no_toml_is_told_and_nothing_of_it_holds() {
    let (config, problems) = read("ignore = [\"**\"]\npreset = \n[rules\n", &catalogue());
    assert_eq!(config, RepositoryConfig::default());
    let told: Vec<(u32, bool)> =
        problems.iter().map(|one| (one.line, one.message.ends_with("until this is mended"))).collect();
    assert!(told.contains(&(2, true)) && told.contains(&(3, true)), "{problems:?}");
}

#[test]
fn hostile_files_end_at_the_limits() {
    let large = format!("ignore = [\"**\"]\n#{}", "x".repeat(CONFIG_BYTES_MAX));
    let (config, found) = read(&large, &catalogue());
    assert_eq!((config, found.len()), (RepositoryConfig::default(), 1));
    let globs = format!("ignore = [{}]", "\"a\",".repeat(GLOBS_MAX + 9));
    let (config, found) = read(&globs, &catalogue());
    assert_eq!((config.ignore.len(), found.len()), (GLOBS_MAX, 1));
    let many = (0..9_000).map(|number| format!("k{number}=1\n")).collect::<String>();
    assert_eq!(read(&many[..CONFIG_BYTES_MAX - 1], &catalogue()).1.len(), PROBLEMS_MAX);
    let deep = format!("a = {}", "[".repeat(CONFIG_BYTES_MAX - 10));
    assert!(!read(&deep, &catalogue()).1.is_empty());
    let keys = format!("{}a = 1", "a.".repeat(CONFIG_BYTES_MAX / 2 - 10));
    assert!(!read(&keys, &catalogue()).1.is_empty());
    let wide = format!("ignore = [\"{}\"]", "{a,b}".repeat(GLOB_CHARS_MAX / 5));
    assert!(settings(&wide).ignores(&"ab".repeat(GLOB_CHARS_MAX)[..GLOB_CHARS_MAX / 5]));
}

proptest! {
    /// Whatever a file holds, reading it says something and stops at nothing.
    #[test]
    fn arbitrary_text_is_read(text in any::<String>(), at in 0..EXAMPLE.len()) {
        let mut damaged = EXAMPLE.to_owned();
        damaged.insert_str(at, &text);
        for text in [text, damaged] {
            let (config, problems) = read(&text, &catalogue());
            prop_assert!(problems.is_sorted());
            let settings = Settings::of(&config, &catalogue());
            settings.at(Some("tests/a.rs"));
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_read(at in 0..EXAMPLE.len()) {
        let (config, problems) = read(&EXAMPLE[..at], &catalogue());
        prop_assert!(problems.is_empty() || problems.iter().all(|problem| problem.line <= 30));
        let again = toml::from_str::<RepositoryConfig>(&EXAMPLE[..at]);
        prop_assert!(again.is_err() || again.unwrap() == config);
    }
}

#[test]
fn a_rule_that_is_off_by_default_is_looked_at_where_it_is_switched_on_by_name() {
    let mut catalogue = catalogue();
    for rule in catalogue.rules.iter_mut().filter(|rule| rule.id.as_str() == "tdd/skipped-test") {
        rule.off_by_default = true;
    }
    let settings = |text: &str| Settings::of(&read(text, &catalogue).0, &catalogue);
    let is_on = |text: &str, path| {
        let of_rule = settings(text).at(path).get("tdd/skipped-test").cloned().unwrap_or_default();
        of_rule.enabled != Some(false)
    };
    let on = "[rules.\"tdd/skipped-test\"]\nenabled = true\n";
    assert!(!is_on("", None) && !is_on("", Some("a.rs")) && is_on(on, Some("a.rs")));
    assert!(!is_on("[magics.tdd]\nenabled = true\n", None), "a magic is switched on as it is by default");
    let there = "[[paths]]\nglob = \"a/**\"\nrules.\"tdd/skipped-test\" = { enabled = true }\n";
    assert!(is_on(there, Some("a/b")) && !is_on(there, Some("b")));
    let key = |text: &str| settings(text).rulesets(&catalogue)[&Magic::Tdd].clone();
    assert_eq!(key(""), catalogue.rulesets()[&Magic::Tdd]);
    assert_ne!(key(on), key(""));
    assert_ne!(catalogue.rulesets()[&Magic::Tdd], self::catalogue().rulesets()[&Magic::Tdd]);
}
