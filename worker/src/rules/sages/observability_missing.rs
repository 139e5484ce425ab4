//! Servers that nobody can watch.

use schemas::facts::{Server, Tree};
use schemas::severity::Severity;

use crate::names::parts;
use crate::outline::{Call, Span};
use crate::paths;
use crate::rules::calls::is_path;
use crate::rules::{Check, File, Findings, Hit, Place, Told, rule};

rule!(
    /// ## What it finds
    /// Places where a server begins to listen, while nothing in the whole repository logs with a library, measures, traces, or
    /// answers whether it is well (`/health`, `/ready`, `/metrics`). A guess: what a sidecar adds stands in no code.
    ///
    /// Tests, examples, templates, stand-ins, copies of libraries and scripts are left alone, as are frameworks that log by
    /// themselves (Spring, NestJS, Rocket, Gin), files that close the server again or only listen on this machine, and programs
    /// for the command line.
    ///
    /// ## Why it matters
    /// When it fails at night, the first sign is a customer, and the second is nothing at all.
    ///
    /// ## Example
    /// ```text
    /// func main() { http.ListenAndServe(":80", shop) }
    /// ```
    ///
    /// ## How to fix
    /// Log each request that fails, with a library that has levels; count requests and errors; answer `/health`.
    "sages/observability-missing", Sages, Low, version: 2, Check::Tree { facts_version: 2, collect, judge }
);

/// Calls that begin to listen, each with a module that the file imports; without one the name alone says it.
const STARTS: &[(&str, &str)] = &[
    ("Bun.serve", ""),
    ("Deno.serve", ""),
    ("HttpServer.create", "com.sun.net.httpserver"),
    ("HttpServer::new", "actix_web"),
    ("Javalin.create", "io.javalin"),
    ("Listen", "github.com/gofiber/fiber"),
    ("ListenAndServe", "net/http"),
    ("ListenAndServeTLS", "net/http"),
    ("MHD_start_daemon", "microhttpd.h"),
    ("NewServer", "google.golang.org/grpc"),
    ("Server::bind", "hyper"),
    ("Server::builder", "tonic"),
    ("ServerBuilder.forPort", "io.grpc"),
    ("Undertow.builder", "io.undertow"),
    ("axum::serve", ""),
    ("createHttpServer", "io.vertx"),
    ("createServer", "http"),
    ("createServer", "https"),
    ("createServer", "node:http"),
    ("createServer", "node:https"),
    ("grpc.server", "grpc"),
    ("listen", "express"),
    ("listen", "httplib.h"),
    ("listen", "koa"),
    ("listen", "sys/socket.h"),
    ("run_app", "aiohttp"),
    ("serve", "waitress"),
    ("start_server", "asyncio"),
    ("warp::serve", ""),
];

/// Words in names of modules and calls that log, measure or trace.
const WATCHING_WORDS: &[&str] = &[
    "bunyan",
    "datadog",
    "expvar",
    "glog",
    "klog",
    "log",
    "logback",
    "logger",
    "logging",
    "loguru",
    "logrus",
    "logs",
    "metric",
    "metrics",
    "morgan",
    "newrelic",
    "observability",
    "opentelemetry",
    "otel",
    "pino",
    "prometheus",
    "promhttp",
    "sentry",
    "slf4j",
    "slog",
    "spdlog",
    "statsd",
    "structlog",
    "syslog",
    "telemetry",
    "tracer",
    "tracing",
    "winston",
    "zap",
    "zerolog",
];

/// Callees with such a word that do something else, and one that is no library.
const OTHER_CALLEES: &[&str] = &["console", "math", "math.h", "np", "numpy", "torch"];

/// Modules of frameworks that log by themselves.
const FRAMEWORKS: &[&str] = &[
    "@nestjs",
    "github.com/gin-gonic/gin",
    "io.dropwizard",
    "io.micronaut",
    "io.quarkus",
    "org.springframework",
    "rocket",
];

/// Words in paths by which a server tells whether it is well.
const HEALTH_WORDS: &[&str] =
    &["alive", "health", "healthcheck", "healthz", "livez", "metrics", "ping", "ready", "readyz", "status"];

/// Longest string that may be such a path.
const ROUTE_BYTES_MAX: usize = 60;

