//! Opens a bundle, which came over the network and may be anything.

use std::collections::BTreeSet;
use std::io::{self, Read};

use schemas::bundle::{BUNDLE_BYTES_MAX, MANIFEST_NAME, Manifest, ManifestFile, Shard, SourceFile};

/// Largest back-reference window a bundle may ask for, as a power of two: no bundle unpacks to more than this anyway.
const WINDOW_LOG_MAX: u32 = BUNDLE_BYTES_MAX.ilog2();

/// A bundle that cannot be opened. Trying again does not help: a bundle is named by its digest.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Not zstd, or cut off.
    #[error("bundle of {bytes} bytes is not a readable tar.zst")]
    Unreadable {
        /// Size of the bundle as it came.
        bytes: usize,
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
    /// Unpacks to more than the limit.
    #[error("bundle unpacks to more than {BUNDLE_BYTES_MAX} bytes")]
    TooLarge,
    /// The first entry is missing or has another name.
    #[error("bundle does not start with `{MANIFEST_NAME}`")]
    NoManifest,
    /// The manifest is not what it should be.
    #[error("`{MANIFEST_NAME}` of the bundle is not a manifest")]
    Manifest(#[source] serde_json::Error),
    /// Two entries of the manifest have one path.
    #[error("`{MANIFEST_NAME}` of the bundle lists `{0}` twice")]
    Duplicate(String),
    /// An entry is not the next file of the manifest.
    #[error("bundle has entry `{found}` where `{expected}` should be")]
    Entry {
        /// Its name, escaped and clipped.
        found: String,
        /// The index that should be there, or the end.
        expected: String,
    },
    /// The archive ends before the manifest does.
    #[error("bundle ends before entry `{0}`")]
    Missing(usize),
    /// An entry has another size than the manifest says.
    #[error("entry `{index}` of the bundle has {found} bytes instead of {expected}")]
    Size {
        /// Index of the file in the manifest.
        index: usize,
        /// Size of the entry.
        found: u64,
        /// Size in the manifest.
        expected: u64,
    },
}

/// The files and commits of `bundle`.
///
/// # Errors
/// If `bundle` is not exactly what [`schemas::bundle`] describes. Memory stays under twice [`BUNDLE_BYTES_MAX`] whatever it holds.
pub fn unpack(bundle: &[u8]) -> Result<Shard, UnpackError> {
    let plain = decompress(bundle)?;
    let unreadable = |source| UnpackError::Unreadable { bytes: bundle.len(), source };
    let mut archive = tar::Archive::new(plain.as_slice());
    let mut entries = archive.entries().map_err(unreadable)?;

    let mut first = match entries.next() {
        Some(entry) => entry.map_err(unreadable)?,
        None => return Err(UnpackError::NoManifest),
    };
    if !is_file_named(&first, MANIFEST_NAME) {
        return Err(UnpackError::NoManifest);
    }
    let text = read(&mut first).map_err(unreadable)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(UnpackError::Manifest)?;
    refuse_duplicates(&manifest.files)?;

    let expected = manifest.files.len();
    let mut files = Vec::new();
    for (index, file) in manifest.files.into_iter().enumerate() {
        let mut entry = entries.next().ok_or(UnpackError::Missing(index))?.map_err(unreadable)?;
        if !is_file_named(&entry, &index.to_string()) {
            return Err(unexpected(&entry, index.to_string()));
        }
        if entry.size() != file.size {
            return Err(UnpackError::Size { index, found: entry.size(), expected: file.size });
        }
        let bytes = read(&mut entry).map_err(unreadable)?;
        if bytes.len() as u64 != file.size {
            return Err(UnpackError::Missing(index));
        }
        files.push(SourceFile { path: file.path, blob: file.blob, bytes });
    }
    match entries.next() {
        None => {
            let Manifest { commits, tree, config, day, .. } = manifest;
            Ok(Shard { files, commits, tree, config, day })
        }
        Some(extra) => Err(unexpected(&extra.map_err(unreadable)?, format!("the end after {expected} files"))),
    }
}

/// Reads one byte more than the limit at most, so that a bundle of a few bytes cannot fill the memory.
fn decompress(bundle: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let unreadable = |source| UnpackError::Unreadable { bytes: bundle.len(), source };
    let mut decoder = zstd::stream::Decoder::with_buffer(bundle).map_err(unreadable)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(unreadable)?;
    let mut plain = Vec::new();
    decoder.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut plain).map_err(unreadable)?;
    if plain.len() as u64 > BUNDLE_BYTES_MAX {
        return Err(UnpackError::TooLarge);
    }
    Ok(plain)
}

fn is_file_named(entry: &tar::Entry<'_, &[u8]>, name: &str) -> bool {
    entry.header().entry_type().is_file() && entry.path_bytes() == name.as_bytes()
}

