//! How many files and lines does one pass of all file magics do on one core, beside merely reading, parsing and walking?

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use benches::corpus;
use benches::figures::{Spread, rate, real, short};
use benches::table::{Table, begin, load, say};
use benches::usage::{own_cpu, peak_mib, reset_peak};
use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast_visit::Visit;
use oxc_span::SourceType;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, PySourceType};
use schemas::bundle::Shard;
use schemas::item::{ItemResult, SkipReason};
use schemas::magic::{Input, Magic};
use tree_sitter::{Language, Parser};

/// Repetitions, after one that fills the page cache.
const REPETITIONS: usize = 3;

/// Files read and analyzed together, as the planner cuts them.
const SHARD_FILES: usize = 200;

/// Stack of a thread, as the worker gives it.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// One way to go over the corpus; answers how many lines or nodes it saw, so that nothing is optimised away.
type Way = fn(&[PathBuf]) -> Result<usize>;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    begin("analysis: one pass of all file magics over real sources, beside read + parse + walk of the same files")?;
    let (paths, lines, bytes) = examined()?;
    say(&format!(
        "{} files, {} lines, {} MiB; {}",
        paths.len(),
        short(real(lines)),
        short(real(bytes) / 1024.0 / 1024.0),
        by_language(&paths)
    ))?;
    for threads in [1, 2] {
        measure(&paths, lines, threads)?;
    }
    fused(&paths)?;
    Ok(say(&load())?)
}

/// The corpus without what the pass would skip, with its lines and bytes: both ways do all of it.
fn examined() -> Result<(Vec<PathBuf>, usize, usize)> {
    let (mut kept, mut lines, mut bytes) = (Vec::new(), 0, 0);
    for paths in corpus::paths(|_| true)?.chunks(SHARD_FILES) {
        let shard = read(paths)?;
        let mut results = worker::analyze(&shard, &magics());
        let items = results.remove(&Magic::Tdd).unwrap_or_default();
        for ((path, file), item) in paths.iter().zip(&shard.files).zip(items) {
            if item.skipped.is_none() {
                kept.push(path.clone());
                lines += usize::try_from(item.units.lines)?;
                bytes += file.bytes.len();
            }
        }
    }
    Ok((kept, lines, bytes))
}

fn measure(paths: &[PathBuf], lines: usize, threads: usize) -> Result<()> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES).build()?;
    let ways: [(&str, Way); 2] = [("read + parse + walk", bare), ("all file magics", pass)];
    let mut spreads: [[Spread; 6]; 2] = Default::default();
    let mut share = Spread::default();
    for _ in 0..REPETITIONS {
        let mut used = Vec::new();
        for ((_, way), spread) in ways.iter().zip(&mut spreads) {
            let (wall, cpu, peak) = run(&pool, *way, paths)?;
            let files = paths.len();
            let figures =
                [rate(files, cpu), rate(lines, cpu), rate(files, wall), rate(lines, wall), cpu.as_secs_f64(), peak];
            for (spread, figure) in spread.iter_mut().zip(figures) {
                spread.add(figure);
            }
            used.push(cpu.as_secs_f64());
        }
        share.add(100.0 * used[0] / used[1]);
    }
    let title = format!("{threads} thread(s), {REPETITIONS} repetitions: middle (least–most)");
    let heads = ["", "files/CPU s", "lines/CPU s", "files/s wall", "lines/s wall", "CPU s", "peak MiB"];
    let mut table = Table::new(title, &heads);
    for ((name, _), spread) in ways.iter().zip(&spreads) {
        table.row(*name, spread.iter().map(ToString::to_string));
    }
    table.print()?;
    Ok(say(&format!("the pass does {share} % of what the bare loop does in the same CPU time"))?)
}

/// What it costs to run all magics in one pass, beside each of them alone.
fn fused(paths: &[PathBuf]) -> Result<()> {
    let pool = ThreadPoolBuilder::new().num_threads(1).stack_size(STACK_BYTES).build()?;
    let sets = magics().into_iter().map(|magic| (magic.to_string(), BTreeSet::from([magic])));
    let sets: Vec<(String, BTreeSet<Magic>)> = sets.chain([("all in one pass".to_owned(), magics())]).collect();
    let mut spreads: Vec<Spread> = sets.iter().map(|_| Spread::default()).collect();
    let mut factors = Spread::default();
    for _ in 0..REPETITIONS {
        let mut used = Vec::new();
        for ((_, magics), spread) in sets.iter().zip(&mut spreads) {
            let cpu = own_cpu();
            pool.install(|| pass_of(paths, magics))?;
            used.push(own_cpu().saturating_sub(cpu).as_secs_f64());
            spread.add(used[used.len() - 1]);
        }
        let all = used.pop().unwrap_or_default();
        factors.add(all / used.into_iter().fold(f64::MIN_POSITIVE, f64::max));
    }
    let mut table = Table::new(format!("1 thread, {REPETITIONS} repetitions: middle (least–most)"), &["", "CPU s"]);
    for ((name, _), spread) in sets.iter().zip(&spreads) {
        table.row(name.clone(), [spread.to_string()]);
    }
    table.print()?;
    Ok(say(&format!("all in one pass cost {factors} times the dearest alone"))?)
}

