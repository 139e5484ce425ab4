//! Scripts that go on after a failure, and those that do not.

use super::super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::Low;

#[track_caller]
fn run(text: &str, is_found: bool) {
    check(&RULE, "a.sh", text, if is_found { &[(1, Low)] } else { &[] });
}

#[test]
fn scripts_that_go_on() {
    run("#!/bin/sh\ncd a\nmake\n", true);
    run("#!/usr/bin/env bash\nset -u\nmake\nb\n", true);
    run("#!/bin/sh\nb\nexec c\n", true);
    run("#!/bin/sh\nsetup() {\n  cd a\n  make\n}\nsetup\nb\n", true);
    run("#!/bin/sh\nif a; then\n  make\n  b\nfi\n", true);
    run("#!/bin/sh\nif [ a ]; then\n  make\nelse\n  b\nfi\n", false);
    run("#!/bin/sh\nif [ a ]; then\n  make\nelse\n  b\nfi\nc\n", true);
    run("#!/bin/sh\ngit bisect start\ngit bisect run a\ngit bisect reset\n", false);
    run("#!/bin/sh\ngit fetch\ngit reset\n", true);
    run("#!/usr/bin/env bash\nset -u\nmake\n", false);
    for first in ["#!/bin/sh -e\na\nb", "#!/bin/bash\nset -euo pipefail\na | b", "#!/bin/sh\nset -o errexit\na"] {
        run(first, false);
    }
    run("#!/bin/sh\nexec a\n", false);
    run("#!/bin/sh\nA=$(b)\nexport A=1\nA+=(c d)\nexec c \"$@\"\n", false);
    run("#!/bin/sh\n[ -z \"$A\" ] && export A=b\ntype \"$A\" || not_found\nc\n", false);
    run("cd a\nmake | b\n", false);
}

#[test]
fn failures_that_are_taken_care_of() {
    run("#!/bin/sh\nfail()\n{\n  echo a >&2\n  exit 2\n}\nb || fail\n", false);
    run("#!/bin/bash\ntrap 'echo failed' ERR\na | b\n", false);
    run("#!/bin/sh\ncd a || exit 1\nmake || exit 2\n", false);
    run("#!/bin/sh\nmake || failed=1\nb\nc\n", false);
    run("#!/bin/sh\nmake\nif [ $? -ne 0 ]; then exit 1; fi\nb\n", false);
    run("#!/bin/sh\nset +e\nmake\nb\n", false);
    run("#!/bin/sh\nif make && a; then\n  b\nfi\n", false);
    run("#!/bin/sh\nusage() { cat <<X\na\nX\n}\nif [ $# -eq 0 ]; then usage; exit 1; fi\nb\n", false);
    run("#!/bin/sh\na &\nb\n", false);
    run("#!/bin/sh\na\nb\nexit $failed\n", false);
    run("#!/bin/sh\na\nb\nexit 1\n", true);
    run("#!/bin/sh\nif ! a; then exit 1; fi\nb\nc\n", false);
    run("#!/bin/sh\nif ! [ a ]; then exit 1; fi\nb\nc\n", true);
    run("#!/bin/sh\ncommand -v a\nrm -f b\nsource c\nexec d\n", false);
}

#[test]
fn what_only_shows_or_hardly_fails_does_no_harm() {
    let of = |command: &str| format!("#!/bin/sh\n{command}\nb\n");
    for command in [
        "cd ..",
        "cd \"$(dirname \"$0\")\"",
        "grep -c a b",
        "git status",
        "docker stop a",
        "mkdir -p a",
        "a --version",
        "a 2>/dev/null",
        "a > /dev/null 2>&1",
    ] {
        run(&of(command), false);
    }
    for command in ["cd a", "git fetch", "docker run a", "mkdir a", "a --versions", "a >/dev/null", "diff a b"] {
        run(&of(command), true);
    }
    check(&RULE, "tests/a.sh", &of("grep -c a b"), &[(1, Low)]);
    check(&RULE, "clean-all.sh", &of("a"), &[]);
    check(&RULE, "cleaner.sh", &of("a"), &[(1, Low)]);
    check(&RULE, "a-preview.sh", &of("a"), &[]);
    check(&RULE, "a-previewer.sh", &of("a"), &[(1, Low)]);
    for (command, is_found) in [("echo", false), ("make", true)] {
        run(&format!("#!/bin/bash\nfor ((a=0;a<9;a++)); do\n  {command} $a\n  echo b\ndone\n"), is_found);
    }
}

