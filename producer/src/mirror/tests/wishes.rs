//! What a repository's own files leave out and set, as a plan takes it.

use schemas::catalogue::{Catalogue, RuleMeta};
use schemas::item::{Item, SkipReason};
use schemas::magic::Magic;
use schemas::request::AuditRequest;
use schemas::severity::Severity;

use super::{FILE, Origin, SYMLINK};
use crate::plan::{Cached, Survey, Trees, arrange, survey, with_messages, without_messages};
use crate::sharding::ShardLimits;

fn catalogue() -> Catalogue {
    let rule = |id: &str, magic| RuleMeta {
        id: id.parse().unwrap(),
        magic,
        version: 1,
        severity: Severity::Low,
        judges_tree: false,
        facts_version: None,
        off_by_default: false,
        reading: None,
        thresholds: Vec::new(),
        doc: String::new(),
    };
    let rules = vec![rule("integrity/config-invalid", Magic::Integrity), rule("tdd/skipped-test", Magic::Tdd)];
    Catalogue { rules, ..Catalogue::default() }
}

fn looked(origin: &Origin, base: Option<&schemas::ids::ObjectId>) -> Survey {
    let base = base.map(|base| format!(r#","kind":"incremental","base":"{base}""#)).unwrap_or_default();
    let request: AuditRequest = serde_json::from_str(&format!(r#"{{"project":"shop"{base}}}"#)).unwrap();
    let day = "2026-11-25".parse().unwrap();
    survey(&origin.mirror(), &request, &[Magic::Integrity, Magic::Tdd], &catalogue(), day).unwrap()
}

fn paths(survey: &Survey) -> Vec<&str> {
    survey.files.iter().map(|entry| entry.path.as_str()).collect()
}

fn skipped(survey: &Survey) -> Vec<(&str, SkipReason)> {
    survey.skipped.iter().map(|(item, why)| (item.name(), *why)).collect()
}

#[test]
fn what_is_left_out_is_skipped_with_its_reason() {
    let origin = Origin::new();
    origin.push(&[
        (".elder.toml", "ignore = [\"docs/**\", \".elder*\"]\n"),
        (".elderignore", "*.snap\n!keep.snap\n"),
        (".gitattributes", "*.pb.go linguist-generated\nours/** linguist-vendored\n"),
        ("a.rs", "a"),
        ("api/v1.pb.go", "a"),
        ("docs/a.md", "a"),
        ("keep.snap", "a"),
        ("ours/a.c", "a"),
        ("src/a.snap", "a"),
    ]);
    let survey = looked(&origin, None);
    assert_eq!(paths(&survey), [".elder.toml", ".elderignore", ".gitattributes", "a.rs", "keep.snap"]);
    let expected = [
        ("api/v1.pb.go", SkipReason::Generated),
        ("docs/a.md", SkipReason::Ignored),
        ("ours/a.c", SkipReason::Vendored),
        ("src/a.snap", SkipReason::Ignored),
    ];
    assert_eq!(skipped(&survey), expected);
}

#[test]
fn every_bundle_carries_the_configuration_and_the_day_and_the_record_not_what_it_says() {
    let origin = Origin::new();
    let text = "[rules.\"tdd/skipped-test\"]\nenabled = false\n";
    origin.push(&[(".elder.toml", text), ("a.rs", "a")]);
    let (survey, mirror) = (looked(&origin, None), origin.mirror());
    let rulesets = survey.wishes.settings.rulesets(&catalogue());
    let plain = catalogue().rulesets();
    assert_eq!(rulesets[&Magic::Integrity], plain[&Magic::Integrity]);
    assert_ne!(rulesets[&Magic::Tdd], plain[&Magic::Tdd]);
    let magics = rulesets.into_keys().collect();
    let work = arrange(&mirror, &survey, Cached::new(), Trees::new(), &magics, ShardLimits::default()).unwrap();
    let packed = work.cuts[0].manifest.clone();
    assert_eq!(packed.config.as_ref().unwrap().text, text);
    assert_eq!(packed.day, Some("2026-11-25".parse().unwrap()));
    let recorded = without_messages(&packed);
    assert_eq!(recorded.config.as_ref().unwrap().text, "");
    assert_eq!(with_messages(&mirror, recorded).unwrap(), packed);
}

#[test]
fn a_bad_configuration_is_looked_at_again_by_each_audit_and_a_good_one_is_not() {
    for (config, expected) in [("colour = 1\n", vec![".elder.toml", "a.rs"]), ("ignore = []\n", vec!["a.rs"])] {
        let origin = Origin::new();
        let first = origin.push(&[(".elder.toml", config), ("a.rs", "a")]);
        origin.push(&[(".elder.toml", config), ("a.rs", "b")]);
        assert_eq!(paths(&looked(&origin, Some(&first))), expected, "{config}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_finding() {
    let huge = "#".repeat(64 * 1024 + 1);
    let wide = "`.elder.toml` is not plain text in UTF-8; the defaults hold instead";
    for (mode, content, why) in [
        (FILE, b"\xff\xfea\0=\0".as_slice(), wide),
        (FILE, b"a\0=\0", wide),
        (SYMLINK, b"/etc/passwd", "`.elder.toml` is a link, which is not followed; the defaults hold instead"),
        (
            FILE,
            huge.as_bytes(),
            "`.elder.toml` has 65537 bytes and was not read: use at most 65536; the defaults hold instead",
        ),
    ] {
        let origin = Origin::new();
        let (config, file) = (origin.blob(content), origin.blob("a"));
        origin.push_tree(origin.raw_tree(&[(mode, b".elder.toml", config), (FILE, b"a.rs", file)]));
        let survey = looked(&origin, None);
        assert_eq!((paths(&survey), skipped(&survey)), (vec!["a.rs"], vec![]));
        let magics = catalogue().rulesets().into_keys().collect();
        let work =
            arrange(&origin.mirror(), &survey, Cached::new(), Trees::new(), &magics, ShardLimits::default()).unwrap();
        let known = &work.known[&Magic::Integrity].items;
        assert!(matches!(&known[0].item, Item::File { path, .. } if path == ".elder.toml"));
        assert_eq!(known[0].findings[0].message, why);
        assert!(work.known[&Magic::Tdd].items.is_empty());
        assert!(work.cuts[0].manifest.config.is_none());
    }
}

#[test]
fn a_forged_tree_costs_no_plan() {
    let origin = Origin::new();
    let (config, file) = (origin.blob("ignore = [\"**\"]"), origin.blob("a"));
    let folder = origin.raw_tree(&[(FILE, b"a", file)]);
    origin.push_tree(origin.raw_tree(&[
        (FILE, b"z.rs", file),
        (FILE, b".elderignore", config),
        (super::DIRECTORY, b".elder.toml", folder),
    ]));
    let request: AuditRequest = serde_json::from_str(r#"{"project":"shop"}"#).unwrap();
    let tip = origin.repository.refname_to_id("refs/heads/main").unwrap();
    let request = AuditRequest { revision: Some(tip.to_string().parse().unwrap()), ..request };
    let day = "2026-11-25".parse().unwrap();
    let survey = survey(&origin.unfetched(), &request, &[Magic::Integrity], &catalogue(), day).unwrap();
    assert_eq!(survey.wishes.findings().len(), 1, "a folder is no configuration");
    assert!(paths(&survey).contains(&"z.rs"));
}
