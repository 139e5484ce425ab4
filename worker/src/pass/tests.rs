//! The laws of the pass: fusion changes nothing, order is kept, and no input costs more than its own file.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use schemas::bundle::ConfigFile;
use schemas::finding::Location;
use schemas::ids::RuleId;
use schemas::item::FINDINGS_PER_RULE_MAX;
use schemas::severity::Severity;

use super::*;
use crate::rules::testing::{commit, file};

const FIXME: &str = concat!("FIX", "ME");

fn every_magic() -> BTreeSet<Magic> {
    Magic::ALL.into_iter().collect()
}

fn one(magic: Magic, path: &str, text: impl Into<Vec<u8>>) -> ItemResult {
    let shard = Shard { files: vec![file(path, text)], ..Shard::default() };
    analyze(&shard, &BTreeSet::from([magic])).remove(&magic).unwrap().remove(0)
}

fn mixed() -> Shard {
    let token = concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH");
    let files = vec![
        file("b_test.go", format!("package b\n// {FIXME} a\nfunc TestB(t *testing.T) {{ b() }}\n")),
        file("a.rs", format!("const A: &str = \"{token}\"; // {FIXME} a\n#[test]\n#[ignore]\nfn a() {{}}\n")),
        file("logo.png", b"\x89PNG\0".to_vec()),
        file("a.md", "# A\n"),
        file("tests/test_a.py", b"def test_a():\n    run('\xff')\n".to_vec()),
        file("c.go", format!("package c\n{}", "func C(a, b, c, d, e, f, g, h int) { c() }\n".repeat(5))),
        file("a.test.ts", "it.only('a', () => { run() })\n"),
        file("plan.sh", format!("# {FIXME} a\n").repeat(60)),
        file(".github/workflows/a.yml", "on: push\njobs:\n  a:\n    steps: [{run: cargo test || true}]\n"),
    ];
    let mut merge = commit("Merge");
    merge.parents = 2;
    let mut bot = commit("update");
    bot.by_bot = true;
    Shard { files, commits: vec![commit("WIP"), merge, bot, commit("Read the clock once")], ..Shard::default() }
}

#[test]
fn magics_run_together_find_what_they_find_apart() {
    let mut shard = mixed();
    let exported =
        ["D", "E", "F", "G", "H", "I"].map(|name| format!("func {name}(a int) {{\n{}}}\n", "c()\n".repeat(5))).concat();
    let documented = "// B is one.\nconst B = 1\n";
    let body = "c()\n".repeat(200);
    shard.files.push(file("c.go", format!("package c\n{documented}func C() {{\n{body}}}\n{exported}")));
    // Off by default, and all that sages find in one file.
    let text = "[rules.\"sages/undocumented-api\"]\nenabled = true\n".to_owned();
    shard.config = Some(ConfigFile { blob: "0".repeat(40).parse().unwrap(), text });
    let together = analyze(&shard, &every_magic());
    assert_eq!(
        together.keys().copied().collect::<Vec<_>>(),
        [Magic::Integrity, Magic::Tdd, Magic::Flow, Magic::Sages, Magic::Git, Magic::Servant]
    );
    for (magic, results) in &together {
        let apart = analyze(&shard, &BTreeSet::from([*magic]));
        assert_eq!(apart.get(magic), Some(results), "{magic}");
        assert!(results.iter().any(|result| !result.findings.is_empty()), "{magic} found nothing");
    }
}

#[test]
fn the_same_shard_gives_the_same_results_in_the_shards_order() {
    let shard = mixed();
    let first = analyze(&shard, &every_magic());
    assert_eq!(first, analyze(&shard, &every_magic()));
    for results in [&first[&Magic::Integrity], &first[&Magic::Tdd]] {
        let paths: Vec<_> = results.iter().map(|result| result.item.cache_key().0).collect();
        let expected: Vec<_> = shard.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, expected);
    }
}

#[test]
fn a_result_depends_on_its_own_file_only() {
    let shard = mixed();
    let whole = analyze(&shard, &every_magic());
    for (index, file) in shard.files.iter().enumerate() {
        let alone = analyze(&Shard { files: vec![file.clone()], ..Shard::default() }, &every_magic());
        for magic in [Magic::Integrity, Magic::Tdd] {
            assert_eq!(alone[&magic][0], whole[&magic][index], "{} {magic}", file.path);
        }
    }
}

