//! Which files are listed, which are skipped and why, and that hostile trees cost little.

use std::time::{Duration, Instant};

use git2::Oid;
use schemas::bundle::FILE_BYTES_MAX;
use schemas::ids::ObjectId;
use schemas::item::{Item, SkipReason};

use super::{DIRECTORY, FILE, Origin, SUBMODULE, SYMLINK};
use crate::mirror::{ENTRIES_MAX, Listing, MirrorError, PATH_BYTES_MAX, TREE_DEPTH_MAX, Verdict, object_id};

fn paths(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.path.as_str()).collect()
}

fn skipped(listing: &Listing) -> Vec<(&str, SkipReason)> {
    listing.skipped.iter().map(|(item, why)| (item.cache_key().0, *why)).collect()
}

#[test]
fn files_are_listed_by_path_with_their_sizes() {
    let origin = Origin::new();
    let commit = origin.push(&[("src/lib.rs", "12345"), ("src.rs", "1"), ("src/a/b/c.py", ""), ("README", "12")]);
    let listing = origin.mirror().files(&commit).unwrap();
    assert_eq!(paths(&listing), ["README", "src.rs", "src/a/b/c.py", "src/lib.rs"]);
    assert_eq!(listing.entries.iter().map(|entry| entry.size).collect::<Vec<_>>(), [2, 1, 0, 5]);
    assert_eq!(listing.entries[3].blob, object_id(origin.blob("12345")));
    assert_eq!(listing.skipped, []);
}

#[test]
fn what_is_nobodys_code_is_skipped_with_its_reason() {
    let origin = Origin::new();
    let commit = origin.push(&[
        ("node_modules/x/index.js", "1"),
        ("web/vendor/y.php", "1"),
        ("web/vendored.php", "1"),
        ("dist", "a file of that name"),
        ("Cargo.lock", "1"),
        ("api/go.sum", "1"),
    ]);
    let mirror = origin.mirror();
    let listing = mirror.files(&commit).unwrap();
    assert_eq!(paths(&listing), ["dist", "web/vendored.php"]);
    assert_eq!(
        skipped(&listing),
        [
            ("Cargo.lock", SkipReason::LockFile),
            ("api/go.sum", SkipReason::LockFile),
            ("node_modules/", SkipReason::Vendored),
            ("web/vendor/", SkipReason::Vendored),
        ]
    );
}

/// Rows B25 and B26.
#[test]
fn links_and_submodules_are_named_and_never_followed() {
    let origin = Origin::new();
    let elsewhere = Oid::from_str(&"ab".repeat(20)).unwrap();
    let tree = origin.raw_tree(&[
        (FILE, b"a.rs", origin.blob("a")),
        (SYMLINK, b"link", origin.blob("/etc/passwd")),
        (SUBMODULE, b"sub", elsewhere),
    ]);
    let commit = origin.push_tree(tree);
    let listing = origin.mirror().files(&commit).unwrap();
    assert_eq!(paths(&listing), ["a.rs"]);
    assert_eq!(skipped(&listing), [("link", SkipReason::Symlink), ("sub", SkipReason::Submodule)]);
    assert_eq!(listing.skipped[1].0, Item::File { path: "sub".to_owned(), blob: object_id(elsewhere) });
}

