//! Makes a new Postgres cluster, all of it or nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use tokio::time::timeout;
use uuid::Uuid;

use super::super::log::Log;
use super::super::saved::USER;
use super::super::{child::Child, guard};
use super::{Durability, Postgres};

/// How long making a cluster may take: a second here, a minute on a slow disk.
const MADE_WITHIN: Duration = Duration::from_secs(300);

/// Begins the name of a cluster that is being made.
const DRAFT: &str = "draft-";

/// Text is UTF-8 and sorted by code point by Postgres itself, so that no locale of the machine matters. The password
/// method holds for every connection.
const OPTIONS: [&str; 5] =
    ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=scram-sha-256"];

/// Makes the cluster unless it is there.
pub(super) async fn ensure(postgres: &Postgres) -> Result<()> {
    let (folder, data) = (postgres.place.folder(), postgres.place.data());
    remove_drafts(folder);
    if data.exists() {
        return Ok(());
    }
    // What is interrupted before the rename was never there. The name is new each time, since the remains of an
    // interrupted one may still be written to for a moment.
    let draft = folder.join(format!("{DRAFT}{}", Uuid::new_v4().simple()));
    let password_file = draft.with_extension("password");
    write_password(postgres, &password_file)?;
    // The password is kept before it is used: a cluster without its password would be lost.
    postgres.saved.write(&postgres.directory.join("postgres.json"))?;
    let made = initdb(postgres, &draft, &password_file).await;
    remove(&password_file);
    made?;
    fs::rename(&draft, &data).with_context(|| format!("failed to move {} to {}", draft.display(), data.display()))
}

async fn initdb(postgres: &Postgres, draft: &Path, password_file: &Path) -> Result<()> {
    let place = &postgres.place;
    let program = place.program("initdb");
    let mut command = guard::command(&postgres.guard, place.account(), Signal::SIGKILL, place.folder(), &program);
    command.args(OPTIONS).arg("--username").arg(USER).arg("--pwfile").arg(password_file).arg("-D").arg(draft);
    if postgres.durability == Durability::Fast {
        command.arg("--no-sync");
    }
    let log = Log::open(&postgres.directory.join("postgres.log"))?;
    command.stdin(std::process::Stdio::null()).stdout(log.writer()?).stderr(log.writer()?);
    let child = Child::start(command, Signal::SIGKILL).await.context("failed to start initdb")?;
    match timeout(MADE_WITHIN, child.exited()).await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("initdb ended with {status}; {}", log.tail()),
        Err(_) => bail!("initdb did not end within {} s; {}", MADE_WITHIN.as_secs(), log.tail()),
    }
}

fn write_password(postgres: &Postgres, path: &Path) -> Result<()> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        if let Some(account) = postgres.place.account() {
            fchown(&file, Some(account.uid()), Some(account.gid()))?;
        }
        writeln!(file, "{}", postgres.saved.password)
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}

/// Clears away what interrupted attempts left; what cannot be removed yet is removed next time.
fn remove_drafts(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(DRAFT)) {
        remove(&entry.path());
    }
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed {
        tracing::info!(path = %path.display(), %error, "failed to remove the rest of an interrupted start");
    }
}