fn run(pool: &ThreadPool, way: Way, paths: &[PathBuf]) -> Result<(Duration, Duration, f64)> {
    reset_peak();
    let (begin, cpu) = (Instant::now(), own_cpu());
    let seen = pool.install(|| way(paths))?;
    let (wall, cpu) = (begin.elapsed(), own_cpu().saturating_sub(cpu));
    anyhow::ensure!(seen > 0, "nothing was seen");
    Ok((wall, cpu, peak_mib()))
}

fn magics() -> BTreeSet<Magic> {
    Magic::ALL.into_iter().filter(|magic| magic.reads(Input::Files)).collect()
}

fn read(paths: &[PathBuf]) -> Result<Shard> {
    let files = paths.par_iter().map(|path| corpus::read(path)).collect::<Result<_>>()?;
    Ok(Shard { files, ..Shard::default() })
}

/// As the worker does it.
fn pass(paths: &[PathBuf]) -> Result<usize> {
    pass_of(paths, &magics())
}

fn pass_of(paths: &[PathBuf], magics: &BTreeSet<Magic>) -> Result<usize> {
    let mut seen = 0;
    for paths in paths.chunks(SHARD_FILES) {
        let results: BTreeMap<Magic, Vec<ItemResult>> = worker::analyze(&read(paths)?, magics);
        let examined = |item: &&ItemResult| item.skipped != Some(SkipReason::AnalyzerFailed);
        seen += results.values().flatten().filter(examined).count();
    }
    Ok(seen)
}

/// As little as a look at every node can cost.
fn bare(paths: &[PathBuf]) -> Result<usize> {
    let mut seen = 0;
    for paths in paths.chunks(SHARD_FILES) {
        let nodes = read(paths)?.files.par_iter().map(|file| walk(Path::new(&file.path), &file.bytes)).sum::<usize>();
        seen += nodes;
    }
    Ok(seen)
}

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
}

/// By the parser that the product has for the language.
fn walk(path: &Path, bytes: &[u8]) -> usize {
    let is_python = path.extension().is_some_and(|extension| extension == "py");
    match (SourceType::from_path(path), std::str::from_utf8(bytes)) {
        (Ok(language), Ok(text)) => walk_script(text, language),
        (_, Ok(text)) if is_python => walk_python(text),
        _ => walk_tree(path, bytes),
    }
}

fn walk_python(text: &str) -> usize {
    let parsed = ruff_python_parser::parse_unchecked_source(text, PySourceType::Python);
    let mut nodes = Nodes(0);
    nodes.visit_body(parsed.suite());
    nodes.0
}

fn walk_script(text: &str, language: SourceType) -> usize {
    let allocator = Allocator::default();
    let parsed = oxc_parser::Parser::new(&allocator, text, language).parse();
    let mut nodes = Nodes(0);
    nodes.visit_program(&parsed.program);
    nodes.0
}

/// How many nodes were visited.
struct Nodes(usize);

impl<'a> Visit<'a> for Nodes {
    fn enter_node(&mut self, _: AstKind<'a>) {
        self.0 += 1;
    }
}

impl<'a> SourceOrderVisitor<'a> for Nodes {
    fn enter_node(&mut self, _: AnyNodeRef<'a>) -> TraversalSignal {
        self.0 += 1;
        TraversalSignal::Traverse
    }
}

fn walk_tree(path: &Path, bytes: &[u8]) -> usize {
    let tree = PARSER.with_borrow_mut(|parser| {
        parser.set_language(&language(path)?).ok()?;
        parser.parse(bytes, None)
    });
    let Some(tree) = tree else { return 0 };
    let mut cursor = tree.walk();
    let (mut nodes, mut named) = (0, 0);
    loop {
        nodes += 1;
        named += usize::from(cursor.node().is_named());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return nodes.max(named);
            }
        }
    }
}

fn language(path: &Path) -> Option<Language> {
    Some(match path.extension()?.to_str()? {
        "cpp" | "h" => tree_sitter_cpp::LANGUAGE.into(),
        "go" => tree_sitter_go::LANGUAGE.into(),
        "java" => tree_sitter_java::LANGUAGE.into(),
        "kt" => tree_sitter_kotlin_ng::LANGUAGE.into(),
        "php" => tree_sitter_php::LANGUAGE_PHP.into(),
        "rb" => tree_sitter_ruby::LANGUAGE.into(),
        "rs" => tree_sitter_rust::LANGUAGE.into(),
        _ => return None,
    })
}

fn by_language(paths: &[PathBuf]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for end in paths.iter().filter_map(|path| path.extension()?.to_str()) {
        *counts.entry(end).or_default() += 1;
    }
    counts.iter().map(|(end, count)| format!("{count} {end}")).collect::<Vec<_>>().join(", ")
}
