//! Protections that are off, and what only looks like it.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Low};

#[track_caller]
fn all(path: &str, lines: &[&str], is_found: bool) {
    let expected: &[_] = if is_found { &[(3, High)] } else { &[] };
    for line in lines {
        check(&RULE, path, &format!("\n\n{line}\n"), expected);
    }
}

#[test]
fn python() {
    let switches = ["requests.get(url, verify=False)", "c.check_hostname = False", "ssl._create_unverified_context()"];
    all("a.py", &switches, true);
    all(
        "a.py",
        &["c.set_missing_host_key_policy(AutoAddPolicy())", "f(allow_origins=['*'], allow_credentials=True)"],
        true,
    );
    let fine = [
        "requests.get(url, verify=True)",
        "# verify=False",
        "x = 'verify=False'",
        "f('https://localhost', verify=False)",
    ];
    all("a.py", &fine, false);
    all("a.py", &["f(allow_origins=['*'])"], false);
    all("tests/test_a.py", &switches, false);
    all("docs/a.py", &switches, false);
}

#[test]
fn go() {
    let switches = ["var a = &tls.Config{InsecureSkipVerify: true}", "var a = ssh.InsecureIgnoreHostKey()"];
    all("a.go", &switches, true);
    all(
        "a.go",
        &[
            "var a = tls.Config{InsecureSkipVerify: skip}",
            "// InsecureSkipVerify: true",
            "var a = \"InsecureSkipVerify: true\"",
        ],
        false,
    );
    all("a_test.go", &switches, false);
    all("examples/a.go", &switches, false);
}

#[test]
fn rust() {
    let switches = ["fn f() { b.danger_accept_invalid_certs(true); }", "fn f() { b.set_verify(SslVerifyMode::NONE); }"];
    all("src/a.rs", &switches, true);
    all(
        "src/a.rs",
        &[
            "fn f() { b.danger_accept_invalid_certs(x); }",
            "// SslVerifyMode::NONE",
            "const A: &str = \"SslVerifyMode::NONE\";",
        ],
        false,
    );
    all("tests/a.rs", &switches, false);
}

#[test]
fn javascript_and_typescript() {
    for path in ["src/a.js", "src/a.ts", "src/a.tsx"] {
        let switches = [
            "f({ rejectUnauthorized: false })",
            "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'",
            "cors({ origin: true, credentials: true })",
        ];
        all(path, &switches, true);
        let fine = [
            "f({ rejectUnauthorized: true })",
            "// rejectUnauthorized: false",
            "a = 'rejectUnauthorized: false'",
            "cors({ origin: true })",
        ];
        all(path, &fine, false);
    }
    all("src/a.test.js", &["f({ rejectUnauthorized: false })"], false);
}

#[test]
fn scripts_and_configuration() {
    check(&RULE, "a.sh", "# a\nssh -o StrictHostKeyChecking=no kim@host\n", &[(2, High)]);
    check(&RULE, "a.sh", "# a\ncurl --insecure https://host/a\n", &[(2, High)]);
    check(&RULE, "a.sh", "# curl --insecure https://host/a\n", &[]);
    check(&RULE, "a.sh", "# a\ncurl --insecure https://127.0.0.1/a\n", &[]);
    check(&RULE, "a.yaml", "# a\ninsecure-skip-tls-verify: true\n", &[(2, High)]);
    check(&RULE, "a.sh", "# a\nserve --insecure-port 80\n", &[]);
    check(&RULE, "README.md", "curl --insecure https://host/a\n", &[]);
}

#[test]
fn java_kotlin_and_c_sharp() {
    let java = ["b.setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE);", "f(new TrustAllStrategy());"];
    all("src/A.java", &java, true);
    let kotlin = ["b.setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE)", "f(TrustAllStrategy.INSTANCE)"];
    all("src/a.kt", &kotlin, true);
    let fine = ["// NoopHostnameVerifier.INSTANCE", "val a = \"NoopHostnameVerifier.INSTANCE\"", "f(OwnStrategy())"];
    all("src/a.kt", &fine, false);
    all("src/test/kotlin/a.kt", &kotlin, false);
    let fine = [
        "import org.apache.http.conn.ssl.NoopHostnameVerifier;",
        "// NoopHostnameVerifier.INSTANCE",
        "class A { String a = \"NoopHostnameVerifier.INSTANCE\"; }",
        "b.setSSLHostnameVerifier(new DefaultHostnameVerifier());",
    ];
    all("src/A.java", &fine, false);
    all("src/test/java/A.java", &java, false);
    let sharp = ["a.Callback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator;"];
    all("src/A.cs", &sharp, true);
    all("src/A.cs", &["// DangerousAcceptAnyServerCertificateValidator", "a.Callback = Validate;"], false);
    all("tests/A.cs", &sharp, false);
}

