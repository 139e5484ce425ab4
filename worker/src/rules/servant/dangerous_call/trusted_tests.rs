//! What only the caller or the program itself decides, beside what others do.

use super::super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Medium};

#[track_caller]
fn run(path: &str, text: &str, is_found: bool) {
    let line = u32::try_from(text.lines().count()).unwrap_or_default();
    let expected: &[_] = if is_found { &[(line, Medium)] } else { &[] };
    check(&RULE, path, text, expected);
}

#[test]
fn whoever_starts_a_program_may_run_anything() {
    let of = |head: &str, name: &str| format!("{head}\ndef f({name}):\n    os.system('ls ' + {name}['a'])\n");
    run("a.py", &of("import os", "options"), true);
    run("a.py", &of("import argparse", "options"), false);
    run("a.py", &of("import argparse", "folder"), true);
    run("a.py", "def f():\n    os.system('ls ' + sys.argv[1])\n", false);
    run("a.py", "def f():\n    os.system('ls ' + os.environ['A'])\n", false);
    run("contrib/a.py", &of("import os", "folder"), false);
    run("a/contrib/b.py", &of("import os", "folder"), true);
    run("a/contrib/b.py", &of("#!/usr/bin/python", "folder"), false);
    check(&RULE, "a.c", "int main(int argc, char **argv) {\n  system(argv[1]);\n}\n", &[]);
}

#[test]
fn numbers_put_no_words_into_commands() {
    let of =
        |name: &str| format!("def f({name}):\n    os.popen('kill %s' % ({},))\n", name.split(':').next().unwrap_or(""));
    run("a.py", &of("name"), true);
    for name in ["pid", "job_id", "port", "name: int"] {
        run("a.py", &of(name), false);
    }
    run("a.py", "def f(a):\n    os.popen('kill %d' % a)\n", false);
    run("a.py", "def f(a):\n    os.popen('kill ' + str(int(a)))\n", false);
    run("a.py", "def f(a):\n    a = int(a)\n    os.popen('kill ' + str(a))\n", false);
    run("a.py", "def f(user_id):\n    return pickle.loads(user_id)\n", true);
    let sent = "def f():\n    job_id = request.args['id']\n    os.popen('kill ' + job_id)\n";
    check(&RULE, "a.py", sent, &[(3, High)]);
}

#[test]
fn what_is_checked_elsewhere_in_the_file() {
    let of = |head: &str| format!("<?php\n{head}('id');\nsystem('ls ' . get_request('id'));\n");
    check(&RULE, "a.php", &of("read"), &[(3, High)]);
    check(&RULE, "a.php", &of("filter_request"), &[]);
}

#[test]
fn functions_say_that_they_run_what_they_are_given() {
    run("a.py", "def read(data):\n    return pickle.loads(data)\n", true);
    run("a.py", "def deserialize(data):\n    return pickle.loads(data)\n", false);
    run("a.py", "class PickleSerializer:\n  def read(self, data):\n    return pickle.loads(data)\n", false);
    run("a.py", "def read(data):\n    '''Only give it trusted data.'''\n    return pickle.loads(data)\n", false);
    run("a.py", "def execfile(text):\n    exec(text, {})\n", false);
    run("a.php", "<?php\nfunction shop_create_function($a, $code) { return eval(\"f($a) {\" . $code); }\n", false);
    run("a.php", "<?php\nfunction shop_create_row($a, $code) { return eval(\"f($a) {\" . $code); }\n", true);
    let documented = |text: &str, line: &str| {
        format!("def ExecTask(a):\n    '''{text}'''\n    # {text}\n    {line}\n    os.system('ls ' + a)\n")
    };
    run("a.py", &documented("Runs a response file.", "b()"), false);
    run("a.py", &documented("Runs a file.", "b(response)"), true);
    run("a.py", "def read(condition):\n    eval(condition)\n", false);
    run("a.py", "def read(text):\n    '''Evaluate a text.'''\n    eval(text)\n", false);
    run("a.py", "def read(text):\n    '''Split a text.'''\n    eval(text)\n", true);
}