#[test]
fn units_say_what_was_examined_and_skips_say_why_not() {
    let results = analyze(&mixed(), &every_magic());
    let skips = |magic: Magic| results[&magic].iter().map(|result| result.skipped).collect::<Vec<_>>();
    assert_eq!(skips(Magic::Integrity), [None, None, Some(SkipReason::Binary), None, None, None, None, None, None]);
    let no_language = Some(SkipReason::NoLanguage);
    let tdd = [None, None, Some(SkipReason::Binary), no_language, None, None, None, None, no_language];
    assert_eq!(skips(Magic::Tdd), tdd);
    let not_by_hand = Some(SkipReason::NotByHand);
    assert_eq!(skips(Magic::Git), [None, not_by_hand, not_by_hand, None]);
    let rust = Units { files: 1, lines: 4, functions: 1, tests: 1, commits: 0 };
    assert_eq!(results[&Magic::Tdd][1].units, rust);
    assert_eq!(results[&Magic::Git][0].units, Units { commits: 1, ..Units::default() });
    assert_eq!(results[&Magic::Tdd][4].notes, ["not valid UTF-8 at byte 23; read as Windows-1252"]);
}

#[test]
fn a_partly_parsed_file_is_judged_with_a_note() {
    let result = one(
        Magic::Tdd,
        "a.rs",
        "fn a() {}\nfn b() { % }\n#[test]\nfn t() { a(); }\n#[test]\nfn u() { assert!(c()); }\n",
    );
    assert_eq!(result.notes, ["syntax not understood at line 2"]);
    assert_eq!(result.findings.len(), 1);
}

#[test]
fn snippets_of_every_rule_hide_secrets() {
    let token = concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH");
    let text = serde_json::to_string(&one(Magic::Integrity, "a.py", format!("# {FIXME}: drop {token}\n"))).unwrap();
    assert!(text.contains("glpat-***") && !text.contains("Zk3v"), "{text}");
}

#[test]
fn equal_places_of_one_file_have_fingerprints_of_their_own() {
    let result = one(Magic::Integrity, "a.py", format!("# {FIXME} a\n# {FIXME} a\n# {FIXME} a\n"));
    let prints: BTreeSet<_> = result.findings.iter().map(|finding| &finding.fingerprint).collect();
    assert_eq!((prints.len(), result.findings.len()), (3, 3));
}

#[test]
fn findings_of_a_rule_are_capped_with_a_note() {
    let lines = |count: usize| format!("# {FIXME} a\n").repeat(count);
    let full = one(Magic::Integrity, "a.py", lines(FINDINGS_PER_RULE_MAX));
    assert_eq!((full.findings.len(), full.notes.len()), (FINDINGS_PER_RULE_MAX, 0));
    let over = one(Magic::Integrity, "a.py", lines(FINDINGS_PER_RULE_MAX + 1));
    assert_eq!(over.findings.len(), FINDINGS_PER_RULE_MAX);
    assert_eq!(over.notes, ["more than 1000 findings of integrity/todo-marker; the rest is not listed"]);
}

#[test]
fn a_rule_that_panics_costs_its_magic_that_file_only() {
    static BROKEN: Rule = Rule {
        id: "tdd/broken",
        magic: Magic::Tdd,
        severity: Severity::Low,
        version: 1,
        thresholds: &[],
        doc: "",
        check: Check::Code(|_, _| panic!("broken")),
    };
    let mut sets = rule_sets(&BTreeSet::from([Magic::Integrity, Magic::Tdd]), Input::Files);
    sets[1].1.push(&BROKEN);
    let terms = Terms { settings: Settings::from_text(None, &CATALOGUE), day: None };
    let results = examine_file(&file("a.rs", format!("// {FIXME} a\n")), &sets, &terms);
    assert_eq!((results[0].skipped, results[0].findings.len()), (None, 1));
    assert_eq!(results[1].skipped, Some(SkipReason::AnalyzerFailed));
}

