//! The operating system's user that Postgres runs as: it refuses root.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::unistd::{Gid, Uid, User};

/// Users to try, best first. The second is everywhere; the first is on machines that know Postgres.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An unprivileged user that root can become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// Whom to become for data that is or will be in `data`; nobody when elder is an ordinary user already.
    pub fn for_data(data: &Path) -> Result<Option<Self>> {
        let us = Uid::effective();
        let owner = owner(data).with_context(|| format!("failed to look at {}", data.display()))?;
        match owner {
            Some(owner) if us.is_root() && !owner.uid.is_root() => Ok(Some(owner)),
            Some(owner) if owner.uid != us => {
                bail!(
                    "{} belongs to user {}; run elder as root or as that user, or choose another --directory",
                    data.display(),
                    owner.name()
                )
            }
            _ if us.is_root() => Self::unprivileged().map(Some),
            _ => Ok(None),
        }
    }

    fn unprivileged() -> Result<Self> {
        for name in CANDIDATES {
            if let Some(account) = Self::named(name)?.filter(|account| !account.uid.is_root()) {
                return Ok(account);
            }
        }
        bail!(
            "postgres refuses to run as root and there is no user {}; create one (`useradd postgres`), or run elder as \
             an ordinary user",
            CANDIDATES.join(" or ")
        )
    }

    /// The user called `name`, if there is one.
    pub fn named(name: &str) -> Result<Option<Self>> {
        let user = User::from_name(name).with_context(|| format!("failed to look up the user {name}"))?;
        Ok(user.map(|User { uid, gid, .. }| Self { uid, gid }))
    }

    /// Numeric user.
    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// Numeric group.
    pub fn gid(&self) -> u32 {
        self.gid.as_raw()
    }

    /// The user's name, or its number where it has none.
    pub fn name(&self) -> String {
        User::from_uid(self.uid).ok().flatten().map_or_else(|| self.uid.to_string(), |user| user.name)
    }
}

fn owner(path: &Path) -> io::Result<Option<Account>> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some(Account { uid: Uid::from_raw(data.uid()), gid: Gid::from_raw(data.gid()) })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