#[test]
fn c_php_and_ruby() {
    let c = ["void f() { curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L); }", "int a = g(CURLOPT_SSL_VERIFYHOST, 0);"];
    all("src/a.c", &c, true);
    all("src/a.cc", &["void f() { c.set_verify_mode(ssl::verify_none); }"], true);
    all(
        "src/a.c",
        &["void f() { curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L); }", "// CURLOPT_SSL_VERIFYPEER, 0"],
        false,
    );
    all("tests/a.c", &c, false);
    let php = |line: &str, expected: &[_]| check(&RULE, "a.php", &format!("<?php\n{line}\n"), expected);
    php("curl_setopt($c, CURLOPT_SSL_VERIFYPEER, false);", &[(2, High)]);
    php("$a = [CURLOPT_SSL_VERIFYPEER => false];", &[(2, High)]);
    php("curl_setopt($c, CURLOPT_SSL_VERIFYPEER, true);", &[]);
    php("// CURLOPT_SSL_VERIFYPEER, false", &[]);
    php("$a = 'CURLOPT_SSL_VERIFYPEER, false';", &[]);
    let ruby = ["http.verify_mode = OpenSSL::SSL::VERIFY_NONE"];
    all("lib/a.rb", &ruby, true);
    all("lib/a.rb", &["http.verify_mode = OpenSSL::SSL::VERIFY_PEER", "# OpenSSL::SSL::VERIFY_NONE"], false);
    all("spec/a_spec.rb", &ruby, false);
}

#[test]
fn a_function_or_a_setting_may_ask_for_it() {
    let of = |head: &str| format!("def {head}:\n    c = g()\n    c.check_hostname = False\n");
    check(&RULE, "a.py", &of("load()"), &[(3, High)]);
    check(&RULE, "a.py", &of("load_no_verify()"), &[]);
    check(&RULE, "a.py", &of("load(skip_verify)"), &[]);
    let rust = |name: &str| format!("fn {name}() -> L {{\n    L::very_permissive()\n}}\n");
    check(&RULE, "a.rs", &rust("layer"), &[(2, High)]);
    check(&RULE, "a.rs", &rust("very_permissive"), &[]);
    let python = |condition: &str| format!("def f(o):\n    {condition}\n        g('-o', 'StrictHostKeyChecking=no')\n");
    check(&RULE, "a.py", &python("if o.rows:"), &[(3, High)]);
    check(&RULE, "a.py", &python("if o.get('host_key_checking') is False:"), &[]);
    let template = |condition: &str| format!("# a\n<% if {condition} -%>\n  StrictHostKeyChecking no\n<% end -%>\n");
    check(&RULE, "config.erb", &template("rows"), &[(3, High)]);
    check(&RULE, "config.erb", &template("! verify_host_key"), &[]);
    check(
        &RULE,
        "a.go",
        "package a\n\nvar c = tls.Config{\n\tInsecureSkipVerify: true,\n\tVerifyConnection: f,\n}\n",
        &[],
    );
    let asked = |line: &str| format!("package a\n\nvar c = tls.Config{{\n\t{line},\n\tInsecureSkipVerify: true,\n}}\n");
    check(&RULE, "a.go", &asked("ClientAuth: tls.RequestClientCert"), &[]);
    check(&RULE, "a.go", &asked("MinVersion: tls.VersionTLS12"), &[(5, High)]);
    let ruby = |word: &str| {
        format!(
            "def f(o)\n  c.mode = if o.{word}\n             OpenSSL::SSL::VERIFY_NONE\n           else\n             g\n           end\nend\n"
        )
    };
    check(&RULE, "lib/a.rb", &ruby("insecure"), &[]);
    check(&RULE, "lib/a.rb", &ruby("rows"), &[(3, High)]);
    check(&RULE, "a.go", "package a\n\nvar insecure = tls.Config{\n\tInsecureSkipVerify: true,\n}\n", &[(4, Low)]);
}

