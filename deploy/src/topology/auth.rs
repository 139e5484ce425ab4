//! Keys for the roles and the server's list of what each may do, as files that an operator hands out.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use broker::permissions::{self, ACCOUNT, Grant, Permissions, Role, WORKERS_ACCOUNT};
use nkeys::{KeyPair, KeyPairType};
use secrecy::{ExposeSecret as _, SecretString};

/// The server's file.
const FILE: &str = "auth.conf";

/// Lines of the server's file that are shown as different; whoever sees more has another file before them.
const SHOWN_MAX: usize = 40;

/// What is to be done, and what was found.
struct Files {
    folder: PathBuf,
    /// What to print, one line each.
    lines: Vec<String>,
    /// How many files are not as they should be.
    differing: usize,
}

/// Makes the keys that are missing and writes the server's file. Keys that are there are kept: whoever uses them still
/// gets in. With `check` nothing is written.
///
/// # Errors
/// If a file cannot be read or written, or `check` finds something that a run without it would change.
pub(super) fn run(folder: &Path, check: bool, out: &mut impl Write) -> Result<()> {
    let mut files = Files { folder: folder.to_owned(), lines: Vec::new(), differing: 0 };
    if !check {
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut keys = Vec::new();
    for role in Role::ALL {
        // Without its key a role is no user, so a file that was made with other keys differs by that much more.
        keys.extend(files.key(role, check)?.map(|key| (role, key)));
    }
    files.server(&configuration(&keys), check)?;
    for line in &files.lines {
        writeln!(out, "{line}")?;
    }
    match (check, files.differing) {
        (true, 0) => Ok(()),
        (true, differing) => {
            bail!("{differing} files in {} differ; the same without --check writes them", folder.display())
        }
        (false, _) => Ok(next_steps(folder, out)?),
    }
}

impl Files {
    fn say(&mut self, action: &str, path: &Path) {
        self.lines.push(format!("{action:<9}  {}", path.display()));
    }

    /// The public key of a role.
    fn key(&mut self, role: Role, check: bool) -> Result<Option<String>> {
        let path = seed_path(&self.folder, role);
        match fs::read_to_string(&path) {
            Ok(seed) => {
                self.say("kept", &path);
                return public_key(&SecretString::from(seed))
                    .with_context(|| format!("cannot use {}", path.display()))
                    .map(Some);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
        self.differing += 1;
        if check {
            self.say("missing", &path);
            return Ok(None);
        }
        let pair = KeyPair::new_user();
        let seed = SecretString::from(pair.seed().context("cannot make a key")?);
        // Never over one that another run has just made.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written =
            file.and_then(|mut file| writeln!(file, "{}", seed.expose_secret()).and_then(|()| file.sync_all()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        self.say("created", &path);
        Ok(Some(pair.public_key()))
    }

    fn server(&mut self, text: &str, check: bool) -> Result<()> {
        let path = self.folder.join(FILE);
        let before = match fs::read_to_string(&path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let action = match (&before, check) {
            (Some(before), _) if before == text => "unchanged",
            (None, true) => "missing",
            (Some(_), true) => "differs",
            (None, false) => "created",
            (Some(_), false) => "updated",
        };
        self.say(action, &path);
        if action == "unchanged" {
            return Ok(());
        }
        self.differing += 1;
        self.lines.extend(before.iter().flat_map(|before| differences(before, text)));
        if check {
            return Ok(());
        }
        let draft = path.with_extension("new");
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn seed_path(folder: &Path, role: Role) -> PathBuf {
    folder.join(format!("{}.nkey", role.as_str()))
}

/// The seed itself goes into no error.
fn public_key(seed: &SecretString) -> Result<String> {
    let pair = KeyPair::from_seed(seed.expose_secret().trim()).context("it is not the seed of a NATS key")?;
    if pair.key_pair_type() != KeyPairType::User {
        bail!("it is not the key of a user");
    }
    Ok(pair.public_key())
}

/// The server's file: every role is a user, known by its public key. Workers are in an account of their own, into which the
/// subjects that they may use are handed one by one.
fn configuration(keys: &[(Role, String)]) -> String {
    let users = |account: &str| -> String {
        let of_account = keys.iter().filter(|(role, _)| role.account() == account);
        of_account.map(|(role, key)| user(*role, key)).collect()
    };
    let (exports, imports): (String, String) = handed_to_workers().into_iter().unzip();
    format!(
        "# Written by `elder topology --auth`, which writes it again when it is run again.\n\
         accounts {{\n  SYS {{ }}\n  {ACCOUNT} {{\n    jetstream: enabled\n    users: [\n{}    ]\n    \
         exports: [\n{exports}    ]\n  }}\n  {WORKERS_ACCOUNT} {{\n    users: [\n{}    ]\n    \
         imports: [\n{imports}    ]\n  }}\n}}\nsystem_account: SYS\n",
        users(ACCOUNT),
        users(WORKERS_ACCOUNT),
    )
}

/// What the streams' account hands to the workers' account: a line that offers it and one that takes it, for each subject.
/// Answers to what goes through here come back into the workers' account, whatever subject they were asked to go to.
fn handed_to_workers() -> Vec<(String, String)> {
    let Permissions { publish, subscribe } = permissions::of(Role::Worker);
    let service = |subject: &String| {
        let (answers, here) = (
            if permissions::has_many_answers(subject) { "Stream" } else { "Singleton" },
            Role::Worker.named_here(subject),
        );
        (
            format!("      {{ service: \"{subject}\", response_type: {answers}, accounts: [{WORKERS_ACCOUNT}] }}\n"),
            format!("      {{ service: {{ account: {ACCOUNT}, subject: \"{subject}\" }}, to: \"{here}\" }}\n"),
        )
    };
    let stream = |subject: &String| {
        (
            format!("      {{ stream: \"{subject}\", accounts: [{WORKERS_ACCOUNT}] }}\n"),
            format!("      {{ stream: {{ account: {ACCOUNT}, subject: \"{subject}\" }} }}\n"),
        )
    };
    let of_all = |grants: Vec<Grant>| grants.into_iter().flat_map(|grant| grant.subjects);
    let inbox = format!("{}.>", Role::Worker.inbox_prefix());
    let services = of_all(publish).map(|subject| service(&subject));
    let streams = of_all(subscribe).filter(|subject| *subject != inbox).map(|subject| stream(&subject));
    services.chain(streams).collect()
}

fn user(role: Role, key: &str) -> String {
    let permissions = permissions::of(role);
    format!(
        "      {{ # {role}\n        nkey: {key}\n        permissions {{\n          publish {publish}\n          \
         subscribe {subscribe}\n        }}\n      }}\n",
        role = role.as_str(),
        publish = list(role, &permissions.publish),
        subscribe = list(role, &permissions.subscribe),
    )
}

/// A server takes a missing list as leave to do anything, so a role without grants is refused everything in so many words.
fn list(role: Role, grants: &[Grant]) -> String {
    if grants.is_empty() {
        return "{ deny: [\">\"] }".to_owned();
    }
    let line = |text: String| format!("            {text}\n");
    let granted = |Grant { why, subjects }: &Grant| {
        let subjects = subjects.iter().map(|subject| line(format!("\"{}\"", role.named_here(subject))));
        [line(format!("# {why}"))].into_iter().chain(subjects).collect::<String>()
    };
    format!("{{ allow: [\n{}          ] }}", grants.iter().map(granted).collect::<String>())
}

/// Lines that only one of the two has.
fn differences(before: &str, after: &str) -> Vec<String> {
    let without = |text: &str, other: &str, said: &str| -> Vec<String> {
        let other: Vec<&str> = other.lines().map(str::trim).collect();
        let only = text.lines().map(str::trim).filter(|line| !other.contains(line));
        only.map(|line| format!("  {FILE}: {said} {line:?}")).collect()
    };
    let mut lines = without(before, after, "has and should not have");
    lines.extend(without(after, before, "has not and should have"));
    if lines.is_empty() {
        lines.push(format!("  {FILE}: the same lines in another order or number"));
    }
    lines.truncate(SHOWN_MAX);
    lines
}

fn next_steps(folder: &Path, out: &mut impl Write) -> io::Result<()> {
    let seed = |role| seed_path(folder, role).display().to_string();
    writeln!(out, "\nNext:\n")?;
    writeln!(out, "1. Copy {} beside the server's configuration; there, in place of any `authorization`:", FILE)?;
    writeln!(out, "       include \"{FILE}\"")?;
    writeln!(out, "   and let the server read it: nats-server --signal reload")?;
    writeln!(out, "2. Give each process the key of its role and no other:")?;
    for role in [Role::Serve, Role::Planner, Role::Worker, Role::Aggregator] {
        writeln!(out, "       elder {:<10}  --nats-nkey {}", role.as_str(), seed(role))?;
    }
    writeln!(out, "3. Keep the operator's to yourself, and make the streams with it:")?;
    writeln!(out, "       elder topology    --nats-nkey {}", seed(Role::Operator))?;
    writeln!(out, "4. Whoever only watches events gets {}", seed(Role::Dashboard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_granted_is_everything_denied() {
        let text = configuration(&[(Role::Dashboard, "UKEY".to_owned())]);
        assert!(text.contains("publish { deny: [\">\"] }"), "{text}");
        assert!(text.contains("# events as they happen"), "{text}");
    }

    #[test]
    fn lines_of_one_side_are_named() {
        let lines = differences("a\n  b\nc\n", "b\nd\n");
        let expected =
            ["has and should not have \"a\"", "has and should not have \"c\"", "has not and should have \"d\""];
        assert_eq!(lines, expected.map(|line| format!("  auth.conf: {line}")));
    }
}