/// Grows as bytes come in: the size in a header is only a claim.
fn read(entry: &mut tar::Entry<'_, &[u8]>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unexpected(entry: &tar::Entry<'_, &[u8]>, expected: String) -> UnpackError {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    UnpackError::Entry { found: name.chars().take(80).flat_map(char::escape_debug).collect(), expected }
}

fn refuse_duplicates(files: &[ManifestFile]) -> Result<(), UnpackError> {
    let mut seen = BTreeSet::new();
    match files.iter().find(|file| !seen.insert(file.path.as_str())) {
        Some(twice) => Err(UnpackError::Duplicate(twice.path.chars().take(80).flat_map(char::escape_debug).collect())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn manifest(files: &[(&str, u64)]) -> Vec<u8> {
        let blob = "0".repeat(40).parse::<schemas::ids::ObjectId>().unwrap();
        let file = |&(path, size): &(&str, u64)| ManifestFile { path: path.to_owned(), blob: blob.clone(), size };
        serde_json::to_vec(&Manifest { files: files.iter().map(file).collect(), ..Manifest::default() }).unwrap()
    }

    fn pack(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap()
    }

    fn error(entries: &[(&str, &[u8])]) -> String {
        unpack(&pack(entries)).unwrap_err().to_string()
    }

    #[test]
    fn files_come_back_in_the_order_of_the_manifest() {
        let listed = manifest(&[("b.rs", 2), ("a.rs", 0)]);
        let shard = unpack(&pack(&[(MANIFEST_NAME, &listed), ("0", b"hi"), ("1", b"")])).unwrap();
        let got: Vec<_> = shard.files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect();
        assert_eq!(got, [("b.rs", b"hi".as_slice()), ("a.rs", b"".as_slice())]);
    }

    #[test]
    fn what_does_not_fit_the_manifest_is_refused_by_name() {
        let one = manifest(&[("a.rs", 2)]);
        let twice = manifest(&[("a.rs", 1), ("a.rs", 1)]);
        assert_eq!(error(&[]), "bundle does not start with `manifest.json`");
        assert_eq!(error(&[("0", b"hi")]), "bundle does not start with `manifest.json`");
        assert_eq!(error(&[(MANIFEST_NAME, b"{")]), "`manifest.json` of the bundle is not a manifest");
        assert_eq!(error(&[(MANIFEST_NAME, &one)]), "bundle ends before entry `0`");
        assert_eq!(error(&[(MANIFEST_NAME, &one), ("a.rs", b"hi")]), "bundle has entry `a.rs` where `0` should be");
        assert_eq!(error(&[(MANIFEST_NAME, &one), ("0", b"hi!")]), "entry `0` of the bundle has 3 bytes instead of 2");
        assert_eq!(
            error(&[(MANIFEST_NAME, &one), ("0", b"hi"), ("1", b"")]),
            "bundle has entry `1` where `the end after 1 files` should be"
        );
        assert_eq!(
            error(&[(MANIFEST_NAME, &twice), ("0", b"a"), ("1", b"b")]),
            "`manifest.json` of the bundle lists `a.rs` twice"
        );
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let zeros = vec![0; usize::try_from(BUNDLE_BYTES_MAX).unwrap() + 1];
        let bomb = zstd::encode_all(zeros.as_slice(), 1).unwrap();
        assert!(bomb.len() < 10_000, "the bomb is {} bytes", bomb.len());
        assert!(matches!(unpack(&bomb), Err(UnpackError::TooLarge)));
    }

    #[test]
    fn a_bundle_cut_anywhere_is_an_error() {
        let listed = manifest(&[("a.rs", 2)]);
        let whole = pack(&[(MANIFEST_NAME, &listed), ("0", b"hi")]);
        for length in 0..whole.len() {
            assert!(unpack(&whole[..length]).is_err(), "accepted the first {length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn a_symbolic_link_is_not_a_file() {
        let listed = manifest(&[("a.rs", 0)]);
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(listed.len() as u64);
        builder.append_data(&mut header, MANIFEST_NAME, listed.as_slice()).unwrap();
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        builder.append_link(&mut link, "0", "/etc/passwd").unwrap();
        let bundle = zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap();
        assert!(matches!(unpack(&bundle), Err(UnpackError::Entry { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), wrap: bool) {
            let bundle = if wrap { zstd::encode_all(bytes.as_slice(), 1).unwrap() } else { bytes };
            prop_assert!(unpack(&bundle).is_err());
        }

        #[test]
        fn a_damaged_archive_never_panics(at in 0usize..3_000, byte: u8) {
            let listed = manifest(&[("a.rs", 2)]);
            let mut plain = zstd::decode_all(pack(&[(MANIFEST_NAME, &listed), ("0", b"hi")]).as_slice()).unwrap();
            let at = at % plain.len();
            plain[at] = byte;
            if let Ok(shard) = unpack(&zstd::encode_all(plain.as_slice(), 1).unwrap()) {
                prop_assert_eq!(shard.files.len(), 1);
            }
        }
    }
}
