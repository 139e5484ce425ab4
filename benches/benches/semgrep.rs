//! How much processor time does one pass of all file magics take, beside semgrep with six comparable rules on the same files?

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use benches::corpus;
use benches::figures::{rate, real, short};
use benches::table::{Table, begin, load, say};
use benches::usage::{own_cpu, peak_mib, reset_peak};
use rayon::prelude::*;
use schemas::bundle::Shard;
use schemas::magic::Magic;
use tempfile::TempDir;

/// What is compared with.
const SEMGREP: &str = "semgrep==1.182.0";

/// Its rules.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/semgrep.yaml");

/// Extensions of the languages that the six rules are for: semgrep leaves other files out at no cost.
const EXTENSIONS: [&str; 6] = ["go", "java", "js", "py", "ts", "tsx"];

/// Files analyzed together, as the planner cuts them.
const SHARD_FILES: usize = 200;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    begin("semgrep: all file magics in one pass, beside semgrep with six comparable rules, on the same files")?;
    let semgrep = installed()?;
    let paths = corpus::paths(|extension| EXTENSIONS.contains(&extension))?;
    let folder = copied(&paths)?;
    let (ours, ours_wall, lines, peak) = pass(&paths)?;
    let (theirs, theirs_wall) = scan(&semgrep, folder.path())?;
    let mut table = Table::new(
        format!("{} files, {} lines", paths.len(), short(real(lines))),
        &["", "CPU s", "wall s", "files/CPU s", "lines/CPU s"],
    );
    let cells = |cpu: Duration, wall: Duration| {
        let seconds = [cpu, wall].map(|time| format!("{:.1}", time.as_secs_f64()));
        seconds.into_iter().chain([rate(paths.len(), cpu), rate(lines, cpu)].map(short)).collect::<Vec<_>>()
    };
    table.row("elder, all file magics", cells(ours, ours_wall));
    table.row("semgrep, six rules, two jobs", cells(theirs, theirs_wall));
    table.print()?;
    let factor = theirs.as_secs_f64() / ours.as_secs_f64();
    say(&format!("semgrep takes {factor:.1} times the processor time; elder's peak is {peak:.0} MiB"))?;
    Ok(say(&load())?)
}

/// The program, installed below `target` with pip if it is not there yet.
fn installed() -> Result<PathBuf> {
    let folder = tests::elder::workspace().join("target/peers").join(SEMGREP.replace("==", "-"));
    let program = folder.join("bin/semgrep");
    if !program.exists() {
        say(&format!("installing {SEMGREP}"))?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", SEMGREP]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    ensure!(status.success(), "{:?} ended with {status}", command.get_program());
    Ok(())
}

/// A folder with nothing but these files, which is what semgrep wants.
fn copied(paths: &[PathBuf]) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    // Without one of its own semgrep leaves tests out.
    fs::write(folder.path().join(".semgrepignore"), "")?;
    for path in paths {
        let copy = folder.path().join(corpus::within(path));
        fs::create_dir_all(copy.parent().unwrap_or(folder.path()))?;
        fs::copy(path, &copy)?;
    }
    Ok(folder)
}

/// Processor time, time, lines and peak memory in MiB of our pass.
fn pass(paths: &[PathBuf]) -> Result<(Duration, Duration, usize, f64)> {
    let magics: BTreeSet<Magic> = Magic::ALL.into_iter().collect();
    reset_peak();
    let (begin, cpu) = (Instant::now(), own_cpu());
    let mut lines = 0;
    for paths in paths.chunks(SHARD_FILES) {
        let files = paths.par_iter().map(|path| corpus::read(path)).collect::<Result<_>>()?;
        let results = worker::analyze(&Shard { files, ..Shard::default() }, &magics);
        let items = results.get(&Magic::Tdd).into_iter().flatten();
        lines += items.map(|item| usize::try_from(item.units.lines).unwrap_or(0)).sum::<usize>();
    }
    Ok((own_cpu().saturating_sub(cpu), begin.elapsed(), lines, peak_mib()))
}

/// Processor time and time of semgrep.
fn scan(semgrep: &Path, folder: &Path) -> Result<(Duration, Duration)> {
    let (begin, cpu) = (Instant::now(), own_cpu());
    let mut command = Command::new(semgrep);
    command.args(["scan", "--metrics", "off", "--disable-version-check", "--no-git-ignore", "--jobs", "2", "--json"]);
    command.args(["--config", RULES]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    // 1 says that it found something.
    let status = command.status().context("cannot run semgrep")?;
    ensure!(matches!(status.code(), Some(0 | 1)), "semgrep ended with {status}");
    Ok((own_cpu().saturating_sub(cpu), begin.elapsed()))
}
