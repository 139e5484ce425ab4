//! What the history says: which commits are new, and what the git magic may know of each.

use git2::{ErrorCode, Oid};
use schemas::bundle::CommitFacts;
use schemas::ids::ObjectId;

use super::resolve::oid;
use super::{Mirror, MirrorError, object_id};

/// Most commits looked at after a push: the most that forges list in one.
pub const COMMITS_PER_PUSH_MAX: usize = 1_000;

/// Most commits looked at in a full audit: what happened lately, not what was wrong years ago.
pub const COMMITS_PER_AUDIT_MAX: usize = 200;

/// Most changed files kept of one commit: twenty times what makes it oversized already.
pub const COMMIT_CHANGES_MAX: usize = 1_000;

/// Longest subject kept, in characters: seven times what makes it too long already.
const SUBJECT_CHARS_MAX: usize = 500;

/// Longest part of a name or e-mail address that is looked at, in bytes.
const SIGNATURE_BYTES_MAX: usize = 512;

/// Words that only programs have in their names.
const BOT_WORDS: [&str; 3] = ["bot", "robot", "bors"];

/// Programs whose names have no such word.
const BOT_NAMES: [&str; 10] = [
    "dependabot",
    "renovate",
    "github-actions",
    "greenkeeper",
    "mergify",
    "pre-commit-ci",
    "allcontributors",
    "gitlab-ci",
    "jenkins",
    "weblate",
];

/// A commit as its bytes say, without a look at its dates: a bad date or name makes no commit unreadable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawCommit {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    by_bot: bool,
    subject: String,
}

impl RawCommit {
    /// Reads the bytes of a commit object; `None` if they name no tree.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let id = |line: &[u8], field: &str| {
            let hex = line.strip_prefix(field.as_bytes())?;
            std::str::from_utf8(hex).ok().filter(|hex| hex.len() == 40).and_then(|hex| Oid::from_str(hex).ok())
        };
        let tree = id(lines.next()?, "tree ")?;
        let mut commit = Self { tree, parents: Vec::new(), by_bot: false, subject: String::new() };
        for line in lines.by_ref().take_while(|line| !line.is_empty()) {
            commit.parents.extend(id(line, "parent "));
            let signature = line.strip_prefix(b"author ").or_else(|| line.strip_prefix(b"committer "));
            commit.by_bot |= signature.is_some_and(is_bot);
        }
        commit.subject = lines.map(subject).find(|line| !line.is_empty()).unwrap_or_default();
        Some(commit)
    }
}

impl Mirror {
    /// Up to `max` commits that lead to `commit` and not to `base`, newest first. Behind a commit that git cannot walk,
    /// for example for its date, the history counts as ended.
    ///
    /// # Errors
    /// [`MirrorError::UnknownObject`] if either is no commit of this repository, as a base is after a forced push.
    pub fn new_commits(
        &self,
        base: Option<&ObjectId>,
        commit: &ObjectId,
        max: usize,
    ) -> Result<Vec<ObjectId>, MirrorError> {
        for id in base.into_iter().chain([commit]) {
            if !self.contains(id) {
                return Err(MirrorError::UnknownObject(id.clone()));
            }
        }
        let (base, commit) = (base.map(oid).transpose()?, oid(commit)?);
        let walk = || {
            // Without a sort mode libgit2 goes by date and reads no further than asked; with one it reads all history first.
            let mut walk = self.repository.revwalk()?;
            walk.push(commit)?;
            if let Some(base) = base {
                walk.hide(base)?;
            }
            Ok(walk)
        };
        let mut found = Vec::new();
        for visited in walk().map_err(|error| self.broken(error))?.take(max) {
            match visited {
                Ok(oid) => found.push(object_id(oid)),
                Err(error) if error.code() == ErrorCode::NotFound => return Err(self.broken(error)),
                Err(error) => {
                    let error = super::GitError::from(error);
                    tracing::warn!(%commit, %error, "the history ends early, at a commit that cannot be walked");
                    break;
                }
            }
        }
        Ok(found)
    }

