//! What a fetch brings, what it leaves out, and how it recovers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use schemas::ids::{ObjectId, Revision};
use uuid::Uuid;

use super::{LOCAL, Origin};
use crate::mirror::{Credentials, Limits, MirrorError, Mirrors, Verdict, object_id};
use crate::repository_url::{Access, RepositoryUrl};

fn revision(text: &str) -> Revision {
    text.parse().unwrap()
}

fn mirror_directory(origin: &Origin) -> PathBuf {
    origin.directory.path().join("mirrors").join(format!("{}.git", Uuid::nil().simple()))
}

#[test]
fn a_fetch_brings_branches_tags_and_the_default_branch() {
    let origin = Origin::new();
    let first = origin.push(&[("a.rs", "a")]);
    origin.repository.reference("refs/tags/v1", first.as_str().parse().unwrap(), true, "").unwrap();
    origin.repository.reference("refs/pull/1/head", first.as_str().parse().unwrap(), true, "").unwrap();
    let second = origin.push(&[("a.rs", "b")]);
    origin.branch("feature/x", first.as_str().parse().unwrap());
    let mirror = origin.mirror();
    assert_eq!(mirror.default_branch().as_deref(), Some("main"));
    for (name, commit) in [
        ("HEAD", &second),
        ("main", &second),
        ("refs/heads/main", &second),
        ("feature/x", &first),
        ("v1", &first),
        ("refs/tags/v1", &first),
        (first.as_str(), &first),
    ] {
        assert_eq!(&mirror.resolve(Some(&revision(name))).unwrap(), commit, "{name}");
    }
    assert_eq!(mirror.resolve(None).unwrap(), second);
    for unknown in
        ["nope", "refs/pull/1/head", "heads/main", &"0".repeat(40), &"0".repeat(64), &first.as_str()[..10], "a.lock"]
    {
        let error = mirror.resolve(Some(&revision(unknown))).unwrap_err();
        assert_eq!(error.to_string(), format!("revision `{unknown}` is not in the repository"));
        assert_eq!(error.verdict(), Verdict::Reject);
    }
}

#[test]
fn annotated_tags_lead_to_their_commit_and_tags_of_files_to_none() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    let who = git2::Signature::now("Ada", "ada@example.com").unwrap();
    let object = origin.repository.find_object(commit.as_str().parse().unwrap(), None).unwrap();
    origin.repository.tag("v2", &object, &who, "two", false).unwrap();
    let blob = origin.repository.find_object(origin.blob("x"), None).unwrap();
    origin.repository.tag("file", &blob, &who, "a file", false).unwrap();
    let mirror = origin.mirror();
    assert_eq!(mirror.resolve(Some(&revision("v2"))).unwrap(), commit);
    assert!(matches!(mirror.resolve(Some(&revision("file"))), Err(MirrorError::UnknownRevision(_))));
}

#[test]
fn a_second_fetch_brings_only_what_is_new_and_prunes_what_is_gone() {
    let origin = Origin::new();
    let first = origin.push(&[("a.rs", "a")]);
    origin.branch("old", first.as_str().parse().unwrap());
    let before = origin.mirror();
    let inode = |path: PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let directory = inode(mirror_directory(&origin));
    let second = origin.push(&[("a.rs", "b")]);
    origin.repository.find_reference("refs/heads/old").unwrap().delete().unwrap();
    assert!(!before.contains(&second));
    let mirror = origin.mirror();
    assert!(mirror.contains(&second));
    assert!(mirror.resolve(Some(&revision("old"))).is_err(), "a deleted branch is still there");
    assert_eq!(inode(mirror_directory(&origin)), directory, "the mirror was cloned again");
}

#[test]
fn a_branch_that_became_a_directory_of_branches_is_fetched() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    origin.branch("x", commit.as_str().parse().unwrap());
    origin.mirror();
    origin.repository.find_reference("refs/heads/x").unwrap().delete().unwrap();
    origin.branch("x/y", commit.as_str().parse().unwrap());
    assert_eq!(origin.mirror().resolve(Some(&revision("x/y"))).unwrap(), commit);
}

#[test]
fn a_wanted_commit_that_is_there_needs_no_server() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    origin.mirror();
    let (mirrors, url) = (origin.mirrors(), origin.url());
    fs::remove_dir_all(origin.repository.path()).unwrap();
    assert!(mirrors.fetch(Uuid::nil(), &url, Some(&commit)).unwrap().contains(&commit));
    let other = ObjectId::try_from("1".repeat(40)).unwrap();
    for wanted in [None, Some(&other)] {
        let error = mirrors.fetch(Uuid::nil(), &url, wanted).unwrap_err();
        assert!(matches!(error, MirrorError::NotFound { .. }), "{error:?}");
    }
}

