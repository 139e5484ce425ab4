//! How often is a rule right? Runs every rule over a corpus, shows a fair sample of what each found, and counts the verdicts of
//! those who read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use benches::table::say;
use clap::{Parser, Subcommand};
use schemas::finding::{Finding, Location};
use schemas::ids::Digest;
use schemas::magic::{Input, Magic};

/// Samples of one rule: with 24 right of 30 the rule is right in 80 of 100 cases, give or take 14.
const SAMPLES: usize = 30;

/// Lines shown before and after a finding.
const CONTEXT_LINES: usize = 6;

/// Longest line shown.
const LINE_CHARS_MAX: usize = 200;

/// Samples what rules find in real projects, and counts how often they are right.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    step: Step,
    /// What `benches/corpus.sh` made
    #[arg(long, value_name = "FOLDER", global = true, default_value = ".corpus")]
    corpus: PathBuf,
    /// The program whose rules are judged
    #[arg(long, value_name = "FILE", global = true, default_value = "target/release/elder")]
    elder: PathBuf,
    /// What was judged so far: rule, project, fingerprint, `right` or `wrong`, and why, with tabs between
    #[arg(long, value_name = "FILE", global = true, default_value = "benches/precision/verdicts.tsv")]
    verdicts: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Print what is to be judged and was not yet, with the code around it
    Sample {
        /// Only rules whose name begins so
        #[arg(default_value = "")]
        rule: String,
    },
    /// Print the table of all rules
    Table,
}

/// A finding with the project it is of.
struct Found {
    project: String,
    finding: Finding,
}

/// A reader's verdict.
struct Verdict {
    is_right: bool,
    why: String,
}

type Verdicts = BTreeMap<(String, String), Verdict>;

fn main() -> Result<()> {
    let Arguments { step, corpus, elder, verdicts } = Arguments::parse();
    let verdicts = read_verdicts(&verdicts)?;
    let found = audit(&corpus, &elder)?;
    let text = match step {
        Step::Sample { rule } => sample(&corpus, &found, &verdicts, &rule)?,
        Step::Table => table(&found, &verdicts),
    };
    Ok(say(&text)?)
}