/// What is built to hurt parsers, for each grammar.
fn hostile() -> Vec<(String, Vec<u8>)> {
    let lines = |piece: &str, bytes: usize| {
        let line = piece.repeat(1 + 100 / piece.len()) + "\n";
        line.repeat(bytes / line.len()).into_bytes()
    };
    let mut inputs = vec![("a.rs".to_owned(), vec![b'('; 1_048_576])];
    for extension in ["rs", "py", "go", "js", "ts", "tsx", "java", "c", "cc", "cs", "rb", "php", "kt", "swift", "sh"] {
        let path = format!("a_test.{extension}");
        for piece in ["(", "["] {
            inputs.push((path.clone(), lines(piece, 1_048_000)));
        }
        // Blocks in blocks as each language opens them, on lines of their own and on one; PHP is text until it is
        // opened.
        let open = if extension == "php" { "<?php " } else { "" };
        for piece in NESTED.iter().filter(|(known, _)| *known == extension).map(|(_, piece)| *piece) {
            inputs.push((path.clone(), [open, &piece.repeat(50_000)].concat().into_bytes()));
        }
        // Far enough in front of NULs to be taken for text.
        inputs.push((path.clone(), [b"# a\n".repeat(3_000), b"\0".repeat(1_000_000)].concat()));
        for piece in ["a[", "{", "a = b; "] {
            inputs.push((path.clone(), [open, &piece.repeat(1_048_000 / piece.len())].concat().into_bytes()));
        }
        // `/*` is the worst for Python: without a guard it takes all memory, without a stack of its own the process.
        for piece in ["/*", "/ *", "if(a){", "${", "a(", "{", "a<", "a::b<", "@a(", "%w(", "template<", "a |"] {
            inputs.push((path.clone(), lines(piece, 60_000)));
        }
        // What opens a token that nothing closes, in front of a megabyte.
        for opening in ["/*", "\"", "'", "`", "\"\"\"", "R\"(", "<<EOF\n"] {
            inputs.push((path.clone(), [opening.as_bytes(), &lines("word ", 1_000_000)].concat()));
        }
        inputs.push((path.clone(), Vec::new()));
        inputs.push((path.clone(), vec![b'x'; 100_000]));
        inputs.push((path, [b"\xff\xfe\x80 ".repeat(20), b"\n".to_vec()].concat().repeat(500)));
    }
    for path in AUTOMATION {
        for piece in
            ["[", "{a: ", "- ", "? ", "&a ", "*a ", "|", "\"", "$(", "`", "<<A ", "a||", "${{", "\\", "RUN <<A "]
        {
            inputs.push((path.to_owned(), lines(piece, 300_000)));
        }
        let jobs = |count: usize| "  - uses: a/b@main\n    run: rm -rf $a || true\n".repeat(count).into_bytes();
        inputs.push((path.to_owned(), [b"jobs:\n a:\n  steps:\n".to_vec(), jobs(20_000)].concat()));
        inputs.push((path.to_owned(), b"FROM a AS b\n".repeat(50_000)));
        for piece in ["cargo test||:;", "A_TOKEN=b ", "rm -rf $a;"] {
            let row =
                [b"\tENV ".to_vec(), piece.as_bytes().repeat(19_000 / piece.len()), b"# reason\n".to_vec()].concat();
            inputs.push((path.to_owned(), row.repeat(20)));
        }
        // Whoever looks at every job looks at what each of them repeats.
        let repeated = format!("permissions: {{}}\njobs:\n a: &a\n  steps: [{{run: {}}}]\n", "x ".repeat(9_000));
        let others: String = (0..40_000).map(|number| format!(" a{number}: *a\n")).collect();
        inputs.push((path.to_owned(), (repeated + &others).into_bytes()));
        let aliases = "  - *a\n".repeat(40_000).into_bytes();
        let anchor = b"jobs:\n a: &a\n  steps: [{run: cargo test || true}]\n b:\n  steps:\n".to_vec();
        inputs.push((path.to_owned(), [anchor, aliases].concat()));
    }
    inputs
}

/// What opens a block, in the languages that are read by outline.
const NESTED: [(&str, &str); 20] = [
    ("cs", "if (a) {\n"),
    ("cs", "class A {\n"),
    ("cs", "$\"{"),
    ("cs", "#if A\n"),
    ("rb", "begin\n"),
    ("rb", "a do |b|\n"),
    ("rb", "\"#{"),
    ("rb", "<<~A #{\n"),
    ("php", "if ($a) {\n"),
    ("php", "\"{$a["),
    ("php", "fn() => "),
    ("kt", "when (a) { a -> "),
    ("kt", "a {\n"),
    ("kt", "\"${"),
    ("swift", "if a {\n"),
    ("swift", "\"\\("),
    ("swift", "a ? b : "),
    ("sh", "if a; then\n"),
    ("sh", "\"$("),
    ("sh", "case a in a)\n"),
];

/// Files of each kind of automation.
const AUTOMATION: [&str; 7] =
    [".github/workflows/a.yml", "action.yml", ".gitlab-ci.yml", "package.json", "Makefile", "a.sh", "Dockerfile"];

#[test]
fn hostile_files_end_within_the_budget() {
    // The parser's budget is half a second of its processor; the rest is for a machine that does much else.
    const LIMIT: Duration = Duration::from_secs(15);
    let run = |(path, bytes): &(String, Vec<u8>)| {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(12)]).into_owned();
        let shard = Shard { files: vec![file(path, bytes.clone())], ..Shard::default() };
        let started = Instant::now();
        let results = analyze(&shard, &every_magic());
        let took = started.elapsed();
        assert!(took < LIMIT, "{path} of {start:?} took {took:?}");
        let failed = |result: &ItemResult| result.skipped == Some(SkipReason::AnalyzerFailed);
        assert!(!results.values().flatten().any(failed), "{path} of {start:?}");
    };
    let inputs = hostile();
    let (first, second) = inputs.split_at(inputs.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| first.iter().for_each(run));
        second.iter().for_each(run);
    });
}