#[test]
fn a_commit_that_no_branch_leads_to_is_looked_for_on_the_server() {
    let origin = Origin::new();
    let first = origin.push(&[("a.rs", "a")]);
    origin.mirror();
    let rewritten = origin.commit(origin.tree(&[("a.rs", "c")]), &[], "rewritten");
    origin.branch("main", rewritten);
    origin.mirror();
    let newest = origin.push(&[("a.rs", "d")]);
    let mirror = origin.mirrors().fetch(Uuid::nil(), &origin.url(), Some(&first)).unwrap();
    assert!(mirror.contains(&newest), "the server was not asked");
}

#[test]
fn an_empty_repository_is_fetched_and_says_so() {
    let origin = Origin::new();
    let mirror = origin.mirror();
    assert!(mirror.is_empty());
    let error = mirror.resolve(None).unwrap_err();
    assert_eq!(error.to_string(), "the repository has no commits yet; push one");
    let commit = origin.push(&[("a.rs", "a")]);
    let mirror = origin.mirror();
    assert!(!mirror.is_empty());
    assert_eq!(mirror.resolve(None).unwrap(), commit);
}

#[test]
fn a_default_branch_that_goes_is_forgotten() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    assert_eq!(origin.mirror().default_branch().as_deref(), Some("main"));
    origin.branch("other", commit.as_str().parse().unwrap());
    origin.repository.find_reference("refs/heads/main").unwrap().delete().unwrap();
    let mirror = origin.mirror();
    assert_eq!(mirror.default_branch(), None);
    assert!(matches!(mirror.resolve(None), Err(MirrorError::NoDefaultBranch)));
    origin.repository.set_head("refs/heads/other").unwrap();
    assert_eq!(origin.mirror().default_branch().as_deref(), Some("other"));
}

#[test]
fn a_missing_repository_is_rejected_by_name() {
    let origin = Origin::new();
    let url = RepositoryUrl::from_directory(&origin.directory.path().join("nope"), LOCAL).unwrap();
    let error = origin.mirrors().fetch(Uuid::nil(), &url, None).unwrap_err();
    assert!(matches!(error, MirrorError::NotFound { .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Reject);
    assert!(error.to_string().contains(url.as_str()), "{error}");
    assert!(!mirror_directory(&origin).exists());
}

/// However a mirror is damaged, one fetch mends it.
#[test]
fn a_damaged_mirror_is_cloned_again() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a"), ("b/c.rs", "b")]);
    let path = mirror_directory(&origin);
    type Damage = fn(&PathBuf);
    let damages: [(&str, Damage); 6] = [
        ("gone", |path| fs::remove_dir_all(path).unwrap()),
        ("without HEAD", |path| fs::remove_file(path.join("HEAD")).unwrap()),
        ("without objects", |path| fs::remove_dir_all(path.join("objects")).unwrap()),
        ("empty", |path| fs::remove_dir_all(path).and_then(|()| fs::create_dir(path)).unwrap()),
        ("bad configuration", |path| fs::write(path.join("config"), "[[[").unwrap()),
        ("objects cut short", |path| {
            for file in objects(path) {
                fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
                fs::File::options().write(true).open(&file).unwrap().set_len(20).unwrap();
            }
        }),
    ];
    for (name, damage) in damages {
        assert!(origin.mirror().contains(&commit));
        damage(&path);
        let mirror = origin.mirrors().fetch(Uuid::nil(), &origin.url(), Some(&commit)).unwrap();
        assert_eq!(mirror.files(&commit).unwrap().entries.len(), 2, "{name}");
    }
}

fn objects(path: &PathBuf) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(objects(&path)) } else { files.push(path) }
    }
    files.retain(|file| file.components().any(|part| part.as_os_str() == "objects"));
    files
}

