//! Which commits are new, and what is known of each.

use git2::{ObjectType, Oid};
use schemas::bundle::{CommitFacts, FileChange, Manifest};
use schemas::ids::ObjectId;

use super::{FILE, Origin, SUBMODULE};
use crate::mirror::{COMMIT_CHANGES_MAX, COMMITS_PER_PUSH_MAX, MirrorError, object_id};
use crate::plan;

fn oid(id: &ObjectId) -> Oid {
    id.as_str().parse().unwrap()
}

/// `path +added -removed`, and whether it was renamed.
fn told(facts: &CommitFacts) -> Vec<String> {
    let tell = |change: &FileChange| {
        let moved = if change.renamed { " moved" } else { "" };
        format!("{} +{} -{}{moved}", change.path, change.added, change.removed)
    };
    facts.changes.iter().map(tell).collect()
}

#[test]
fn new_commits_come_newest_first_up_to_a_limit() {
    let origin = Origin::new();
    let commits: Vec<ObjectId> = (0..6).map(|index| origin.push(&[("a.rs", &index.to_string())])).collect();
    let mirror = origin.mirror();
    let new = |base: Option<usize>, max| mirror.new_commits(base.map(|base| &commits[base]), &commits[5], max).unwrap();
    let expected = |range: std::ops::Range<usize>| range.rev().map(|index| commits[index].clone()).collect::<Vec<_>>();
    assert_eq!(new(Some(2), COMMITS_PER_PUSH_MAX), expected(3..6));
    assert_eq!(new(None, COMMITS_PER_PUSH_MAX), expected(0..6));
    assert_eq!(new(None, 2), expected(4..6));
    assert_eq!(new(Some(5), COMMITS_PER_PUSH_MAX), []);
    let unknown = ObjectId::try_from("1".repeat(40)).unwrap();
    let error = mirror.new_commits(Some(&unknown), &commits[5], 5).unwrap_err();
    assert!(matches!(error, MirrorError::UnknownObject(id) if id == unknown));
}

#[test]
fn commits_that_came_by_a_merge_are_new_and_the_merge_itself_changes_nothing() {
    let origin = Origin::new();
    let base = origin.push(&[("a.rs", "a")]);
    let side = origin.commit(origin.tree(&[("a.rs", "a"), ("side.rs", "s")]), &[oid(&base)], "side");
    let main = origin.push(&[("a.rs", "b")]);
    let tree = origin.tree(&[("a.rs", "b"), ("side.rs", "s")]);
    let merge = origin.commit(tree, &[oid(&main), side], "Merge side");
    origin.branch("main", merge);
    let mirror = origin.mirror();
    let new = mirror.new_commits(Some(&base), &object_id(merge), 10).unwrap();
    assert_eq!(new, [object_id(merge), main, object_id(side)]);
    let facts = mirror.commit_facts(&object_id(merge)).unwrap();
    assert_eq!((facts.parents, facts.changes), (2, Vec::new()));
}

#[test]
fn changes_are_counted_in_lines_by_path() {
    let origin = Origin::new();
    origin.push(&[
        ("a.rs", "1\n2\n3\n"),
        ("b.rs", "x\ny"),
        ("moved.rs", "same\nbytes\n"),
        ("c/bin", "\0\n\n"),
        ("empty", ""),
    ]);
    let files = [
        ("a.rs", "1\ntwo\n3\n4\n"),
        ("c/bin", "\0\n\n\n"),
        ("n/new.rs", "1\n2\n3"),
        ("z/moved.rs", "same\nbytes\n"),
        ("void", ""),
    ];
    let commit = origin.push(&files);
    let facts = origin.mirror().commit_facts(&commit).unwrap();
    let expected = [
        "a.rs +2 -1",
        "b.rs +0 -2",
        "c/bin +0 -0",
        "empty +0 -0",
        "n/new.rs +3 -0",
        "void +0 -0",
        "z/moved.rs +0 -0 moved",
    ];
    assert_eq!(told(&facts), expected);
    assert_eq!((facts.parents, facts.subject.as_str(), facts.by_bot), (1, "a change", false));
}

#[test]
fn each_of_several_equal_files_moves_once() {
    let origin = Origin::new();
    origin.push(&[("a", "same"), ("b", "same"), ("stays", "same")]);
    let commit = origin.push(&[("c", "same"), ("d", "same"), ("e", "same"), ("stays", "same")]);
    let facts = origin.mirror().commit_facts(&commit).unwrap();
    assert_eq!(told(&facts), ["c +0 -0 moved", "d +0 -0 moved", "e +1 -0"]);
}

#[test]
fn an_import_has_no_changes_and_a_commit_of_nothing_has_none_either() {
    let origin = Origin::new();
    let root = origin.push(&[("a.rs", "a")]);
    let empty = origin.push(&[("a.rs", "a")]);
    let mirror = origin.mirror();
    let facts = mirror.commit_facts(&root).unwrap();
    assert_eq!((facts.parents, facts.changes), (0, Vec::new()));
    assert_eq!(mirror.commit_facts(&empty).unwrap().changes, []);
}