#[test]
fn names_of_callbacks_come_from_no_request() {
    let of = |name: &str| format!("function f() {{\n  eval({name} + '(response)');\n}}\n");
    check(&RULE, "a.js", &of("request_callback"), &[]);
    check(&RULE, "a.js", &of("request_body"), &[(2, Medium)]);
    let set = of("done_callback").replace("{\n", "{\n  done_callback = request.name;\n");
    check(&RULE, "a.js", &set, &[(3, Medium)]);
}

#[test]
fn files_that_are_named_are_to_be_run() {
    let of = |source: &str| {
        format!(
            "def f(a):\n    with open(a) as b:\n        c = {source}\n    d = compile(c, a, 'exec')\n    exec(d, {{}})\n"
        )
    };
    run("a.py", &of("b.read()"), false);
    run("a.py", &of("a.text"), true);
}

#[test]
fn tables_and_results_of_the_program_are_its_own() {
    check(&RULE, "a.rb", "def f(a)\n  b = a[:c]\n  eval(b)\nend\n", &[(3, Medium)]);
    run("a.rb", "def f(a)\n  b = TABLE[a]\n  eval(b)\nend\n", false);
    run("a.rb", "def f(a)\n  b = self.class.text_of(a)\n  eval('\"' + b[:c] + '\"')\nend\n", false);
}

#[test]
fn quoting_in_ruby_needs_no_brackets() {
    let of = |a: &str, b: &str| {
        format!("def f(a, b)\n  if b\n    c = \"ls {a}\"\n  else\n    c = \"ls {b}\"\n  end\n  system(c)\nend\n")
    };
    let quoted = ["#{shell_quote a}", "#{shell_quote \"#{a}[0]\"}", "#{a.shellescape}"];
    for one in quoted {
        check(&RULE, "a.rb", &of(one, one), &[]);
    }
    check(&RULE, "a.rb", &of("#{a}", quoted[0]), &[(7, Medium)]);
}

#[test]
fn a_yaml_of_another_package_is_a_wrapper() {
    let of = |head: &str| format!("{head}\ndef f(data):\n    yaml.load(data)\n");
    run("a.py", &of("import yaml"), true);
    run("a.py", &of("from b import yaml"), false);
    run("a.py", &of("import b.yaml as yaml"), false);
}

#[test]
fn room_made_by_a_length_is_enough() {
    let of = |room: &str| format!("void f(const char *a) {{\n  {room};\n  strcpy(b, a);\n}}\n");
    check(&RULE, "a.c", &of("char *b = malloc(a_len + 1)"), &[]);
    check(&RULE, "a.c", &of("char *b = malloc(MAX_LEN)"), &[(3, Medium)]);
    check(&RULE, "a.c", &of("char *c = malloc(a_len + 1)"), &[(3, Medium)]);
    let held =
        "void f(const char *a) {\n  std::unique_ptr<char[]> b(new char[a_len + 1]);\n  std::strcpy(b.get(), a);\n}\n";
    check(&RULE, "a.cc", held, &[]);
}

#[test]
fn a_comment_above_an_allowance_is_a_reason() {
    let of =
        |above: &str| format!("function f(a) {{\n  {above}\n  // eslint-disable-next-line no-eval\n  eval(a);\n}}\n");
    check(&RULE, "a.js", &of("// here we use it to save on calls"), &[]);
    check(&RULE, "a.js", &of("b();"), &[(4, Medium)]);
}

#[test]
fn copies_of_released_scripts_are_others_work() {
    let of = |head: &str| format!("/*\n{head}\n */\nfunction f(request) {{\n  eval(request.body);\n}}\n");
    let run = |head: &str, expected: &[_]| check(&RULE, "lib/a.js", &of(head), expected);
    run(" * Licensed under the LGPL.\n * Version: 5.8.2 (2021-06-23)", &[]);
    run(" * @version v1.2.0\n * @license MIT", &[]);
    run(" * http://example.org/cart\n * Licensed under GNU GPL 2 or later.", &[(6, Medium)]);
    run(" * Licensed under GNU GPL 2 or later.\n *", &[(6, Medium)]);
    run(" * Version: 5.8.2\n *", &[(6, Medium)]);
    run(
        " * Licensed under the Apache License, Version 2.0 (the \"License\");\n * http://www.apache.org/licenses/LICENSE-2.0",
        &[(6, Medium)],
    );
}
