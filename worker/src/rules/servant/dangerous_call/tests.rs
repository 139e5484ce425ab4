//! What runs whatever it is given, and what only looks like it.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::High;

#[track_caller]
fn all(path: &str, before: &str, calls: &[&str], after: &str, is_found: bool) {
    let expected: &[_] = if is_found { &[(2, High)] } else { &[] };
    for call in calls {
        check(&RULE, path, &format!("{before}\n{call}\n{after}"), expected);
    }
}

#[test]
fn python() {
    let calls = [
        "eval(text)",
        "exec(text, names)",
        "os.system('convert ' + name)",
        "os.popen(command)",
        "subprocess.run(command, shell=True)",
        "subprocess.check_output(f'ls {name}', shell = True)",
        "pickle.loads(data)",
        "yaml.load(data)",
        "os.system('ls %s' % name)",
    ];
    all("a.py", "import os", &calls, "", true);
    let harmless = [
        "eval('1 + 1')",
        "model.eval(text)",
        "f().eval(text)",
        "os.system('clear')",
        "subprocess.run(command)",
        "subprocess.run('ls', shell=True, cwd=folder)",
        "subprocess.run('git log --format=%ct', shell=True, cwd=folder)",
        "yaml.load(data, Loader=yaml.SafeLoader)",
        "json.loads(data)",
        "# eval(text)",
        "x = 'eval(text)'",
        "literal_eval(text)",
    ];
    all("a.py", "import os", &harmless, "", false);
    all("tests/test_a.py", "import os", &["eval(text)"], "", false);
    all("tools/repl.py", "import os", &["eval(text)"], "", false);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.js", "a.ts", "a.tsx"] {
        let before = "const child_process = require('child_process')";
        let calls =
            ["eval(text)", "child_process.exec(`ls ${name}`)", "child_process.execSync(command)", "new Function(text)"];
        all(path, before, &calls, "", true);
        let harmless = [
            "eval('1')",
            "pattern.exec(text)",
            "child_process.execFile('ls', [name])",
            "child_process.exec('ls', done)",
            "// eval(text)",
        ];
        all(path, before, &harmless, "", false);
        all(path, "", &["exec(text)"], "", false);
    }
    all("a.test.js", "", &["eval(text)"], "", false);
}

#[test]
fn go() {
    let before = "package a; func f() {";
    let calls = ["exec.Command(\"sh\", \"-c\", text)", "exec.CommandContext(ctx, \"bash\", \"-c\", \"ls \"+name)"];
    all("a.go", before, &calls, "}", true);
    let harmless = [
        "exec.Command(\"ls\", name)",
        "exec.Command(\"sh\", \"-c\", \"ls\")",
        "eval(text)",
        "// exec.Command(\"sh\", \"-c\", text)",
    ];
    all("a.go", before, &harmless, "}", false);
    all("a_test.go", before, &calls, "}", false);
}

#[test]
fn rust() {
    let before = "fn f() {";
    let calls = [
        "Command::new(\"sh\").arg(\"-c\").arg(text);",
        "Command::new(\"bash\").arg(\"-c\").arg(format!(\"ls {name}\"));",
    ];
    all("a.rs", before, &calls, "}", true);
    let harmless = [
        "Command::new(\"ls\").arg(name);",
        "Command::new(\"sh\").arg(\"-c\").arg(\"ls\");",
        "Command::new(\"rustc\").arg(\"-c\").arg(name);",
        "eval(text);",
        "// Command::new(\"sh\").arg(\"-c\").arg(text);",
    ];
    all("a.rs", before, &harmless, "}", false);
    all("tests/a.rs", before, &calls, "}", false);
}
