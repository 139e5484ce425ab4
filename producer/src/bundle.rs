//! Packs what a worker is given to read; the format is told in `schemas::bundle`.

use std::io;

use schemas::bundle::{BUNDLE_BYTES_MAX, MANIFEST_NAME, Manifest, ManifestFile};
use schemas::ids::Digest;

/// How hard to compress. Beyond it zstd takes twice the time for a few per cent of source text.
const ZSTD_LEVEL: i32 = 3;

/// Permissions of every entry: nobody needs to write or run it.
const ENTRY_MODE: u32 = 0o444;

/// Bytes of one block of a tar archive.
const TAR_BLOCK_BYTES: u64 = 512;

/// A bundle, ready to be stored under its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The compressed archive.
    pub bytes: Vec<u8>,
}

/// Why a bundle could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError<E: std::error::Error + 'static> {
    /// A file could not be read.
    #[error("cannot read `{}`", .path.escape_debug())]
    Read {
        /// The file.
        path: String,
        /// What its reader said.
        #[source]
        source: E,
    },
    /// A file has other bytes than the manifest says.
    #[error("`{}` has {bytes} bytes where the manifest says {expected}", .path.escape_debug())]
    Size {
        /// The file.
        path: String,
        /// Its size in bytes.
        bytes: u64,
        /// Its size as the manifest has it.
        expected: u64,
    },
    /// It would be larger than a worker takes.
    #[error("a bundle of more than {BUNDLE_BYTES_MAX} bytes cannot be read; cut the audit into smaller shards")]
    TooLarge,
    /// The archive could not be written in memory.
    #[error("cannot compress a bundle")]
    Compress(#[source] io::Error),
}

/// Packs `manifest` and the bytes that `read` gives for each of its files. The same content always gives the same bytes:
/// there are no times, owners or names of this machine in them.
///
/// # Errors
/// See [`PackError`]. Nothing is read once it is clear that the bundle would be too large.
pub fn pack<E: std::error::Error + 'static>(
    manifest: &Manifest,
    mut read: impl FnMut(&ManifestFile) -> Result<Vec<u8>, E>,
) -> Result<Bundle, PackError<E>> {
    let header = serde_json::to_vec(manifest).map_err(|error| PackError::Compress(error.into()))?;
    let sizes = manifest.files.iter().map(|file| file.size).chain([header.len() as u64]);
    if sizes.map(entry_bytes).fold(2 * TAR_BLOCK_BYTES, u64::saturating_add) > BUNDLE_BYTES_MAX {
        return Err(PackError::TooLarge);
    }
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, MANIFEST_NAME, &header).map_err(PackError::Compress)?;
    for (index, file) in manifest.files.iter().enumerate() {
        let bytes = read(file).map_err(|source| PackError::Read { path: file.path.clone(), source })?;
        if bytes.len() as u64 != file.size {
            let (path, expected) = (file.path.clone(), file.size);
            return Err(PackError::Size { path, bytes: bytes.len() as u64, expected });
        }
        append(&mut archive, &index.to_string(), &bytes).map_err(PackError::Compress)?;
    }
    let unpacked = archive.into_inner().map_err(PackError::Compress)?;
    // In one piece, so that the frame says how large it will be before anybody unpacks it.
    let bytes = zstd::bulk::compress(&unpacked, ZSTD_LEVEL).map_err(PackError::Compress)?;
    Ok(Bundle { digest: Digest::of(&bytes), bytes })
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(ENTRY_MODE);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, name, bytes)
}