/// Words in paths of servers that nobody runs for others.
const APART: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "build",
    "cli",
    "client",
    "commands",
    "contrib",
    "debug",
    "demo",
    "demos",
    "dev",
    "devserver",
    "doc",
    "docs",
    "example",
    "examples",
    "fake",
    "local",
    "mock",
    "mocks",
    "playground",
    "preview",
    "sample",
    "samples",
    "script",
    "scripts",
    "skeleton",
    "starter",
    "stub",
    "template",
    "templates",
    "tool",
    "tools",
    "tutorial",
];

/// Signs of a server that is closed again, or is there for its own machine only: it waits for one answer, or helps whoever starts it.
const SHORT_LIVED: &[&str] = &[
    "127.0.0.1",
    ".shutdown(",
    "\"localhost\"",
    "'localhost'",
    "localhost:",
    "redirect_uri",
    "redirectUri",
    "server.close(",
];

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    if file.is_test() {
        return true;
    }
    let start = file.outline.calls.iter().find(|call| is_start(file, call)).filter(|_| is_for_others(file));
    let watches = is_watching(file);
    if start.is_some() || watches {
        let start = start.map(|call| file.spot(call.callee.clone()));
        told.facts.server = Some(Server { start, watches });
    }
    true
}

/// Whether a server in the file is run for others, and stays.
fn is_for_others(file: &File<'_>) -> bool {
    let path = file.source.path;
    let is_apart = || {
        path.split('/').any(|part| {
            let part = part.split('.').next().unwrap_or(part);
            parts(part).any(|part| is_one_of(APART, part))
        })
    };
    let is_short_lived = || SHORT_LIVED.iter().any(|sign| file.source.text.contains(sign));
    !paths::is_stand_in(path) && !file.is_foreign() && !is_apart() && !is_short_lived()
}

/// The names of what the file imports, without quotes and brackets.
fn modules<'f>(file: &'f File<'_>) -> impl Iterator<Item = &'f str> {
    file.outline.imports.iter().map(|import| file.text(&import.module).trim_matches(['"', '\'', '`', '<', '>']))
}

/// Whether `module` is `wanted` or below it.
fn is_module(module: &str, wanted: &str) -> bool {
    module.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/', ':']))
}

fn is_start(file: &File<'_>, call: &Call) -> bool {
    let callee = file.text(&call.callee);
    let is_one = |(name, module): &&(&str, &str)| {
        is_path(callee, name) && (module.is_empty() || modules(file).any(|found| is_module(found, module)))
    };
    STARTS.iter().any(|start| is_one(&start)) && !file.is_test_code(call.callee.start)
}

fn is_one_of(words: &[&str], part: &str) -> bool {
    words.iter().any(|word| part.eq_ignore_ascii_case(word))
}

fn is_watching(file: &File<'_>) -> bool {
    let has_word = |text: &str| parts(text).any(|part| is_one_of(WATCHING_WORDS, part));
    let by_module = |module: &str| has_word(module) || FRAMEWORKS.iter().any(|one| is_module(module, one));
    let by_call = |callee: &str| {
        let first = callee.split(['.', ':']).next().unwrap_or(callee);
        !OTHER_CALLEES.iter().any(|other| other.eq_ignore_ascii_case(first)) && has_word(callee)
    };
    let by_route = |span: &Span| {
        let text = file.text(span).trim_matches(['"', '\'', '`']);
        text.len() <= ROUTE_BYTES_MAX && text.contains('/') && parts(text).any(|part| is_one_of(HEALTH_WORDS, part))
    };
    modules(file).any(by_module)
        || file.outline.calls.iter().any(|call| by_call(file.text(&call.callee)))
        || file.outline.strings.iter().any(by_route)
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let servers = || tree.files.iter().filter_map(|file| Some((file.path.as_str(), file.facts.server.as_ref()?)));
    if servers().any(|(_, server)| server.watches) {
        return;
    }
    for (path, server) in servers().filter(|(path, _)| tree.is_asked(path)) {
        let Some(start) = &server.start else { continue };
        found.push(Hit {
            place: Place::of_spot(path, start),
            severity: Severity::Low,
            confidence_permille: 500,
            message: "a server begins to listen here, and nothing here logs, measures or tells whether it is well"
                .to_owned(),
            suggestion: "log what fails with a library, count requests and errors, and answer `/health`",
        });
    }
}

#[cfg(test)]
#[path = "observability_missing/tests.rs"]
mod tests;
