//! Secrets in the repository.

mod made_up;

use schemas::finding::CONFIDENCE_FULL;
use schemas::ids::Digest;
use schemas::severity::Severity;

use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Tokens of some ninety providers by their prefix, length, characters and, where the provider made one, checksum;
    /// blocks of private keys; random-looking passwords in addresses; and random-looking values given to names such as
    /// `password` or `api_key`.
    ///
    /// A value known only by its looks and the name it is given to is a guess, and never worse than medium. Guesses are left
    /// alone in tests, documentation, examples, comments and files to be filled in (`.env.example`), where a comment or the
    /// name says that they are public, for a test or made up, and where they are words that somebody typed. So are keys
    /// that every visitor gets: `NEXT_PUBLIC_..`, `pk_..`, and the keys of maps and search in the settings of a web page. Names
    /// of keys in signed requests (`X-Amz-Credential=`) open nothing.
    ///
    /// A token of a provider in a test is low; in documentation it is medium unless its checksum proves it. A
    /// private key in a test, an example, a file that says so by its path (`insecure`, for a virtual machine), or below a
    /// comment or name that says so is info: nearly always it was made for that; one that was cut off is none. The
    /// secret itself is not kept: reports show its prefix and `***`.
    ///
    /// ## Why it matters
    /// Whoever can read the repository, any old clone or any backup of it can use the secret. Removing the line does not
    /// help: history keeps it.
    ///
    /// ## Example
    /// ```text
    /// client = Client(token="glpat-***")
    /// ```
    ///
    /// ## How to fix
    /// Revoke the secret at its provider first, then read the new one from the environment or a secret store.
    "integrity/committed-secret", Integrity, Critical, version: 7, Check::Text(check)
);

/// Confidence in a secret that documentation shows, in permille.
const SHOWN_PERMILLE: u16 = 650;

/// Confidence up to which a token has a checksum that does not fit, in permille.
const TYPED_PERMILLE: u16 = 500;

/// What a block of a private key is called.
const KEY: &str = "private key";

/// What is known only by its looks and the name it is given to.
const GUESS: &str = "secret-like value";

