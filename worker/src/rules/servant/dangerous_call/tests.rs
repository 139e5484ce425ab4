//! What runs whatever it is given, and what only looks like it.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Medium};

/// Signs of calls that run code or build objects, and so are medium.
#[rustfmt::skip]
const CODE_AND_DATA: &[&str] = &[
    "Deserialize", "Function(", "Marshal", "YAML", "eval(", "exec(text", "pickle", "readObject", "unarchive", "unserialize", "yaml",
];

/// Signs that others send the text, which makes programs high.
const SENT: &[&str] = &["$_GET", "argv", "getenv", "params[", "process.env", "request", "response"];

#[track_caller]
fn all(path: &str, before: &str, calls: &[&str], after: &str, is_found: bool) {
    for call in calls {
        let is_code = CODE_AND_DATA.iter().any(|sign| call.contains(sign));
        let is_sent = SENT.iter().any(|sign| call.contains(sign));
        let severity = if is_sent && !is_code { High } else { Medium };
        let expected: &[_] = if is_found { &[(2, severity)] } else { &[] };
        check(&RULE, path, &format!("{before}\n{call}\n{after}"), expected);
    }
}

#[test]
fn python() {
    let calls = [
        "def f(text): eval(text)",
        "def f(text): exec(text, names)",
        "def f(text): exec('a = %s' % text, names)",
        "def f(*texts): eval(texts[0])",
        "def f(): eval(request.args['a'])",
        "def f(): os.system('convert ' + request.args['a'])",
        "def f(): name = request.args['a']; os.system('convert ' + name)",
        "def f(name): os.system('convert ' + name)",
        "def f(text): os.popen(text)",
        "def f(text): subprocess.run(text, shell=True)",
        "def f(a): command = 'ls ' + a; os.system(command)",
        "def f(name): subprocess.check_output(f'ls {name}', shell = True)",
        "def f(data): pickle.loads(data)",
        "def f(data): yaml.load(data)",
        "yaml.load(request.data)",
        "os.system('ls %s' % request.name)",
    ];
    all("a.py", "import os, yaml", &calls, "", true);
}

#[test]
fn harmless_python() {
    let harmless = [
        "eval('1 + 1')",
        "eval(text)",
        "os.system('ls ' + name)",
        "pickle.loads(data)",
        "def run(name): os.system('ls ' + name)",
        "def f(name): os.system('ls ' + shlex.quote(name))",
        "def f(name):\n    name = shlex.quote(name)\n    os.system('ls ' + name)",
        "def load_cache(data): return pickle.loads(data)",
        "def f(data): pickle.loads(data)\ndef g(a): pickle.dumps(a)",
        "def f(data): cPickle.loads(data)\ndef g(a): cPickle.dumps(a)",
        "def f(data): dill.loads(data)\ndef g(a): dill.dumps(a)",
        "def f(data):\n    a = socket.socket(socket.AF_UNIX)\n    pickle.loads(data)",
        "def f(data):\n    os.fork()\n    pickle.loads(data)",
        "class Debugger(Cmd):\n    def f(self, text): eval(text)",
        "def f(): exec(text)",
        "def _f(text): eval(text)",
        "def f(text): eval(text)  # noqa: S307 - this is what it is asked for",
        "def f(a): exec(compile(a.read(), 'a', 'exec'), {})",
        "def f(text): exec(text, module.__dict__)",
        "def f(a):\n    text = 'def b(): %s' % a\n    exec(text, {})",
        "os.system(command)",
        "os.system('ls ' + FOLDER)",
        "def f(): command = 'ls'; os.system(command)",
        "def f(command): subprocess.run(command, shell=True)",
        "yaml.load(data, Loader=Loader)  # SafeLoader",
        "yaml = YAML(typ='safe'); yaml.load(data)",
        "def f(a):\n    if not hmac.compare_digest(a, b): return\n    return pickle.loads(a)",
        "def safe_load(a): return pickle.loads(a)",
        "exec('from a import *', names)",
        "exec('del ' + name)",
        "def f(): exec(source, names)",
        "def f(self): exec(self._template, names)",
        "def f(a): pickle.dumps(pickle.loads(a) + 1)",
        "eval(input())",
        "def f(): eval(TABLE[0])(1)",
        "def f(a):\n    if a in ('True', 'False'):\n        eval(a)",
        "def f(a):\n    assert a[0] == '\"'\n    eval(a)",
        "def f(self):\n    kept = self.cache[0]\n    pickle.loads(kept)",
        "model.eval(text); f().eval(text)",
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
    all("a.py", "import os, yaml", &harmless, "", false);
}

#[test]
fn python_by_its_place() {
    let beside =
        "def f():\n    with open(os.path.join(os.path.dirname(__file__), 'a')) as b:\n        return pickle.load(b)\n";
    check(&RULE, "a.py", beside, &[]);
    check(&RULE, "a.py", &beside.replace("__file__", "HOME"), &[]);
    check(&RULE, "a.py", &beside.replace("__file__", "a").replace("f()", "f(a)"), &[(3, Medium)]);
    let looped = "def f(all):\n    for one in all:\n        os.system('ls ' + one)\n";
    check(&RULE, "a.py", looped, &[(3, Medium)]);
    for path in ["scripts/a.py", "tasks/a.py", "noxfile.py"] {
        check(&RULE, path, "def f(text): os.system('a ' + text + os.environ['B'])\n", &[]);
        check(
            &RULE,
            path,
            "os.system('a ' + requests.get('b'))\n",
            &[(1, if path == "scripts/a.py" { Medium } else { High })],
        );
    }
    check(&RULE, "bin/a.py", "def f(text): os.system('a ' + text)\n", &[(1, Medium)]);
    for path in ["vendor/a.py", "examples/a.py", "benchmarks/a.py"] {
        check(&RULE, path, "os.system('a ' + request.text)\n", &[]);
    }
    check(&RULE, "a.py", "def f(a): eval(a)  # noqa: S307\n", &[(1, Medium)]);
    check(&RULE, "a.js", "/*! A v1 */\neval(response.text)\n", &[]);
    all("tests/test_a.py", "import os", &["def f(text): eval(text)"], "", false);
    all("tools/repl.py", "import os", &["def f(text): eval(text)"], "", false);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.js", "a.ts", "a.tsx"] {
        let before = "const child_process = require('child_process')";
        let calls = [
            "function f(text) { eval(text) }",
            "get(a, function (text) { eval(text) })",
            "get(a).then(({ text, b }) => eval(text))",
            "eval(this.response)",
            "function f(name) { child_process.exec(`ls ${name}`) }",
            "child_process.exec(`ls ${request.query.a}`)",
            "function f(opener, target) { child_process.execSync(opener + ' \"' + target + '\"') }",
            "function f(a) { new Function('b', a) }",
        ];
        all(path, before, &calls, "", true);
        let harmless = [
            "eval('1')",
            "function f() { let text = 'a'; eval(text) }",
            "function f(a) { const text = `return ${a}`; return new Function('b', text) }",
            "function f(command) { child_process.execSync(command) }",
            "child_process.execSync(`node ${join(__dirname, 'a')}`)",
            "yaml.load(text)",
            "pattern.exec(text)",
            "child_process.execFile('ls', [name])",
            "child_process.exec('ls', done)",
            "child_process.exec(`ls ${name}`)",
            "const parentPort = a; function f(serialized) { eval('(' + serialized + ')') }",
            "// eval(text)",
        ];
        all(path, before, &harmless, "", false);
        all(path, "", &["exec(text)"], "", false);
    }
    all("a.test.js", "", &["eval(this.response)"], "", false);
}

