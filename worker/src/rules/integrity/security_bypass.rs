//! Protections that are switched off.

// elder:allow-file(integrity/security-bypass) reason: the switches that it looks for are written here

#[path = "security_bypass/debug_login.rs"]
mod debug_login;
mod excuses;
mod shapes;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use schemas::severity::Severity;

use crate::lines::indent;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Switches that turn a protection off: certificates are not verified (`verify=False`, `InsecureSkipVerify: true`,
    /// `rejectUnauthorized: false`, `danger_accept_invalid_certs(true)`, `curl --insecure`), keys of hosts are not checked
    /// (`StrictHostKeyChecking no`, `AutoAddPolicy`, `InsecureIgnoreHostKey`), any site may act with a user's login
    /// (every origin allowed, together with credentials), and a function that checks who somebody is lets everybody in
    /// while a switch for developers is on (`if DEBUG: return True`).
    ///
    /// Tests, documentation and examples, lines about the own machine, what is only done if a setting of the user asks for it,
    /// what a comment beside or right above gives a reason for, or one above what it stands in, and hosts that are reached
    /// through a command of one's own (`ProxyCommand`) are left alone. So are words that throw no switch (manuals, help,
    /// texts over several lines, comparisons, tables, and what is called like the switch itself), functions that say by
    /// name or parameter that no protection is wanted (`load_no_verify`) or that they fetch a certificate, machines that
    /// were made a moment ago (containers and guests), certificates that are checked in another way or downloads that are,
    /// and `--insecure` of other programs than `curl`. Two switches for one connection are one finding. In something that
    /// is called insecure the finding is low: nobody takes it for safe.
    ///
    /// ## Why it matters
    /// The connection is encrypted, with whoever answers. Nobody notices until somebody else does.
    ///
    /// ## Example
    /// ```text
    /// requests.get(url, verify=False)
    /// ```
    ///
    /// ## How to fix
    /// Add the authority that signed the certificate to those that are trusted, or the key of the host to the known ones.
    "integrity/security-bypass", Integrity, High, version: 7, Check::Text(check)
);

/// What a switch turns off.
const CERTIFICATE: &str = "certificates are not verified";
const HOST_KEY: &str = "keys of hosts are not checked";
const ORIGIN: &str = "any site may act with a user's login";

/// Switches and what they turn off. Spaces are where there must be some; others may stand between words and signs.
static SWITCHES: &[(&str, &str)] = &[
    ("verify=False", CERTIFICATE),
    ("verify_ssl=False", CERTIFICATE),
    ("_create_unverified_context", CERTIFICATE),
    ("ssl.CERT_NONE", CERTIFICATE),
    ("check_hostname=False", CERTIFICATE),
    ("InsecureSkipVerify:true", CERTIFICATE),
    ("InsecureSkipVerify=true", CERTIFICATE),
    ("rejectUnauthorized:false", CERTIFICATE),
    ("strictSSL:false", CERTIFICATE),
    ("NODE_TLS_REJECT_UNAUTHORIZED=0", CERTIFICATE),
    ("NODE_TLS_REJECT_UNAUTHORIZED='0'", CERTIFICATE),
    ("NODE_TLS_REJECT_UNAUTHORIZED=\"0\"", CERTIFICATE),
    ("danger_accept_invalid_certs(true)", CERTIFICATE),
    ("danger_accept_invalid_hostnames(true)", CERTIFICATE),
    ("SslVerifyMode::NONE", CERTIFICATE),
    ("insecure-skip-tls-verify:true", CERTIFICATE),
    ("--no-check-certificate", CERTIFICATE),
    ("--insecure", CERTIFICATE),
    ("sslVerify=false", CERTIFICATE),
    ("http.sslVerify false", CERTIFICATE),
    ("strict-ssl false", CERTIFICATE),
    ("PYTHONHTTPSVERIFY=0", CERTIFICATE),
    ("GIT_SSL_NO_VERIFY=true", CERTIFICATE),
    ("StrictHostKeyChecking=no", HOST_KEY),
    ("StrictHostKeyChecking no", HOST_KEY),
    ("AutoAddPolicy(", HOST_KEY),
    ("InsecureIgnoreHostKey()", HOST_KEY),
    ("ALLOW_ALL_HOSTNAME_VERIFIER", CERTIFICATE),
    ("CURLOPT_SSL_VERIFYHOST,0", CERTIFICATE),
    ("CURLOPT_SSL_VERIFYHOST,false", CERTIFICATE),
    ("CURLOPT_SSL_VERIFYPEER,0", CERTIFICATE),
    ("CURLOPT_SSL_VERIFYPEER,false", CERTIFICATE),
    ("CURLOPT_SSL_VERIFYPEER=>false", CERTIFICATE),
    ("DangerousAcceptAnyServerCertificateValidator", CERTIFICATE),
    ("NoopHostnameVerifier.INSTANCE", CERTIFICATE),
    ("new NoopHostnameVerifier(", CERTIFICATE),
    ("OpenSSL::SSL::VERIFY_NONE", CERTIFICATE),
    ("TrustAllStrategy.INSTANCE", CERTIFICATE),
    ("new TrustAllStrategy(", CERTIFICATE),
    ("ssl::verify_none)", CERTIFICATE),
    ("very_permissive()", ORIGIN),
];