/// What each rule finds in the files of all projects, in the order in which it is sampled. The one commit of each project is
/// the corpus's own, so rules about commits are left out.
fn audit(corpus: &Path, elder: &Path) -> Result<BTreeMap<String, Vec<Found>>> {
    let catalogue = worker::catalogue().rules.into_iter().filter(|rule| rule.magic.reads(Input::Files));
    let catalogue: Vec<_> = catalogue.collect();
    let magics: BTreeSet<Magic> = catalogue.iter().map(|rule| rule.magic).collect();
    let magics: Vec<&str> = magics.iter().flat_map(|magic| ["--magic", magic.as_str()]).collect();
    let rules = catalogue.into_iter().map(|rule| (rule.id.as_str().to_owned(), Vec::new()));
    let mut rules: BTreeMap<String, Vec<Found>> = rules.collect();
    let entries = fs::read_dir(corpus).with_context(|| format!("cannot list {}; make it first", corpus.display()))?;
    let mut projects: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    projects.retain(|path| path.join(".git").is_dir());
    projects.sort();
    ensure!(!projects.is_empty(), "no project in {}; benches/corpus.sh makes some", corpus.display());
    for folder in projects {
        let project = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(elder);
        command.args(["audit", "--format", "json", "--log", "error"]).args(&magics).arg(&folder);
        let output = command.output();
        let output = output.with_context(|| format!("cannot run {}", elder.display()))?;
        if output.status.code().is_none_or(|code| code > 1) {
            bail!("{project} could not be audited: {}", String::from_utf8_lossy(&output.stderr));
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        for finding in serde_json::from_value::<Vec<Finding>>(answer["findings"].clone())? {
            let rule = finding.rule.as_str().to_owned();
            rules.entry(rule).or_default().push(Found { project: project.clone(), finding });
        }
    }
    for found in rules.values_mut() {
        in_turn(found);
    }
    Ok(rules)
}

/// By chance, and always the same, but one of each project before the second of any.
fn in_turn(found: &mut Vec<Found>) {
    let chance = |one: &Found| Digest::of(one.finding.fingerprint.as_bytes()).as_str().to_owned();
    found.sort_by_cached_key(chance);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut turns: Vec<(usize, Found)> = Vec::new();
    for one in found.drain(..) {
        let turn = seen.entry(one.project.clone()).or_default();
        turns.push((*turn, one));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    found.extend(turns.into_iter().map(|(_, one)| one));
}

fn key(one: &Found) -> (String, String) {
    (one.finding.rule.as_str().to_owned(), one.finding.fingerprint.clone())
}

fn sample(corpus: &Path, found: &BTreeMap<String, Vec<Found>>, verdicts: &Verdicts, rule: &str) -> Result<String> {
    let mut text = String::new();
    for (_, found) in found.iter().filter(|(id, _)| id.starts_with(rule)) {
        for one in found.iter().take(SAMPLES).filter(|one| !verdicts.contains_key(&key(one))) {
            let Found { project, finding } = one;
            writeln!(
                text,
                "### {}\t{project}\t{}\n{}  {}  {}\n{}",
                finding.rule,
                finding.fingerprint,
                finding.location.display(),
                finding.severity,
                finding.message,
                around(&corpus.join(project), &finding.location)
            )?;
        }
    }
    Ok(text)
}

/// The code around a finding.
fn around(project: &Path, location: &Location) -> String {
    let Location::File { path, line, .. } = location else { return String::new() };
    let bytes = fs::read(project.join(path)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let line = usize::try_from(*line).unwrap_or(usize::MAX);
    let first = line.saturating_sub(CONTEXT_LINES + 1);
    let shown = text.lines().enumerate().skip(first).take(2 * CONTEXT_LINES + 1).map(|(index, text)| {
        let mark = if index + 1 == line { '>' } else { ' ' };
        format!("{mark} {:>5} {}\n", index + 1, text.chars().take(LINE_CHARS_MAX).collect::<String>())
    });
    shown.collect::<Vec<_>>().concat()
}

fn table(found: &BTreeMap<String, Vec<Found>>, verdicts: &Verdicts) -> String {
    let head =
        "| rule | found | judged | right | wrong | % right | what was wrong |\n|---|---:|---:|---:|---:|---:|---|\n";
    let rows = found.iter().map(|(rule, found)| {
        let judged: Vec<&Verdict> = found.iter().filter_map(|one| verdicts.get(&key(one))).collect();
        let right = judged.iter().filter(|verdict| verdict.is_right).count();
        let mut whys: BTreeMap<&str, usize> = BTreeMap::new();
        for verdict in judged.iter().filter(|verdict| !verdict.is_right) {
            *whys.entry(&verdict.why).or_default() += 1;
        }
        let whys: Vec<String> = whys.iter().map(|(why, count)| format!("{count} × {why}")).collect();
        let share = (100 * right).checked_div(judged.len()).map_or("–".to_owned(), |share| share.to_string());
        let (judged, wrong, whys) = (judged.len(), judged.len() - right, whys.join("; "));
        format!("| {rule} | {} | {judged} | {right} | {wrong} | {share} | {whys} |\n", found.len())
    });
    format!("{head}{}", rows.collect::<Vec<_>>().concat())
}

fn read_verdicts(path: &Path) -> Result<Verdicts> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut verdicts = Verdicts::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [rule, _project, fingerprint, verdict, why] = fields.as_slice() else {
            bail!("{}:{}: a verdict has five fields with tabs between", path.display(), number + 1);
        };
        let is_right = match *verdict {
            "right" => true,
            "wrong" => false,
            other => bail!("{}:{}: `{other}` is neither `right` nor `wrong`", path.display(), number + 1),
        };
        let verdict = Verdict { is_right, why: (*why).to_owned() };
        verdicts.insert(((*rule).to_owned(), (*fingerprint).to_owned()), verdict);
    }
    Ok(verdicts)
}