#[test]
fn a_file_that_takes_too_long_to_parse_keeps_its_text_rules() {
    let text = format!("// {FIXME} a\n{}", (format!("{}\n", "@a ".repeat(30))).repeat(10_000));
    let integrity = one(Magic::Integrity, "a.rs", text.clone());
    assert_eq!((integrity.skipped, integrity.findings.len()), (None, 1));
    assert_eq!(integrity.notes, ["takes too long to parse; only text and comments were read"]);
    assert_eq!(one(Magic::Tdd, "a.rs", text).skipped, Some(SkipReason::ParseBudget));
}

/// Every place of every finding is inside the text.
fn assert_places_exist(bytes: &[u8], results: &BTreeMap<Magic, Vec<ItemResult>>) {
    let file = file("a.rs", bytes);
    let Ok(source) = Source::read(&file) else { return };
    let lines: Vec<&str> = source.text.split('\n').collect();
    let exists = |line: u32, column: u32| {
        let index = usize::try_from(line).unwrap().checked_sub(1);
        let width = index.and_then(|index| lines.get(index)).map(|line| line.chars().count() + 1);
        column >= 1 && width.is_some_and(|width| usize::try_from(column).unwrap() <= width)
    };
    for finding in results.values().flatten().flat_map(|result| &result.findings) {
        let Location::File { line, column, end_line, end_column, .. } = &finding.location else {
            panic!("not in a file")
        };
        assert!(exists(*line, *column) && exists(*end_line, *end_column), "{finding:?}");
        assert!((line, column) <= (end_line, end_column), "{finding:?}");
    }
}

/// Text in which rules find things at odd places.
fn lively() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\n",
        "\r\n",
        " ",
        "é",
        "あ",
        "\u{feff}",
        "// ",
        "# ",
        "/* ",
        " */",
        FIXME,
        concat!("TO", "DO"),
        ": ",
        "(#1) ",
        "#[test]\n",
        "#[ignore]\n",
        "fn a() {",
        "}",
        "def test_a():\n    ",
        "pytest.skip()\n",
        "func TestA(t *testing.T) {",
        "t.Skip()",
        "it.only('é', () => {",
        "})",
        "xit(`a`, x => {",
        "\"",
        "'",
        "`",
        "password = \"Zk3vQ9xLr7TbWm2NcYdH\"",
        concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH"),
        concat!("\n<<<<", "<<< a\n"),
        concat!("\n====", "===\n"),
        concat!("\n>>>>", ">>> b\n"),
        "assert!(x)",
        "後で修正",
        "package a\n",
        "\u{0}",
        "\non: push\njobs:\n  a:\n    steps:\n",
        "      - run: ",
        "|\n          ",
        "uses: a/b@main\n",
        "permissions: write-all\n",
        "continue-on-error: true\n",
        "test:\n  script:\n    - ",
        "cargo test || true",
        "${{ github.head_ref }}",
        "rm -rf $a",
        "curl a | sh\n",
        "#!/bin/sh\n",
        "\nFROM a\n",
        "\nENV TOKEN=é ",
        "\n\t",
        "{\"scripts\": {\"a\": \"",
    ];
    let piece = prop_oneof![
        9 => proptest::sample::select(pieces.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn analyze_bytes(path: &str, bytes: &[u8]) {
    let shard = Shard { files: vec![file(path, bytes)], ..Shard::default() };
    let results = analyze(&shard, &every_magic());
    assert!(results.values().flatten().all(|result| result.skipped != Some(SkipReason::AnalyzerFailed)));
    assert_places_exist(bytes, &results);
}

proptest! {
    #[test]
    fn places_are_inside_the_text_whatever_it_is(bytes in lively(), extension in "rs|py|go|js|ts|tsx|c|yaml|html|md|env") {
        analyze_bytes(&format!("tests/a_test.{extension}"), &bytes);
    }

    #[test]
    fn places_in_automation_are_inside_the_text(bytes in lively(), path in proptest::sample::select(AUTOMATION.to_vec())) {
        analyze_bytes(path, &bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), extension in "rs|py|go|js|ts|tsx|c|yaml") {
        analyze_bytes(&format!("tests/a_test.{extension}"), &bytes);
    }
}

#[test]
fn the_catalogue_names_every_rule_that_reports() {
    let known: BTreeSet<RuleId> = crate::rules::catalogue().rules.into_iter().map(|rule| rule.id).collect();
    let results = analyze(&mixed(), &every_magic());
    let reported: BTreeSet<RuleId> =
        results.into_values().flatten().flat_map(|result| result.findings).map(|finding| finding.rule).collect();
    assert!(reported.len() >= 5 && reported.is_subset(&known), "{reported:?}");
}
