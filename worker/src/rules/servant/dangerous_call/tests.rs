//! What runs whatever it is given, and what only looks like it.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Medium};

/// Signs of calls that run code or build objects, and so are medium.
const CODE_AND_DATA: &[&str] = &[
    "Deserialize",
    "Function(",
    "Marshal",
    "YAML",
    "eval",
    "pickle",
    "readObject",
    "unarchive",
    "unserialize",
    "yaml",
];

#[track_caller]
fn all(path: &str, before: &str, calls: &[&str], after: &str, is_found: bool) {
    for call in calls {
        let is_code = CODE_AND_DATA.iter().any(|sign| call.contains(sign)) || call.starts_with("def ");
        let severity = if is_code { Medium } else { High };
        let expected: &[_] = if is_found { &[(2, severity)] } else { &[] };
        check(&RULE, path, &format!("{before}\n{call}\n{after}"), expected);
    }
}

#[test]
fn python() {
    let calls = [
        "eval(text)",
        "def f(text): exec(text, names)",
        "def f(): exec('a = %s' % text, names)",
        "def f(): exec(text)",
        "def f(*texts): eval(texts[0])",
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
        "exec('from a import *', names)",
        "exec('del ' + name)",
        "def f(): exec(source, names)",
        "def f(): exec(self._template, names)",
        "def f(a): pickle.dumps(pickle.loads(a) + 1)",
        "eval(input())",
        "def f(): eval(TABLE[0])(1)",
        "def f(a):\n    if a in ('True', 'False'):\n        eval(a)",
        "def f(self):\n    kept = self.cache[0]\n    pickle.loads(kept)",
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
    let beside =
        "def f():\n    with open(os.path.join(os.path.dirname(__file__), 'a')) as b:\n        return pickle.load(b)\n";
    check(&RULE, "a.py", beside, &[]);
    check(&RULE, "a.py", &beside.replace("__file__", "HOME"), &[(3, Medium)]);
    check(&RULE, "scripts/a.py", "os.system(text)\n", &[(1, Medium)]);
    check(&RULE, "vendor/a.py", "os.system(text)\n", &[]);
    check(&RULE, "a.js", "/*! A v1 */\neval(text)\n", &[]);
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

#[test]
fn java_and_kotlin() {
    let calls = [
        "Runtime.getRuntime().exec(text);",
        "Runtime.getRuntime().exec(\"ls \" + name);",
        "new ProcessBuilder(\"sh\", \"-c\", text);",
        "Object a = new ObjectInputStream(in).readObject();",
    ];
    all("A.java", "class A { void f() {", &calls, "} }", true);
    let harmless = [
        "Runtime.getRuntime().exec(\"ls\");",
        "Runtime.getRuntime().exec(new String[] {\"ls\", name});",
        "new ProcessBuilder(\"ls\", \"-c\", name);",
        "new ProcessBuilder(\"sh\", \"-c\", \"ls\");",
        "pattern.exec(text);",
        "Object a = json.readObject();",
        "in.setObjectInputFilter(ObjectInputFilter.allow()); new ObjectInputStream(in).readObject();",
        "// Runtime.getRuntime().exec(text);",
        "String a = \"Runtime.getRuntime().exec(text)\";",
    ];
    all("A.java", "class A { void f() {", &harmless, "} }", false);
    let own = "private void readObject(ObjectInputStream in) { in.readObject(); }";
    all("A.java", "class A {", &[own], "}", false);
    all("ATest.java", "class A { void f() {", &calls, "} }", false);
    all(
        "a.kt",
        "fun f() {",
        &["Runtime.getRuntime().exec(\"ls $name\")", "Runtime.getRuntime().exec(text)"],
        "}",
        true,
    );
    let harmless = ["Runtime.getRuntime().exec(\"ls\")", "Runtime.getRuntime().exec(arrayOf(a))", "db.exec(text)"];
    all("a.kt", "fun f() {", &harmless, "}", false);
}

#[test]
fn c_and_cpp() {
    for path in ["a.c", "a.cc"] {
        let run = |line: &str, expected: &[_]| check(&RULE, path, &format!("void f(void) {{\n{line}\n}}\n"), expected);
        for line in ["system(text);", "FILE *a = popen(text, \"r\");", "gets(row);"] {
            run(line, &[(2, High)]);
        }
        for line in ["strcpy(a, b);", "strcat(a, b->c);", "sprintf(a, \"%s\", b);", "sprintf(a, format, b);"] {
            run(line, &[(2, Medium)]);
        }
        for line in [
            "system(\"ls\");",
            "strcpy(a, \"b\");",
            "sprintf(a, \"%d\", b);",
            "strncpy(a, b, sizeof a);",
            "snprintf(a, n, \"%s\", b);",
            "fgets(row, sizeof row, file);",
            "a->system(text);",
            "puts(\"strcpy(a, b)\"); // gets(row)",
        ] {
            run(line, &[]);
        }
    }
    check(&RULE, "a.c", "static void system(char *a) { run(a); }\nvoid f(void) { system(text); }\n", &[]);
    check(&RULE, "a_test.cc", "TEST(A, b) {\nstrcpy(a, b);\n}\n", &[]);
}

#[test]
fn c_sharp() {
    let before = "class A { void F() {";
    let calls = [
        "new BinaryFormatter().Deserialize(stream);",
        "Process.Start(\"cmd.exe\", \"/c \" + text);",
        "Process.Start(\"/bin/sh\", \"-c \" + text);",
    ];
    all("A.cs", before, &calls, "} }", true);
    let harmless = [
        "JsonSerializer.Deserialize(text); var a = typeof(BinaryFormatter);",
        "serializer.Deserialize(stream);",
        "Process.Start(\"git\", \"log \" + text);",
        "Process.Start(\"cmd.exe\", \"/c dir\");",
        "// new BinaryFormatter().Deserialize(stream);",
    ];
    all("A.cs", before, &harmless, "} }", false);
    all("ATests.cs", before, &calls, "} }", false);
}

#[test]
fn php() {
    let calls = [
        "eval($text);",
        "shell_exec(\"ls $name\");",
        "exec($command, $out);",
        "\\system('ls ' . $name);",
        "$a = unserialize($_COOKIE['a']);",
    ];
    all("a.php", "<?php", &calls, "", true);
    let harmless = [
        "eval('return 1;');",
        "shell_exec('ls');",
        "exec('ls ' . escapeshellarg($name));",
        "$pdo->exec($sql);",
        "f()->exec($sql);",
        "unserialize($text, ['allowed_classes' => false]);",
        "// eval($text);",
        "$a = 'eval($text)';",
        "retrieval($text);",
    ];
    all("a.php", "<?php", &harmless, "", false);
    all("tests/a.php", "<?php", &calls, "", false);
}

#[test]
fn ruby() {
    let calls = [
        "eval(text)",
        "eval \"#{name} = 1\"",
        "system(\"ls #{name}\")",
        "Kernel.system command",
        "Open3.capture2e(command)",
        "Marshal.load(data)",
        "YAML.unsafe_load(data)",
    ];
    all("a.rb", "a = 1", &calls, "", true);
    let harmless = [
        "eval('1 + 1')",
        "def copy(a)\n  Marshal.load(Marshal.dump(a))\nend",
        "system('ls')",
        "system('ls', name)",
        "system(*command)",
        "model.eval(text)",
        "JSON.parse(data)",
        "YAML.safe_load(data)",
        "# eval(text)",
        "a = 'eval(text)'",
    ];
    all("a.rb", "a = 1", &harmless, "", false);
    all("spec/a_spec.rb", "a = 1", &calls, "", false);
}

#[test]
fn swift() {
    let calls = [
        "let a = NSKeyedUnarchiver.unarchiveObject(with: data)",
        "NSKeyedUnarchiver.unarchiveTopLevelObjectWithData(data)",
    ];
    all("a.swift", "func f() {", &calls, "}", true);
    let harmless = [
        "let a = NSKeyedUnarchiver.unarchivedObject(ofClass: A.self, from: data)",
        "decoder.decode(A.self, from: data)",
        "// NSKeyedUnarchiver.unarchiveObject(with: data)",
    ];
    all("a.swift", "func f() {", &harmless, "}", false);
    all("Tests/a.swift", "func f() {", &calls, "}", false);
}

#[test]
fn shells_put_their_own_text_together() {
    all("a.sh", "a=1", &["eval \"$command\"", "eval set -- \"$options\"", "eval \"$(ssh-agent -s)\""], "", false);
}