/// Switches that let every origin in, with the one that hands logins along.
static ORIGINS: &[(&str, &str)] = &[
    ("allow_origins=[\"*\"]", "allow_credentials=True"),
    ("allow_origins=['*']", "allow_credentials=True"),
    ("AllowAllOrigins:true", "AllowCredentials:true"),
    ("AllowOrigins:[]string{\"*\"}", "AllowCredentials:true"),
    ("AllowedOrigins:[]string{\"*\"}", "AllowCredentials:true"),
    ("origin:true", "credentials:true"),
];

/// Lines around one that lets every origin in, within which the other is looked for.
const ORIGIN_LINES: usize = 6;

/// Lines below a switch on which another one for the same connection stands.
const PAIR_LINES: usize = 2;

/// Parts of lines about the own machine.
const OWN_MACHINE: &[&str] = &["127.0.0.1", "::1", "0.0.0.0", "localhost"];

/// Directories of what only shows how.
const SAMPLE_DIRECTORIES: &[&str] =
    &[".devcontainer", "demo", "demos", "example", "examples", "sample", "samples", "tutorial", "tutorials"];

/// Lines above a switch in which what it stands in begins.
const ENCLOSING_LINES: usize = 12;

/// Parts of conditions under which a user wants the protection off.
const ASKING_WORDS: &[&str] = &["cert", "insecure", "trust", "valid", "verif"];

/// Parts of names of switches that are about a connection.
const CONNECTION_WORDS: &[&str] = &["cert", "host", "http", "peer", "ssl", "tls", "x509"];

/// Finds marks in lines of which the spaces were taken out.
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| finder(MatchKind::Standard, |mark| mark.replace(' ', "")));

/// Finds the longest word of each mark, which no line with that mark lacks: so few lines have to be packed.
static HINTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = |mark: &'static str| mark.split(|c: char| !c.is_alphanumeric() && c != '_');
    // Every text goes through it, and this kind of match is the one for which the library looks at many bytes at once.
    finder(MatchKind::LeftmostFirst, |mark| words(mark).max_by_key(|word| word.len()).unwrap_or_default().to_owned())
});

fn finder(kind: MatchKind, shape: impl Fn(&'static str) -> String) -> AhoCorasick {
    let marks = SWITCHES.iter().chain(ORIGINS).map(|(mark, _)| shape(mark));
    let built = AhoCorasick::builder().match_kind(kind).build(marks);
    built.expect("some dozen short marks fit every limit of the automaton")
}

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path;
    // Only where comments can be told from code.
    let is_code =
        file.outline.gap.is_none() || !file.outline.comments.is_empty() || paths::file_name(path).contains("config");
    if !is_code || paths::is_documentation(path) || paths::has_directory(path, SAMPLE_DIRECTORIES) {
        return;
    }
    let open: BTreeSet<usize> = debug_login::lines(file).into_iter().collect();
    let hinted = HINTS.find_iter(file.source.text.as_ref()).map(|hit| file.source.line_of(hit.start()));
    let lines: BTreeSet<usize> = hinted.chain(open.iter().copied()).collect();
    let mut last: Option<(usize, &str)> = None;
    for index in lines {
        let line = file.source.line_span(index);
        let text = file.text(&line);
        if open.contains(&index) {
            admit(file, index, found);
        }
        let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let Some(hit) = FINDER.find(&packed) else { continue };
        let at = line.start + (text.len() - text.trim_start().len());
        let mark = hit.pattern().as_usize();
        let what = match SWITCHES.get(mark) {
            Some((_, what)) => *what,
            None if has_credentials(file, index, ORIGINS[mark - SWITCHES.len()].1) => ORIGIN,
            None => continue,
        };
        let first = SWITCHES.get(mark).map_or("", |(mark, _)| &mark[..mark.len().min(6)]);
        let place = text.find(first).map_or(at, |offset| line.start + offset);
        if is_harmless(file, index, place, text) || is_negated(&packed[..hit.start()]) || is_other_option(text) {
            continue;
        }
        if excuses::is_left_alone(file, index, what, text, &packed[hit.start()..]) {
            continue;
        }
        let text_of = |line: usize| file.text(&file.source.line_span(line)).to_ascii_lowercase();
        let around: Vec<String> = enclosing(file, index).map(text_of).collect();
        if around.iter().any(|line| is_asked_for(line)) {
            continue;
        }
        if shapes::is_only_words(file, index, place, what) {
            continue;
        }
        // A connection has more than one switch.
        let is_same = last.is_some_and(|(line, before)| before == what && line + PAIR_LINES >= index);
        last = Some((index, what));
        if is_same {
            continue;
        }
        let is_named = around.iter().any(|line| line.contains("insecure"));
        found.push(Hit {
            place: file.place(at..line.end),
            severity: if is_named { Severity::Low } else { Severity::High },
            confidence_permille: 850,
            message: what.to_owned(),
            suggestion: "trust the authority or the key that is needed, and leave the protection on",
        });
    }
}