/// What an entry takes in the archive, its header and padding included.
fn entry_bytes(size: u64) -> u64 {
    size.div_ceil(TAR_BLOCK_BYTES).saturating_add(1).saturating_mul(TAR_BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Read as _;

    use proptest::prelude::*;
    use schemas::bundle::{CommitFacts, FILE_BYTES_MAX};
    use schemas::ids::ObjectId;

    use super::*;

    fn manifest(files: &[(&str, &[u8])]) -> Manifest {
        let blob = ObjectId::try_from("a".repeat(40)).unwrap();
        let file = |(path, bytes): &(&str, &[u8])| ManifestFile {
            path: (*path).to_owned(),
            blob: blob.clone(),
            size: bytes.len() as u64,
        };
        Manifest { files: files.iter().map(file).collect(), ..Manifest::default() }
    }

    fn packed(files: &[(&str, &[u8])]) -> Bundle {
        let mut contents = files.iter().map(|(_, bytes)| bytes.to_vec());
        pack(&manifest(files), |_| Ok::<_, Infallible>(contents.next().unwrap())).unwrap()
    }

    /// Name and bytes of each entry, and whether anything in its header is not fixed.
    fn unpacked(bundle: &Bundle) -> Vec<(String, Vec<u8>)> {
        let limit = usize::try_from(BUNDLE_BYTES_MAX).unwrap();
        let tar = zstd::bulk::decompress(&bundle.bytes, limit).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            assert_eq!(header.mode().unwrap(), ENTRY_MODE);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
        });
        entries.collect()
    }

    #[test]
    fn what_is_packed_can_be_unpacked_and_paths_are_no_names() {
        let files: [(&str, &[u8]); 4] =
            [("../../etc/passwd", b"a"), ("/b", b""), ("a\nb", b"\0\xff"), ("\u{202e}x", b"d")];
        let mut with_commit = manifest(&files);
        with_commit.commits.push(CommitFacts {
            sha: ObjectId::try_from("b".repeat(40)).unwrap(),
            subject: "x".to_owned(),
            parents: 1,
            by_bot: false,
            on_default_branch: true,
            changes: Vec::new(),
        });
        let mut contents = files.iter().map(|(_, bytes)| bytes.to_vec());
        let bundle = pack(&with_commit, |_| Ok::<_, Infallible>(contents.next().unwrap())).unwrap();
        let entries = unpacked(&bundle);
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [MANIFEST_NAME, "0", "1", "2", "3"]);
        assert_eq!(serde_json::from_slice::<Manifest>(&entries[0].1).unwrap(), with_commit);
        for ((_, bytes), (_, expected)) in entries[1..].iter().zip(files) {
            assert_eq!(bytes, expected);
        }
        assert_eq!(bundle.digest, Digest::of(&bundle.bytes));
    }

    #[test]
    fn the_same_content_always_has_the_same_name_and_other_content_another() {
        let bundle = packed(&[("a", b"1"), ("b", b"2")]);
        assert_eq!(bundle, packed(&[("a", b"1"), ("b", b"2")]));
        for other in [
            packed(&[("a", b"1"), ("b", b"3")]),
            packed(&[("a", b"1"), ("c", b"2")]),
            packed(&[("b", b"2"), ("a", b"1")]),
        ] {
            assert_ne!(bundle.digest, other.digest);
        }
    }

    #[test]
    fn a_bundle_above_the_limit_is_refused_before_anything_is_read() {
        let largest = vec![0; usize::try_from(FILE_BYTES_MAX).unwrap()];
        let never = |_: &ManifestFile| -> Result<Vec<u8>, Infallible> { panic!("read") };
        let error = pack(&manifest(&[("f", largest.as_slice()); 16]), never).unwrap_err();
        assert!(matches!(error, PackError::TooLarge), "{error}");
        let mut lying = manifest(&[("f", b"")]);
        lying.files[0].size = u64::MAX;
        assert!(matches!(pack(&lying, never), Err(PackError::TooLarge)));
        let fits = packed(&[("f", largest.as_slice()); 15]);
        assert_eq!(unpacked(&fits).len(), 16);
    }

    #[test]
    fn a_file_that_cannot_be_read_or_has_another_size_is_named() {
        let asked = manifest(&[("a\nb", b"123")]);
        let error = pack(&asked, |_| Err(io::Error::other("gone"))).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `a\\nb`");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "gone");
        let error = pack(&asked, |_| Ok::<_, Infallible>(vec![0; 4])).unwrap_err();
        assert_eq!(error.to_string(), "`a\\nb` has 4 bytes where the manifest says 3");
    }

    proptest! {
        #[test]
        fn the_predicted_size_is_the_size(sizes in proptest::collection::vec(0_usize..2_000, 0..20)) {
            let contents: Vec<Vec<u8>> = sizes.iter().map(|size| vec![7; *size]).collect();
            let files: Vec<(&str, &[u8])> = contents.iter().map(|bytes| ("x", bytes.as_slice())).collect();
            let header = serde_json::to_vec(&manifest(&files)).unwrap().len();
            let predicted: u64 = sizes.iter().chain([&header]).map(|size| entry_bytes(*size as u64)).sum();
            let tar = zstd::bulk::decompress(&packed(&files).bytes, 1 << 24).unwrap();
            prop_assert_eq!(tar.len() as u64, predicted + 2 * TAR_BLOCK_BYTES);
        }
    }
}
