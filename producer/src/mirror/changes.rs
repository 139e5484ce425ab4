//! Which files one commit changed, and by how many lines.

use std::collections::BTreeMap;

use git2::{DiffOptions, ObjectType, Odb, Oid, Patch};
use schemas::bundle::{FILE_BYTES_MAX, FileChange};

use super::tree::{self, Leaf, Purpose, Seen};
use super::{COMMIT_CHANGES_MAX, Mirror, paths};

/// Most bytes inflated to count the lines of one commit: thirty-two files of the largest size that is read.
const COMMIT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How far into a file a NUL byte makes it binary, in bytes; as git looks.
const BINARY_LOOK_BYTES: usize = 8_000;

/// The blob without bytes. Empty files are all alike, so one that goes and one that comes are no rename.
const EMPTY_BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// One path that differs between two trees.
struct Difference {
    path: Vec<u8>,
    old: Option<Leaf>,
    new: Option<Leaf>,
    renamed: bool,
}

impl Mirror {
    /// What turned the tree `old` into the tree `new`, by path.
    pub(super) fn changes(&self, old: Oid, new: Oid) -> Result<Vec<FileChange>, git2::Error> {
        let mut differences = Vec::new();
        tree::compare(&self.repository, Purpose::History, Some(old), new, |seen| {
            if let Seen::Leaf { path, old, new } = seen {
                differences.push(Difference { path: path.to_vec(), old, new, renamed: false });
            }
            Ok(())
        })?;
        differences.sort_by(|a, b| a.path.cmp(&b.path));
        let mut differences = with_renames(differences);
        differences.truncate(COMMIT_CHANGES_MAX);
        let odb = self.repository.odb()?;
        let mut bytes_left = COMMIT_BYTES_MAX;
        let change = |difference: Difference| {
            let (added, removed) = self.line_counts(&odb, &difference, &mut bytes_left)?;
            let path = paths::percent_form(&difference.path);
            Ok(FileChange { path, added, removed, renamed: difference.renamed })
        };
        differences.into_iter().map(change).collect()
    }

    /// Lines added and removed; none in what is binary, too large, or beyond what one commit may cost.
    fn line_counts(
        &self,
        odb: &Odb<'_>,
        difference: &Difference,
        bytes_left: &mut u64,
    ) -> Result<(u32, u32), git2::Error> {
        let oid_of = |side: Option<Leaf>| side.filter(|leaf| leaf.kind() != Leaf::SUBMODULE).map(|leaf| leaf.oid);
        let (old, new) = (oid_of(difference.old), oid_of(difference.new));
        if difference.renamed || old == new {
            return Ok((0, 0));
        }
        let mut bytes = 0;
        for oid in [old, new].into_iter().flatten() {
            let (size, kind) = odb.read_header(oid)?;
            if kind != ObjectType::Blob || size as u64 > FILE_BYTES_MAX {
                return Ok((0, 0));
            }
            bytes += size as u64;
        }
        let Some(rest) = bytes_left.checked_sub(bytes) else { return Ok((0, 0)) };
        *bytes_left = rest;
        match (old, new) {
            (Some(old), Some(new)) => {
                let (old, new) = (self.repository.find_blob(old)?, self.repository.find_blob(new)?);
                let mut options = DiffOptions::new();
                options.context_lines(0);
                let patch = Patch::from_blobs(&old, None, &new, None, Some(&mut options))?;
                let (_context, added, removed) = patch.line_stats()?;
                Ok((clamped(added), clamped(removed)))
            }
            (None, Some(new)) => Ok((lines(odb.read(new)?.data()), 0)),
            (Some(old), None) => Ok((0, lines(odb.read(old)?.data()))),
            (None, None) => Ok((0, 0)),
        }
    }
}

/// Joins what went and what came with the very same bytes. A file that moved and was edited counts as one gone and one new:
/// to compare all with all would let one commit cost minutes.
fn with_renames(differences: Vec<Difference>) -> Vec<Difference> {
    let is_file = |leaf: &Leaf| leaf.kind() != Leaf::SUBMODULE && leaf.oid.to_string() != EMPTY_BLOB;
    let mut gone: BTreeMap<Oid, Vec<usize>> = BTreeMap::new();
    for (index, difference) in differences.iter().enumerate().rev() {
        if let (Some(old), None) = (difference.old.filter(is_file), difference.new) {
            gone.entry(old.oid).or_default().push(index);
        }
    }
    let mut moved_away = vec![false; differences.len()];
    let mut differences = differences;
    for difference in &mut differences {
        if let (None, Some(new)) = (difference.old, difference.new)
            && let Some(index) = gone.get_mut(&new.oid).and_then(Vec::pop)
        {
            difference.renamed = true;
            moved_away[index] = true;
        }
    }
    differences.into_iter().zip(moved_away).filter(|(_, away)| !away).map(|(difference, _)| difference).collect()
}

fn lines(bytes: &[u8]) -> u32 {
    if bytes[..bytes.len().min(BINARY_LOOK_BYTES)].contains(&0) {
        return 0;
    }
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    clamped(ends + usize::from(bytes.last().is_some_and(|last| *last != b'\n')))
}

fn clamped(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