#[test]
fn go() {
    let before = "package a; func f(text, name string) {";
    let calls = ["exec.Command(\"sh\", \"-c\", text)", "exec.CommandContext(ctx, \"bash\", \"-c\", \"ls \"+name)"];
    all("a.go", before, &calls, "}", true);
    let harmless = [
        "exec.Command(\"ls\", name)",
        "exec.Command(\"sh\", \"-c\", \"ls \"+current.Name())",
        "exec.Command(\"sh\", \"-c\", \"ls\")",
        "exec.Command(\"sh\", \"-c\", task.Command)",
        "eval(text)",
        "// exec.Command(\"sh\", \"-c\", text)",
    ];
    all("a.go", before, &harmless, "}", false);
    all("a_test.go", before, &calls, "}", false);
}

#[test]
fn rust() {
    let before = "fn f(text: &str, name: &str) {";
    let calls = [
        "Command::new(\"sh\").arg(\"-c\").arg(text);",
        "Command::new(\"bash\").arg(\"-c\").arg(format!(\"ls {name}\"));",
    ];
    all("a.rs", before, &calls, "}", true);
    let harmless = [
        "Command::new(\"ls\").arg(name);",
        "Command::new(\"sh\").arg(\"-c\").arg(\"ls\");",
        "Command::new(\"sh\").arg(\"-c\").arg(&self.command);",
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
    all("A.java", "class A { void f(String text, String name, InputStream in) {", &calls, "} }", true);
    let harmless = [
        "Runtime.getRuntime().exec(\"ls\");",
        "Runtime.getRuntime().exec(new String[] {\"ls\", name});",
        "String[] all = {\"ls\", name}; Runtime.getRuntime().exec(all);",
        "byte[] a = serialize(text); new ObjectInputStream(open(a)).readObject();",
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
    let handed = "void doRead(ObjectInputStream in) { Object a = in.readObject(); }";
    all("A.java", "class A {", &[handed], "}", false);
    all(
        "A.java",
        "class A {",
        &["void f(InputStream a) { var in = new ObjectInputStream(a); Object b = in.readObject(); }"],
        "}",
        true,
    );
    all("ATest.java", "class A { void f(String text, String name, InputStream in) {", &calls, "} }", false);
    all(
        "a.kt",
        "fun f(text: String, name: String) {",
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
        let run =
            |line: &str, expected: &[_]| check(&RULE, path, &format!("void f(char *text) {{\n{line}\n}}\n"), expected);
        for line in ["system(getenv(\"QUERY_STRING\"));", "gets(row);"] {
            run(line, &[(2, High)]);
        }
        for line in ["system(text);", "FILE *a = popen(text, \"r\");", "if (strnlen(c, 9) < 9) strcpy(a, b);"] {
            run(line, &[(2, Medium)]);
        }
        for line in ["strcpy(a, b);", "strcat(a, b->c);", "sprintf(a, \"%s\", b);", "sprintf(a, format, b);"] {
            run(line, &[(2, Medium)]);
        }
        for line in [
            "system(\"ls\");",
            "if (strnlen(b, 9) < 9) strcpy(a, b);",
            "char *a = malloc(strlen(b) + 1); strcpy(a, b);",
            "char *a = malloc(strlen(b) + 9); sprintf(a, \"c: %s\", b);",
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
    check(&RULE, "a.c", "static void system(char *a) { run(a); }\nvoid f(char *text) { system(text); }\n", &[]);
    check(&RULE, "a_test.cc", "TEST(A, b) {\nstrcpy(a, b);\n}\n", &[]);
}

#[test]
fn c_sharp() {
    let before = "class A { void F(Stream stream, string text) {";
    let calls = [
        "new BinaryFormatter().Deserialize(stream);",
        "Process.Start(\"cmd.exe\", \"/c \" + text);",
        "Process.Start(\"/bin/sh\", \"-c \" + text);",
    ];
    all("A.cs", before, &calls, "} }", true);
    let harmless = [
        "JsonSerializer.Deserialize(text); var a = typeof(BinaryFormatter);",
        "serializer.Deserialize(stream);",
        "} private void G() { var a = new MemoryStream(own); new BinaryFormatter().Deserialize(a);",
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
        "function f($text) { eval($text); }",
        "function f($name) { shell_exec(\"ls $name\"); }",
        "exec('ls ' . $_GET['a'], $out);",
        "function f($name) { \\system('ls ' . $name); }",
        "class A { private function f($name) { $a = B . $name; system(\"ls $a\"); } }",
        "$a = unserialize($_COOKIE['a']);",
    ];
    all("a.php", "<?php", &calls, "", true);
    let harmless = [
        "eval('return 1;');",
        "exec('ls ' . $name, $out);",
        "$a = unserialize($_SESSION['a']);",
        "class A { function f($a) { return unserialize($a); } function g($a) { return b(serialize($a)); } }",
        "eval(self::CODE);",
        "eval($this->code);",
        "function f($a) { if (!class_exists('A')) { eval($a); } }",
        "class A { private function f($a) { return shell_exec('ls ' . $a); } function g() { $this->f('b'); } }",
        "function f($a) { $b = escapeshellarg($a); exec('ls ' . $b); }",
        "class A { public function unserialize($a) { $this->b = unserialize($a); } }",
        "function f($a) { if (hash_equals($b, c($a))) { return unserialize($a); } }",
        "$copy = (function ($a) { return unserialize(serialize($a)); })($b);",
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
    all("examples/a.php", "<?php", &calls, "", false);
}

#[test]
fn ruby() {
    let calls = [
        "def f(text); eval(text); end",
        "def f(name); eval \"#{name} = 1\"; end",
        "def f(name); system(\"ls #{name}\"); end",
        "Kernel.system \"ls \" + params[:a]",
        "def f(name); Open3.capture2e(\"ls #{name}\"); end",
        "def f(data); Marshal.load(data); end",
        "YAML.unsafe_load(params[:a])",
    ];
    all("a.rb", "a = 1", &calls, "", true);
    let harmless = [
        "eval('1 + 1')",
        "eval(text)",
        "def f(text)\n  eval(text, binding, __FILE__, __LINE__)\nend",
        "def f(a)\n  eval(File.read(a), binding)\nend",
        "system(command)",
        "system(\"ls #{name}\")",
        "def f(all)\n  all.each do |line|\n    line = Quote.escape(line)\n    system(\"ls #{line}\")\n  end\nend",
        "def f\n  Marshal.load(@io.read)\nend\ndef g(a)\n  @io.write(Marshal.dump(a))\nend",
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
    let looped = "def f(all)\n  all.each do |line|\n    system(\"ls #{line}\")\n  end\nend\n";
    check(&RULE, "a.rb", looped, &[(3, Medium)]);
    check(&RULE, "tasks/a.rake", "exec(\"ls #{ENV['A']}\")\n", &[]);
    all("spec/a_spec.rb", "a = 1", &calls, "", false);
}

#[test]
fn swift() {
    let calls = [
        "let a = NSKeyedUnarchiver.unarchiveObject(with: data)",
        "NSKeyedUnarchiver.unarchiveTopLevelObjectWithData(data)",
    ];
    all("a.swift", "func f(data: Data) {", &calls, "}", true);
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