#[test]
fn what_is_sourced_may_say_how_failures_are_handled() {
    run("#!/bin/bash\nsource ../setup.sh\na\nb\n", false);
    run("#!/bin/bash\n. \"$(dirname \"$0\")/lib.sh\"\na | b\nc\n", false);
    run("#!/bin/bash\nset -e\nsource ../setup.sh\na | b\nc\n", true);
    for operand in ["/etc/os-release", ".env", "venv/bin/activate", "~/.bashrc"] {
        run(&format!("#!/bin/bash\nsource {operand}\na\nb\n"), true);
    }
}

#[test]
fn scripts_that_others_run_as_they_like() {
    run("#!/usr/bin/env bash\nsource b\na() {\n  cd b\n  make\n}\nfunction c {\n  cd b\n  make\n}\nD=(e f)\n", false);
    run("#!/bin/bash\na() {\n  cd b\n  make\n}\ncomplete -F a b\n", false);
    run("#!/bin/sh\n### BEGIN INIT INFO\na\nb\n", false);
    run("#!/bin/sh\nwhile true; do\n  a\n  b\ndone\n", false);
    check(&RULE, "gradlew", "#!/bin/sh\na\nb\n", &[]);
    check(&RULE, "etc/init.d/a", "#!/bin/sh\na\nb\n", &[]);
    check(&RULE, "lib/modules.d/90a/b.sh", "#!/bin/sh\na\nb\n", &[]);
    check(&RULE, "lib/modules/90a/b.sh", "#!/bin/sh\na\nb\n", &[(1, Low)]);
    let nested = "#!/bin/bash\na() {\n  b() {\n    c\n  }\n  cd d\n  make\n}\n";
    run(nested, false);
    run(&format!("{nested}cd d\nmake\n"), true);
}

#[test]
fn failures_inside_of_pipes() {
    run("#!/bin/bash\nset -e\na | b\nc\n", true);
    run("#!/bin/bash\nset -e\ncat a | b\ntest c\n", true);
    run("#!/bin/bash\nset -e\na | b || c\nd\n", false);
    run("#!/bin/bash\nset -e\necho a | sed b | c\nd\n", false);
    run("#!/bin/bash\nset -e\nsed a b | c\nd\n", true);
    run("#!/bin/bash\nset -e\nfind a | b\nd\n", false);
    run("#!/bin/bash\nset -e\na 2>/dev/null | b\nd\n", false);
    run("#!/bin/bash\nset -e\na | b\n", false);
    run("#!/bin/bash\nset -e\nwhile [ $1 ]; do\n  a | b\n  echo\n  shift\ndone\n", false);
    run("#!/bin/bash\nset -e\nif [ $1 ]; then\n  a | b\nelse\n  c\nfi\n", false);
    run("#!/bin/bash\nset -e\nif [ $1 ]; then\n  a | b\nelse\n  c\nfi\nd\n", true);
    run("#!/bin/bash\nset -e\nwhile true; do find . | entr a; done\nb\n", false);
    run("#!/bin/sh\nset -e\na | b\n", false);
    run("#!/usr/bin/env -S bash -eo pipefail\na | b\n", false);
    run("#!/bin/bash\nset -e\necho a | b\n", false);
    run("#!/bin/bash\nset -e\ncat <<X | b\nc\nX\n", false);
    run("#!/bin/bash\nset -e\nif a | b; then c; fi\na | grep -q b\n", false);
}