/// A function called `name` in the language of `path`, with `lines` in it, of which the first is the second of the file.
fn guard(path: &str, name: &str, lines: &str) -> String {
    let (open, close) = match path.rsplit('.').next() {
        Some("py") => (format!("def {name}(user):"), ""),
        Some("go") => (format!("package a; func {name}(user User) bool {{"), "}"),
        Some("rs") => (format!("fn {name}(user: User) -> bool {{"), "}"),
        Some("java") => (format!("class A {{ boolean {name}(User user) {{"), "} }"),
        Some("js" | "ts") => (format!("function {name}(user) {{"), "}"),
        _ => (format!("bool {name}(User user) {{"), "}"),
    };
    format!("{open}\n{lines}\n{close}\n")
}

#[test]
fn a_switch_for_developers_that_lets_everybody_in() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "a.py",
            &[
                "    if settings.DEBUG:\n        return True\n    return f()",
                "    if SKIP_AUTH: return True\n    return f()",
            ],
            &[
                "    if settings.DEBUG:\n        log(user)\n    return f()",
                "    if not DEBUG:\n        return True\n    return f()",
                "    # if DEBUG: return True\n    return f()",
                "    if user.debugger:\n        return True",
            ],
        ),
        (
            "a.go",
            &["if debug {\n\treturn true\n}\nreturn f()", "if cfg.DevMode { return true }\nreturn f()"],
            &["if debug {\n\treturn false\n}\nreturn f()", "if !debug { return true }\nreturn f()", "return f()"],
        ),
        (
            "a.rs",
            &["if self.debug {\n return true;\n}\nf()", "if config.skip_auth { return true; }\nf()"],
            &[
                "if self.debug {\n log(user);\n}\nf()",
                "let a = \"if debug { return true; }\"; f(a)",
                "if ok { return true; } f()",
            ],
        ),
        (
            "A.java",
            &["if (DEBUG) return true;\nreturn f();", "if (this.debugMode) {\n return true;\n}\nreturn f();"],
            &[
                "if (DEBUG) log(user);\nreturn f();",
                "if (!DEBUG) return true;\nreturn f();",
                "if (f(user)) return true;\nreturn f();",
            ],
        ),
        (
            "a.ts",
            &["if (process.env.SKIP_AUTH) return next()", "if (isDev) {\n  return true\n}\nreturn f()"],
            &["if (isDev) {\n  trace(user)\n}\nreturn f()", "if (!isDev) return true", "f('if (isDev) return true')"],
        ),
        (
            "a.cc",
            &["if (debug) return true;\nreturn f();", "if (kNoAuth || no_auth) { return true; }\nreturn f();"],
            &[
                "if (debug) trace();\nreturn f();",
                "if (!debug) return true;\nreturn f();",
                "// if (debug) return true;\nreturn f();",
            ],
        ),
    ];
    for (path, open, fine) in cases {
        for lines in *open {
            check(&RULE, path, &guard(path, "is_authorized", lines), &[(2, High)]);
            check(&RULE, path, &guard(path, "prints", lines), &[]);
            check(&RULE, &format!("tests/{path}"), &guard(path, "checkPermission", lines), &[]);
        }
        for lines in *fine {
            check(&RULE, path, &guard(path, "authenticate", lines), &[]);
        }
    }
}

#[test]
fn what_the_user_asks_for_is_left_alone() {
    let python = |condition: &str, switch: &str| format!("def f(o):\n    {condition}\n        {switch}\n");
    let off = "c.verify_mode = ssl.CERT_NONE";
    check(&RULE, "a.py", &python("if not o.validate_cert:", off), &[]);
    check(&RULE, "a.py", &python("if o.rows:", off), &[(3, High)]);
    check(&RULE, "a.py", &python("if o.reqs == ssl.CERT_NONE:", "f()"), &[]);
    let go = |name: &str| format!("package a\n\nvar {name} = &tls.Config{{\n\tInsecureSkipVerify: true,\n}}\n");
    check(&RULE, "a.go", &go("insecureConfig"), &[(4, Low)]);
    check(&RULE, "a.go", &go("config"), &[(4, High)]);
    let go = "package a\n\nfunc f() {\n\tif scheme == \"https+insecure\" {\n\t\tc = &tls.Config{\n\t\t\tInsecureSkipVerify: true,\n\t\t}\n\t}\n}\n";
    check(&RULE, "a.go", go, &[]);
}

#[test]
fn a_longer_name_that_ends_in_a_switch_is_another() {
    let run = |call: &str, expected: &[_]| {
        check(&RULE, "a.py", &format!("import requests\n\n\ndef f(a):\n    {call}\n"), expected);
    };
    run("install(a, pkg_verify=False)", &[]);
    run("install(a, ssl_verify=False)", &[(5, High)]);
    run("install(a, verify=False)", &[(5, High)]);
}