/// Row B30.
#[test]
fn a_file_above_the_limit_is_skipped_and_not_read() {
    let origin = Origin::new();
    let fits = "x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap());
    let huge = "\0".repeat(50 << 20);
    let commit = origin.push(&[("fits.txt", &fits), ("more.txt", &format!("{fits}x")), ("huge.bin", &huge)]);
    let mirror = origin.unfetched();
    let listing = mirror.files(&commit).unwrap();
    assert_eq!(paths(&listing), ["fits.txt"]);
    assert_eq!(skipped(&listing), [("huge.bin", SkipReason::TooLarge), ("more.txt", SkipReason::TooLarge)]);
    let blob = object_id(origin.blob(&huge));
    let error = mirror.read_blob(&blob, FILE_BYTES_MAX).unwrap_err();
    assert!(matches!(error, MirrorError::TooLarge { bytes: 52_428_800, .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Reject);
    assert_eq!(mirror.read_blob(&blob, 50 << 20).unwrap().len(), 50 << 20);
}

#[test]
fn only_blobs_of_the_repository_can_be_read() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a\r\n\u{0}\u{ff}")]);
    let mirror = origin.mirror();
    let blob = mirror.files(&commit).unwrap().entries[0].blob.clone();
    assert_eq!(mirror.read_blob(&blob, 6).unwrap(), "a\r\n\u{0}\u{ff}".as_bytes());
    for unknown in [commit, ObjectId::try_from("1".repeat(40)).unwrap()] {
        assert!(matches!(mirror.read_blob(&unknown, 100), Err(MirrorError::UnknownObject(_))));
    }
    let sha256 = ObjectId::try_from("1".repeat(64)).unwrap();
    assert!(matches!(mirror.read_blob(&sha256, 100), Err(MirrorError::Sha256(_))));
    assert!(matches!(mirror.files(&blob), Err(MirrorError::UnknownObject(_))));
}

/// Row B24: names are data.
#[test]
fn hostile_names_are_listed_as_they_are() {
    let origin = Origin::new();
    let content = origin.blob([0xff, 0xfe]);
    let names: [&[u8]; 9] = [
        b"..",
        b".git",
        b"a\nb",
        b"bad\xff\xfe.rs",
        b"CON",
        b"C:\\x",
        "\u{202e}sr.exe".as_bytes(),
        b"x ",
        b"<img onerror>",
    ];
    let entries: Vec<_> = names.iter().map(|name| (FILE, *name, content)).collect();
    let commit = origin.push_tree(origin.raw_tree(&entries));
    let mirror = origin.mirror();
    let listing = mirror.files(&commit).unwrap();
    let mut expected = ["..", ".git", "a%0Ab", "bad%FF%FE.rs", "CON", "C:\\x", "\u{202e}sr.exe", "x ", "<img onerror>"];
    expected.sort_unstable();
    assert_eq!(paths(&listing), expected);
    assert_eq!(mirror.read_blob(&listing.entries[0].blob, 10).unwrap(), [0xff, 0xfe]);
}

/// Row B22: twelve objects that claim to be ten billion files.
#[test]
fn a_git_bomb_stops_at_the_limit_and_soon() {
    let origin = Origin::new();
    let mut tree = origin.raw_tree(&[(FILE, b"f", origin.blob("x"))]);
    for _ in 0..10 {
        let names: Vec<[u8; 1]> = (b'0'..=b'9').map(|name| [name]).collect();
        let entries: Vec<_> = names.iter().map(|name| (DIRECTORY, name.as_slice(), tree)).collect();
        tree = origin.raw_tree(&entries);
    }
    let commit = origin.push_tree(tree);
    let mirror = origin.mirror();
    let started = Instant::now();
    let listing = mirror.files(&commit).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    assert!(listing.entries.len() > ENTRIES_MAX / 3 && listing.entries.len() <= ENTRIES_MAX);
    assert_eq!(listing.skipped.len(), 1, "one note stands for the rest");
    assert_eq!(listing.skipped[0].1, SkipReason::OverLimit);
    assert_eq!(mirror.files(&commit).unwrap(), listing, "where it stops is not the same twice");
}

#[test]
fn of_a_directory_above_the_limit_a_part_is_listed() {
    let origin = Origin::new();
    let blob = origin.blob("x");
    let names: Vec<String> = (0..ENTRIES_MAX + 1).map(|index| format!("{index:07}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (FILE, name.as_bytes(), blob)).collect();
    let commit = origin.push_tree(origin.raw_tree(&entries));
    let listing = origin.unfetched().files(&commit).unwrap();
    assert_eq!(listing.entries.len(), ENTRIES_MAX);
    assert_eq!(skipped(&listing), [("/", SkipReason::OverLimit)]);
}

/// Row B23.
#[test]
fn a_deep_tree_is_entered_up_to_the_limit() {
    let origin = Origin::new();
    let mut tree = origin.raw_tree(&[(FILE, b"bottom", origin.blob("x"))]);
    for _ in 0..1_000 {
        tree = origin.raw_tree(&[(DIRECTORY, b"d", tree), (FILE, b"f", origin.blob("x"))]);
    }
    let commit = origin.push_tree(tree);
    let listing = origin.unfetched().files(&commit).unwrap();
    assert_eq!(listing.entries.len(), TREE_DEPTH_MAX + 1);
    let closed = "d/".repeat(TREE_DEPTH_MAX + 1);
    assert_eq!(skipped(&listing), [(closed.as_str(), SkipReason::OverLimit)]);
}

#[test]
fn a_path_above_the_limit_is_skipped_alone() {
    let origin = Origin::new();
    let long = "n".repeat(PATH_BYTES_MAX + 1);
    let fits = "o".repeat(PATH_BYTES_MAX);
    let commit = origin.push(&[(&long, "x"), (&fits, "x"), ("a.rs", "x")]);
    let listing = origin.mirror().files(&commit).unwrap();
    assert_eq!(paths(&listing), ["a.rs", &fits]);
    assert_eq!(skipped(&listing), [(&long[..PATH_BYTES_MAX], SkipReason::OverLimit)]);
}

#[test]
fn a_forged_tree_costs_only_itself() {
    let origin = Origin::new();
    let good = origin.blob("x");
    let broken = origin.write(git2::ObjectType::Tree, b"no tree at all");
    let tree = origin.raw_tree(&[
        (FILE, b"z.rs", good),
        (FILE, b"a.rs", good),
        (FILE, b"a.rs", good),
        (DIRECTORY, b"broken", broken),
        (DIRECTORY, b"file", good),
        (FILE, b"tree.rs", origin.tree(&[("x", "y")])),
    ]);
    let commit = origin.push_tree(tree);
    let listing = origin.unfetched().files(&commit).unwrap();
    assert_eq!(paths(&listing), ["a.rs", "z.rs"]);
    let failed = SkipReason::AnalyzerFailed;
    assert_eq!(skipped(&listing), [("broken/", failed), ("file/", failed), ("tree.rs", failed)]);
}

#[test]
fn a_push_lists_only_what_it_changed() {
    let origin = Origin::new();
    let files: Vec<(String, &str)> = (0..200).map(|index| (format!("d{}/f{index}.rs", index % 7), "same")).collect();
    let mut files: Vec<(&str, &str)> = files.iter().map(|(path, content)| (path.as_str(), *content)).collect();
    let base = origin.push(&files);
    files[13].1 = "changed";
    let one = origin.push(&files);
    let mirror = origin.mirror();
    let listing = mirror.changed_files(&base, &one).unwrap();
    assert_eq!(paths(&listing), [files[13].0]);
    assert_eq!(mirror.changed_files(&one, &one).unwrap(), Listing::default());
    assert_eq!(mirror.changed_files(&base, &base).unwrap(), Listing::default());
}

#[test]
fn added_and_renamed_files_are_listed_and_removed_ones_are_not() {
    let origin = Origin::new();
    let base = origin.push(&[("a.rs", "a"), ("b.rs", "b"), ("c/d.rs", "d"), ("vendor/v", "1"), ("same/x", "x")]);
    let next = origin.push(&[
        ("a.rs", "a"),
        ("moved.rs", "b"),
        ("c", "now a file"),
        ("vendor/v", "2"),
        ("same/x", "x"),
        ("new/n.rs", "n"),
    ]);
    let listing = origin.mirror().changed_files(&base, &next).unwrap();
    assert_eq!(paths(&listing), ["c", "moved.rs", "new/n.rs"]);
    assert_eq!(skipped(&listing), [("vendor/", SkipReason::Vendored)]);
}

#[test]
fn permissions_alone_change_no_file_and_becoming_a_link_does() {
    let origin = Origin::new();
    let blob = origin.blob("x");
    let base = origin.push_tree(origin.raw_tree(&[(FILE, b"a", blob), (FILE, b"b", blob)]));
    let tree = origin.raw_tree(&[("100755", b"a", blob), (SYMLINK, b"b", blob)]);
    let next = object_id(origin.commit(tree, &[base.as_str().parse().unwrap()], "modes"));
    origin.branch("main", next.as_str().parse().unwrap());
    let listing = origin.mirror().changed_files(&base, &next).unwrap();
    assert_eq!(paths(&listing), [""; 0]);
    assert_eq!(skipped(&listing), [("b", SkipReason::Symlink)]);
}