#[test]
fn permissions_and_submodules_count_as_changes_without_lines() {
    let origin = Origin::new();
    let blob = origin.blob("x\n");
    let sub = |digit: &str| Oid::from_str(&digit.repeat(40)).unwrap();
    let base = origin.push_tree(origin.raw_tree(&[(FILE, b"a.sh", blob), (SUBMODULE, b"sub", sub("1"))]));
    let tree = origin.raw_tree(&[("100755", b"a.sh", blob), (SUBMODULE, b"sub", sub("2"))]);
    let next = origin.commit(tree, &[oid(&base)], "modes");
    origin.branch("main", next);
    assert_eq!(told(&origin.mirror().commit_facts(&object_id(next)).unwrap()), ["a.sh +0 -0", "sub +0 -0"]);
}

#[test]
fn of_a_very_large_change_the_first_files_are_kept() {
    let origin = Origin::new();
    origin.push(&[("a", "a")]);
    let names: Vec<String> = (0..COMMIT_CHANGES_MAX + 5).map(|index| format!("f{index:05}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "line\n")).collect();
    let commit = origin.push(&files);
    let facts = origin.mirror().commit_facts(&commit).unwrap();
    assert_eq!(facts.changes.len(), COMMIT_CHANGES_MAX);
    assert_eq!(facts.changes[0].path, "a");
    assert_eq!(facts.changes[COMMIT_CHANGES_MAX - 1].added, 1);
}

#[test]
fn lines_of_files_too_large_to_audit_are_not_counted() {
    let origin = Origin::new();
    let huge = "line\n".repeat(300_000);
    origin.push(&[("a", "a")]);
    let commit = origin.push(&[("a", &huge), ("b", "b\n")]);
    assert_eq!(told(&origin.mirror().commit_facts(&commit).unwrap()), ["a +0 -0", "b +1 -0"]);
}

#[test]
fn a_commit_knows_whether_it_is_on_the_default_branch() {
    let origin = Origin::new();
    let old = origin.push(&[("a.rs", "a")]);
    let side = origin.commit(origin.tree(&[("side.rs", "s")]), &[oid(&old)], "side");
    origin.branch("side", side);
    let tip = origin.push(&[("a.rs", "b")]);
    let mirror = origin.mirror();
    for (commit, expected) in [(&tip, true), (&old, true), (&object_id(side), false)] {
        assert_eq!(mirror.on_default_branch(commit), expected);
        assert_eq!(mirror.commit_facts(commit).unwrap().on_default_branch, expected);
    }
    let fresh = origin.mirror();
    assert!(!fresh.on_default_branch(&object_id(side)) && fresh.on_default_branch(&old));
}

/// Row B37: git cannot walk past a commit like this; everything newer is still audited.
#[test]
fn a_commit_with_an_impossible_date_ends_the_history_and_nothing_else() {
    let origin = Origin::new();
    let tree = origin.tree(&[("a.rs", "a")]);
    let text = format!("tree {tree}\nauthor A <a@x> 99999999999999999999 +0000\ncommitter none\n\nodd");
    let odd = origin.write(ObjectType::Commit, text.as_bytes());
    let newer = origin.commit(tree, &[odd], "fine");
    let newest = origin.commit(tree, &[newer], "fine too");
    origin.branch("main", newest);
    let mirror = origin.unfetched();
    let commits = mirror.new_commits(None, &object_id(newest), 10).unwrap();
    assert_eq!(commits.first(), Some(&object_id(newest)));
    assert!(!commits.contains(&object_id(odd)));
    assert_eq!(mirror.commit_facts(&object_id(odd)).unwrap().subject, "odd");
    assert_eq!(mirror.files(&object_id(odd)).unwrap().entries.len(), 1);
}

#[test]
fn what_commits_say_stays_out_of_the_record_and_is_read_again() {
    let origin = Origin::new();
    let first = origin.push(&[("a.rs", "a")]);
    let second = origin.push(&[("a.rs", "b")]);
    let mirror = origin.mirror();
    let commits: Vec<_> = [&first, &second].map(|commit| mirror.commit_facts(commit).unwrap()).into();
    // What was true when it was planned stays, or the bundle would be another.
    let elsewhere = CommitFacts { on_default_branch: false, ..commits[1].clone() };
    let packed = Manifest { commits: vec![commits[0].clone(), elsewhere], ..Manifest::default() };
    let recorded = plan::without_messages(&packed);
    assert!(recorded.commits.iter().all(|facts| facts.subject.is_empty() && facts.changes.is_empty()));
    assert!(!packed.commits[1].changes.is_empty() && !packed.commits[1].subject.is_empty());
    assert_eq!(plan::with_messages(&mirror, recorded).unwrap(), packed);
}