    /// What the git magic may know of `commit`. Merges have no changes, since each was somebody's commit before; a commit
    /// without parents has none either, since it is an import, and imports count as nobody's work. Of very large changes
    /// the first [`COMMIT_CHANGES_MAX`] files by path are kept, and lines are counted only in files that an audit would read.
    ///
    /// # Errors
    /// [`MirrorError::UnknownObject`], [`MirrorError::Broken`].
    pub fn commit_facts(&self, commit: &ObjectId) -> Result<CommitFacts, MirrorError> {
        let raw = self.raw_commit(oid(commit)?)?;
        let changes = match raw.parents.as_slice() {
            [parent] => {
                let before = self.raw_commit(*parent)?.tree;
                self.changes(before, raw.tree).map_err(|error| self.broken(error))?
            }
            [] | [_, _, ..] => Vec::new(),
        };
        Ok(CommitFacts {
            sha: commit.clone(),
            subject: raw.subject,
            parents: u32::try_from(raw.parents.len()).unwrap_or(u32::MAX),
            by_bot: raw.by_bot,
            on_default_branch: self.on_default_branch(commit),
            changes,
        })
    }
}

/// A line of a message, decoded as far as possible, without what could move a cursor.
fn subject(line: &[u8]) -> String {
    // Four bytes hold any character, so no more of the line is needed.
    let line = &line[..line.len().min(SUBJECT_CHARS_MAX * 4)];
    let text = String::from_utf8_lossy(line);
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.trim().chars().take(SUBJECT_CHARS_MAX).map(printable).collect()
}

/// Whether `name <e-mail> date` is the signature of a program.
fn is_bot(signature: &[u8]) -> bool {
    let signature = &signature[..signature.len().min(SIGNATURE_BYTES_MAX)];
    let text = String::from_utf8_lossy(signature).to_lowercase();
    let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
    let login = rest.split(['@', '>']).next().unwrap_or_default();
    [name, login].into_iter().any(|name| {
        let has_word = name.split(|c: char| !c.is_alphanumeric()).any(|word| BOT_WORDS.contains(&word));
        has_word || BOT_NAMES.iter().any(|bot| name.contains(bot))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";

    fn parse(rest: &str) -> RawCommit {
        RawCommit::parse(format!("{TREE}{rest}").as_bytes()).unwrap()
    }

    #[test]
    fn programs_are_told_from_people() {
        for bot in [
            "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com> 1 +0000",
            "Renovate <bot@renovateapp.com> 1 +0000",
            "github-actions <actions@github.com> 1 +0000",
            "k8s-ci-robot <x@example.com> 1 +0000",
            "x <ci-bot@example.com> 1 +0000",
        ] {
            assert!(parse(&format!("author {bot}\ncommitter A <a@x> 1 +0000\n\nx")).by_bot, "{bot}");
            assert!(parse(&format!("author A <a@x> 1 +0000\ncommitter {bot}\n\nx")).by_bot, "{bot}");
        }
        for person in [
            "Abbot Talbot <talbot@example.com> 1 +0000",
            "A <a@bot.example.com> 1 +0000",
            "GitHub <noreply@github.com> 1 +0000",
            "",
        ] {
            assert!(!parse(&format!("author {person}\n\nby a bot")).by_bot, "{person}");
        }
    }

    /// Row B37: what git itself refuses to parse is still a commit.
    #[test]
    fn odd_dates_names_and_numbers_of_parents_are_read() {
        let date = "author A <a@x> 9223372036854775808 +9999\ncommitter A <a@x> -5\n\n\n  hello\u{1b}[31m \nmore";
        assert_eq!(parse(date).subject, "hello\u{fffd}[31m");
        assert_eq!(parse("").subject, "");
        let parents = "parent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n".repeat(10_000);
        assert_eq!(parse(&parents).parents.len(), 10_000);
        assert_eq!(parse(&format!("author {}\n\nx", "a".repeat(1 << 20))).subject, "x");
        assert_eq!(parse(&format!("\n{}", "ä".repeat(10_000))).subject.chars().count(), SUBJECT_CHARS_MAX);
        assert_eq!(RawCommit::parse(b"tree 4b82\n\nx"), None);
        assert_eq!(RawCommit::parse(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_a_commit_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            RawCommit::parse(&bytes);
            RawCommit::parse(&[TREE.as_bytes(), &bytes].concat());
        }
    }
}