/// Reports the line `index`, which lets everybody in while a switch for developers is on.
fn admit(file: &File<'_>, index: usize, found: &mut Findings<'_>) {
    let line = file.source.line_span(index);
    let text = file.text(&line);
    let at = line.start + (text.len() - text.trim_start().len());
    if is_harmless(file, index, at, text) {
        return;
    }
    found.push(Hit {
        place: file.place(at..line.end),
        severity: Severity::High,
        confidence_permille: 700,
        message: "everybody is let in while a switch for developers is on".to_owned(),
        suggestion: "give developers accounts of their own, and leave the check on",
    });
}

/// Whether the switch at byte `place` is text, belongs to tests, or is about the own machine.
fn is_harmless(file: &File<'_>, index: usize, place: usize, text: &str) -> bool {
    let is_comment = file.outline.comment_around(place).is_some();
    // What a shell is told stands in strings; a switch of the language does not.
    let is_string = file.outline.is_quoted(place) && !text.contains("StrictHostKeyChecking") && !text.contains("_TLS_");
    let near = file.source.line_span(index.saturating_sub(1)).start..file.source.line_span(index + 1).end;
    is_comment || is_string || file.is_test_code(place) || OWN_MACHINE.iter().any(|own| file.text(&near).contains(own))
}

/// Whether a switch behind `before` says the opposite, as `skip_verify=False` does.
fn is_negated(before: &str) -> bool {
    // A comparison asks whether it is off.
    if before.ends_with("==") || before.ends_with("!=") {
        return true;
    }
    let before = before.to_ascii_lowercase();
    if ["disable_", "no_", "skip_", "dont_"].iter().any(|word| before.ends_with(word)) {
        return true;
    }
    // `pkg_verify` is another word; `ssl_verify` is not.
    let longer = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    longer.ends_with('_') && !CONNECTION_WORDS.iter().any(|word| longer.contains(word))
}

/// The lines above line `index` in which what it stands in begins: each is indented less than the one before.
fn enclosing(file: &File<'_>, index: usize) -> impl Iterator<Item = usize> {
    let mut inner = indent(file.text(&file.source.line_span(index)));
    (index.saturating_sub(ENCLOSING_LINES)..index).rev().filter(move |line| {
        let text = file.text(&file.source.line_span(*line));
        let encloses = !text.trim().is_empty() && indent(text) < inner;
        inner = if encloses { indent(text) } else { inner };
        encloses
    })
}

/// Whether `line`, in lower case, is a condition that a setting asks for less protection.
fn is_asked_for(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(['}', ' ']);
    let is_condition = ["if ", "if(", "elif ", "else if", "case "].iter().any(|open| line.starts_with(open));
    is_condition && ASKING_WORDS.iter().any(|word| line.contains(word))
}

/// Whether `text` has an option that only starts like the one of curl.
fn is_other_option(text: &str) -> bool {
    text.split_once("--insecure")
        .is_some_and(|(_, rest)| rest.starts_with(|c: char| c == '-' || c == '_' || c.is_alphanumeric()))
        && !text.contains("tls-verify")
}

fn has_credentials(file: &File<'_>, index: usize, mark: &str) -> bool {
    let start = file.source.line_span(index.saturating_sub(ORIGIN_LINES)).start;
    let end = file.source.line_span(index + ORIGIN_LINES).end;
    let packed: String = file.text(&(start..end)).chars().filter(|c| !c.is_whitespace()).collect();
    packed.contains(mark)
}

#[cfg(test)]
#[path = "security_bypass/tests.rs"]
mod tests;