/// The same in an address.
const ADDRESS: &str = "password in an address";

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let in_tests = file.is_test();
    let in_documentation = paths::is_documentation(file.source.path);
    let is_sample = in_tests || made_up::is_sample(file.source.path);
    let is_trial = made_up::is_trial(file.source.path);
    for secret in &file.secrets {
        let is_test = in_tests || file.outline.is_test_code(secret.span.start);
        let is_guess = [GUESS, ADDRESS].contains(&secret.what);
        // A checksum that does not fit was typed for the sample.
        let is_typed = is_sample && secret.confidence_permille <= TYPED_PERMILLE;
        if is_typed
            || (is_guess && (is_test || made_up::is_harmless(file, &secret.span)))
            || made_up::is_for_clients(file, &secret.span, secret.what)
            || made_up::is_name_of_signature(file, &secret.span)
        {
            continue;
        }
        // Part of the fingerprint, so that another secret on the same line is another finding; 32 bits tell secrets
        // of one file apart and give none of them away.
        let text = file.text(&secret.span);
        let mark = Digest::of(format!("{}\n{text}", RULE.id).as_bytes());
        // Documentation shows made-up secrets; only a checksum tells that one is real.
        let is_shown = in_documentation && secret.confidence_permille < CONFIDENCE_FULL;
        found.push(Hit {
            place: file.place(secret.span.clone()).marked(&mark.as_str()[..8]),
            severity: if secret.what == KEY
                && (is_test || is_trial || made_up::is_said_to_be_for_trial(file, &secret.span))
            {
                Severity::Info
            } else if is_test {
                Severity::Low
            } else {
                Severity::Critical
            },
            confidence_permille: if is_shown {
                secret.confidence_permille.min(SHOWN_PERMILLE)
            } else {
                secret.confidence_permille
            },
            message: format!("{} in the repository", secret.what),
            suggestion: "revoke it at its provider, then read the new one from the environment or a secret store",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{check, findings};
    use crate::secrets::samples::{drawn, typed};
    use schemas::severity::Severity::{Critical, Info, Low, Medium};

    const GITLAB: &str = concat!("glp", "at-", "Zk3vQ9xLr7TbWm2NcYdH");
    const GITHUB: &str = concat!("gh", "p_", "Zk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve", "01a2B3");
    const PLAIN: &str = concat!("Zk3vQ9xLr7", "TbWm2NcYdH");

    #[test]
    fn tokens_are_critical_in_every_language() {
        for path in ["a.rs", "a.py", "a.go", "a.ts", "a.sh", "unknown.zzz"] {
            check(&RULE, path, &format!("\nx = \"{GITLAB}\"\n"), &[(2, Critical)]);
        }
    }

    #[test]
    fn guesses_are_never_worse_than_medium() {
        check(&RULE, "a.py", &format!("password = \"{PLAIN}\"\n"), &[(1, Medium)]);
        check(&RULE, ".env", &format!("A=1\nDB_PASSWORD={PLAIN}\n"), &[(2, Medium)]);
        check(&RULE, "a.js", &format!("x = '{GITHUB}'\n"), &[(1, Medium)]);
    }

    #[test]
    fn documentation_shows_secrets_that_are_none() {
        check(&RULE, "docs/use.rst", &format!("x = \"{GITLAB}\"\n"), &[(1, Medium)]);
        check(&RULE, "README.md", &format!("password = \"{PLAIN}\"\n"), &[]);
    }

    #[test]
    fn private_keys_are_critical() {
        let dashes = "-".repeat(5);
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
        let key = format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{body}\n{dashes}END PRIVATE KEY{dashes}\n");
        check(&RULE, "deploy/key.pem", &key, &[(1, Critical)]);
        check(&RULE, "tests/key.pem", &key, &[(1, Info)]);
        let reported = &findings(&RULE, "deploy/key.pem", &key)[0];
        assert_eq!(reported.snippet, format!("{dashes}BEGIN PRIVATE KEY{dashes}***"));
    }

    #[test]
    fn tests_and_fixtures_are_low() {
        check(&RULE, "tests/fixtures/a.json", &format!("[\"{GITLAB}\"]"), &[(1, Low)]);
        check(
            &RULE,
            "src/a.rs",
            &format!("#[cfg(test)]\nmod tests {{\n const A: &str = \"{GITLAB}\";\n}}\n"),
            &[(3, Low)],
        );
    }

    #[test]
    fn examples_and_lookalikes_are_no_secrets() {
        let aws_example = concat!("AKIA", "IOSFODNN7", "EXAMPLE");
        for text in [
            format!("key = \"{aws_example}\""),
            format!("x = \"{}\"", concat!("glp", "at-", "xxxxxxxxxxxxxxxxxxxx")),
            format!("x = \"a{GITLAB}\""),
            "password = os.environ[\"DATABASE_PASSWORD_2024\"]".to_owned(),
            "password = \"correct horse battery staple 99\"".to_owned(),
            "api_key = \"${API_KEY_0123}\"; secret = \"<your-token-1234>\"; token = \"changeme-please-99\"".to_owned(),
            format!("secret = \"{}\"", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY".to_owned() + "EXAMPLEKEY"),
            format!("integrity: sha512-{}", "Zk3vQ9xLr7TbWm2NcYdH".repeat(4)),
        ] {
            check(&RULE, "a.py", &text, &[]);
        }
    }

    #[test]
    fn tokens_of_every_provider_are_found_and_never_shown() {
        for sample in drawn() {
            let text = format!("\nx = \"{}\" # {}\n", sample.token, sample.token);
            let found = findings(&RULE, "a.py", &text);
            assert_eq!(found.len(), 2, "{} {}", sample.what, sample.shown);
            let json = serde_json::to_string(&found).unwrap();
            // Neither whole nor in pieces, but for what every token of the kind has.
            let drawn = sample.token.strip_prefix(sample.shown).unwrap();
            let pieces = drawn.as_bytes().windows(6).map(|piece| std::str::from_utf8(piece).unwrap());
            for piece in pieces {
                assert!(!json.contains(piece), "{} {}: {piece} in {json}", sample.what, sample.shown);
            }
        }
    }

    #[test]
    fn tokens_of_no_provider_are_found_where_they_were_typed() {
        for sample in typed() {
            check(&RULE, "a.yaml", &format!("x: {}\n", sample.token), &[]);
        }
    }

    #[test]
    fn the_secret_itself_is_nowhere_in_the_finding() {
        let text = format!("a = \"{GITLAB}\"; password = \"{PLAIN}\"");
        let found = findings(&RULE, "a.js", &text);
        assert_eq!(found.len(), 2);
        for one in &found {
            assert_eq!(one.snippet, "a = \"glpat-***\"; password = \"***\"");
            let json = serde_json::to_string(one).unwrap();
            assert!(!json.contains("Zk3v"), "{json}");
        }
    }

    #[test]
    fn another_secret_on_the_same_line_is_another_finding() {
        let print = |token: &str| findings(&RULE, "a.js", &format!("a = \"{token}\""))[0].fingerprint.clone();
        assert_eq!(print(GITLAB), print(GITLAB));
        assert_ne!(print(GITLAB), print(&GITLAB.replace("Zk3v", "Yk3v")));
    }
}
