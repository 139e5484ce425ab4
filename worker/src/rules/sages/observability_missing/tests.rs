//! Servers with and without a way to watch them.

use schemas::severity::Severity::{self, Low};

use super::RULE;
use crate::rules::testing::{check_tree, tree, tree_findings};

/// Checks one file, beside others.
#[track_caller]
fn check(path: &str, text: &str, others: &[(&str, &str)], line: Option<u32>) {
    let files: Vec<(&str, &str)> = std::iter::once((path, text)).chain(others.iter().copied()).collect();
    let expected: Vec<(&str, u32, Severity)> = line.map(|line| (path, line, Low)).into_iter().collect();
    check_tree(&RULE, &files, &expected);
}

#[test]
fn rust() {
    let axum = "async fn main() {\n    axum::serve(listener, app).await;\n}\n";
    check("src/main.rs", axum, &[], Some(2));
    check("src/main.rs", "use hyper::Server;\nfn main() { Server::bind(&addr); }\n", &[], Some(2));
    check("src/main.rs", &format!("use tracing::info;\n{axum}"), &[], None);
    check("src/main.rs", axum, &[("src/watch/count.rs", "use prometheus::Counter;\n")], None);
    check("src/main.rs", &format!("{axum}fn r() {{ route(\"/healthz\", get(ok)) }}\n"), &[], None);
    check("src/main.rs", axum, &[("other/a.rs", "use tracing::info;\n")], None);
    check("src/main.rs", axum, &[("other/a.rs", "use shop::cart;\n")], Some(2));
    check("examples/a.rs", axum, &[], None);
    check("src/main.rs", "fn main() { Server::bind(&addr); axum::serve_quietly(); }\n", &[], None);
}

#[test]
fn python() {
    let aiohttp = "from aiohttp import web\nweb.run_app(app)\n";
    check("shop/a.py", aiohttp, &[], Some(2));
    check("shop/a.py", "import grpc\ns = grpc.server(pool)\n", &[], Some(2));
    check("shop/a.py", &format!("import logging\n{aiohttp}"), &[], None);
    check("shop/a.py", &format!("{aiohttp}app.add_routes(web.get('/health', ok))\n"), &[], None);
    check("shop/a.py", &format!("import math\n{aiohttp}math.log(2)\n"), &[], Some(3));
    check("tests/a.py", aiohttp, &[], None);
    check("shop/a.py", "import shop\nshop.run_app(app)\n", &[], None);
}

#[test]
fn go() {
    let of = |text: &str| format!("package main\n\nimport \"net/http\"\n{text}");
    let serve = "func main() { http.ListenAndServe(\":80\", nil) }\n";
    check("cmd/a.go", &of(serve), &[], Some(4));
    check("cmd/a.go", &of("func main() { server.ListenAndServeTLS(a, b) }\n"), &[], Some(4));
    check("cmd/a.go", &of(&format!("import \"log/slog\"\n{serve}")), &[], None);
    check("cmd/a.go", &of("func main() { log.Fatal(http.ListenAndServe(\":80\", nil)) }\n"), &[], None);
    check("cmd/a.go", &of("func main() { http.Get(\"https://example.org\") }\n"), &[], None);
    check("cmd/a_test.go", &of(serve), &[], None);
}

#[test]
fn javascript_and_typescript() {
    for path in ["src/a.js", "src/a.ts"] {
        let express = "import express from 'express';\nexpress().listen(80);\n";
        check(path, "const http = require('http');\nhttp.createServer(shop);\n", &[], Some(2));
        check(
            path,
            "import express from 'express';\nconst app = express();\napp.listen(80, () => console.log('up'));\n",
            &[],
            Some(3),
        );
        check(path, &format!("import pino from 'pino';\n{express}"), &[], None);
        check(path, "import express from 'express';\napp.get('/ready', ok);\napp.listen(80);\n", &[], None);
        check(path, "element.listen('click');\n", &[], None);
        check(
            path,
            "const http = require('http');\nconst server = http.createServer(one);\nserver.close();\n",
            &[],
            None,
        );
        check(path, "import express from 'express';\nexpress().listen(80, '127.0.0.1');\n", &[], None);
        check(&format!("lib/sample-apps/{path}"), express, &[], None);
        check(&format!("lib/apps/{path}"), express, &[], Some(2));
        check("src/a.test.ts", express, &[], None);
    }
}

#[test]
fn java() {
    let class = |text: &str| format!("class A {{\n  void a() {{ {text} }}\n}}\n");
    let http = format!("import com.sun.net.httpserver.HttpServer;\n{}", class("HttpServer.create(address, 0);"));
    check("src/A.java", &http, &[], Some(3));
    check("src/A.java", &format!("import io.undertow.Undertow;\n{}", class("Undertow.builder();")), &[], Some(3));
    check("src/A.java", &format!("import org.slf4j.Logger;\n{http}"), &[], None);
    check("src/A.java", &format!("import org.springframework.boot.SpringApplication;\n{http}"), &[], None);
    check("src/A.java", &class("HttpServer.create(address, 0);"), &[], None);
    check("src/test/java/A.java", &http, &[], None);
}

#[test]
fn c_and_cpp() {
    for path in ["src/a.c", "src/a.cpp"] {
        let socket = "#include <sys/socket.h>\nint main(void) { listen(s, 5); }\n";
        check(path, socket, &[], Some(2));
        check(path, "#include <microhttpd.h>\nint main(void) { MHD_start_daemon(0); }\n", &[], Some(2));
        check(path, &format!("#include <syslog.h>\n{socket}"), &[], None);
        check(path, &format!("{socket}void a(void) {{ log_error(\"b\"); }}\n"), &[], None);
        check(path, "int main(void) { listen(s, 5); }\n", &[], None);
        check("tests/a.c", socket, &[], None);
    }
}

#[test]
fn a_guess_is_told_as_one() {
    let found = tree_findings(&RULE, &tree(&RULE, &[("a.js", "Bun.serve({});\n")]));
    assert_eq!((found[0].severity, found[0].confidence_permille), (Low, 500));
}