#[test]
fn an_object_found_missing_later_is_mended_by_the_next_fetch() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "some content")]);
    let blob = origin.mirror().files(&commit).unwrap().entries[0].blob.clone();
    lose(&mirror_directory(&origin), blob.as_str().parse().unwrap());
    let mirror = origin.mirrors().fetch(Uuid::nil(), &origin.url(), Some(&commit)).unwrap();
    let error = mirror.files(&commit).unwrap_err();
    assert!(matches!(error, MirrorError::Broken { .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Retry);
    let mirror = origin.mirrors().fetch(Uuid::nil(), &origin.url(), Some(&commit)).unwrap();
    assert_eq!(mirror.read_blob(&blob, 100).unwrap(), b"some content");
}

/// Takes one object out of a mirror and leaves the others.
fn lose(path: &PathBuf, lost: git2::Oid) {
    let mut kept = Vec::new();
    let odb = git2::Odb::new().unwrap();
    odb.add_disk_alternate(path.join("objects").to_str().unwrap()).unwrap();
    odb.foreach(|oid| {
        let object = odb.read(*oid).unwrap();
        kept.push((*oid, object.kind(), object.data().to_vec()));
        true
    })
    .unwrap();
    for file in objects(path) {
        fs::remove_file(file).unwrap();
    }
    let odb = git2::Repository::open_bare(path).unwrap();
    for (oid, kind, bytes) in kept.into_iter().filter(|(oid, ..)| *oid != lost) {
        assert_eq!(odb.odb().unwrap().write(kind, &bytes).unwrap(), oid);
    }
}

#[test]
fn another_address_never_inherits_commits() {
    let (origin, other) = (Origin::new(), Origin::new());
    let commit = origin.push(&[("secret.rs", "a")]);
    origin.mirror();
    other.push(&[("b.rs", "b")]);
    let mirror = origin.mirrors().fetch(Uuid::nil(), &other.url(), Some(&commit)).unwrap();
    assert!(!mirror.contains(&commit));
}

#[test]
fn half_a_clone_is_never_seen() {
    let origin = Origin::new();
    origin.push(&[("a.rs", "a"), ("b.rs", "b")]);
    let mirrors = origin.mirrors().with_limits(Limits { objects_max: 3, ..Limits::default() });
    let error = mirrors.fetch(Uuid::nil(), &origin.url(), None).unwrap_err();
    assert!(matches!(error, MirrorError::OverLimit { what: "objects", limit: 3, .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Reject);
    assert!(!mirror_directory(&origin).exists());
    assert!(!origin.mirror().is_empty(), "what the failed one left stands in the way");
}

#[test]
fn bytes_refs_and_time_are_limited() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    origin.branch("b", commit.as_str().parse().unwrap());
    let fetch = |limits| origin.mirrors().with_limits(limits).fetch(Uuid::nil(), &origin.url(), None).unwrap_err();
    let error = fetch(Limits { pack_bytes_max: 10, ..Limits::default() });
    assert!(matches!(error, MirrorError::OverLimit { what: "bytes", limit: 10, .. }), "{error:?}");
    let error = fetch(Limits { refs_max: 1, ..Limits::default() });
    assert!(matches!(error, MirrorError::OverLimit { what: "branches and tags", .. }), "{error:?}");
    let error = fetch(Limits { time_max: std::time::Duration::ZERO, ..Limits::default() });
    assert!(matches!(error, MirrorError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Retry);
}

#[test]
fn fetches_of_one_project_wait_for_each_other() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "a")]);
    let (mirrors, url) = (origin.mirrors(), origin.url());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(mirrors.fetch(Uuid::nil(), &url, None).unwrap().contains(&commit)));
        }
    });
}

#[test]
fn a_held_lock_ends_in_a_time_limit() {
    let origin = Origin::new();
    origin.push(&[("a.rs", "a")]);
    let mirrors = origin.mirrors();
    let lock = fs::File::create(mirrors.path_of(Uuid::nil(), "lock")).unwrap();
    lock.lock().unwrap();
    let brief = std::time::Duration::from_millis(20);
    let limits = Limits { time_max: brief, stall_max: brief, ..Limits::default() };
    let error = mirrors.with_limits(limits).fetch(Uuid::nil(), &origin.url(), None).unwrap_err();
    assert!(matches!(error, MirrorError::TimedOut { .. }), "{error:?}");
}

#[test]
fn a_directory_is_fetched_only_if_the_operator_allows_it() {
    let origin = Origin::new();
    origin.push(&[("a.rs", "a")]);
    let root = origin.directory.path().join("strict");
    let mirrors = Mirrors::open(&root, Access { allow_local: false }, Credentials::default()).unwrap();
    let error = mirrors.fetch(Uuid::nil(), &origin.url(), None).unwrap_err();
    assert!(matches!(error, MirrorError::Url(_)), "{error:?}");
}

#[test]
fn mirrors_are_for_this_user_alone() {
    let origin = Origin::new();
    origin.push(&[("a.rs", "a")]);
    origin.mirror();
    for path in [origin.directory.path().join("mirrors"), mirror_directory(&origin)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn hooks_and_alternates_of_the_remote_stay_there() {
    let origin = Origin::new();
    let commit =
        origin.push(&[("a.rs", "a"), (".gitmodules", "[submodule \"x\"]\npath = x\nurl = ext::sh -c touch% pwned")]);
    fs::create_dir_all(origin.repository.path().join("hooks")).unwrap();
    fs::write(origin.repository.path().join("hooks/post-update"), "#!/bin/sh\nexit 1").unwrap();
    let mirror = origin.mirror();
    assert!(mirror.contains(&commit));
    let path = mirror_directory(&origin);
    assert!(!path.join("hooks/post-update").exists() && !path.join("objects/info/alternates").exists());
    assert!(!path.join("modules").exists());
    assert_eq!(object_id(mirror.repository.refname_to_id("refs/heads/main").unwrap()), commit);
}
