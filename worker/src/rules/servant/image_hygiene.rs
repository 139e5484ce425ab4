//! Container images that hold secrets, run as root, or are not the same tomorrow.

use std::collections::HashSet;

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::image::{Image, Instruction, Stage};
use crate::outline::Span;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, rule};

rule!(
    /// ## What it finds
    /// In recipes of container images: a value given to an `ENV` or `ARG` whose name promises a secret (high, in a build stage
    /// medium), an `ARG` of such a name without a value (medium), `USER root` at the end of the last stage (medium) or no `USER`
    /// there (low), `ADD` from the network without a checksum (medium), and base images without a tag or with `latest` (low).
    ///
    /// Build stages may run as root; `scratch` has no users, and programs that run containers (`dockerd`, `kubelet`)
    /// must be root. Images that change to another user when they start (`gosu`, `su-exec`), bases called `nonroot` or
    /// `rootless`, and stages made from one that changed its user, need no `USER`; nor do images for tests, whose base
    /// may be any, and for writing the code in (`.devcontainer`, `.gitpod`), and those whose last stage gets a
    /// compiler, since they build something and end. Values that are taken from elsewhere (`$NAME`), paths and empty
    /// ones are no secrets.
    ///
    /// ## Why it matters
    /// Whoever can pull an image can read its environment and its history. A process that breaks out of a container is root
    /// on the host if it was root inside. What is loaded without a digest may be something else at the next build.
    ///
    /// ## Example
    /// ```text
    /// ENV API_TOKEN=***
    /// ```
    ///
    /// ## How to fix
    /// Give secrets with `RUN --mount=type=secret`, or when the container starts. Create a user and end with `USER`. Name base
    /// images by tag and digest, and downloads with `ADD --checksum=`.
    "servant/image-hygiene", Servant, High, version: 3, Check::Automation(check)
);

/// Last words of names that promise a secret.
const SECRET_NAMES: &[&str] = &[
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "CREDENTIALS",
    "PASSWD",
    "PASSWORD",
    "PRIVATE_KEY",
    "SECRET",
    "SECRET_KEY",
    "TOKEN",
];

/// Parts of names of base images that set another user.
const OTHER_USER_MARKS: &[&str] = &["nonroot", "rootless", "unprivileged"];

/// Programs that run containers, as commands and as names of their folders (`/var/lib/kubelet`).
const CONTAINER_DAEMONS: &[&str] =
    &["buildkitd", "containerd", "crio", "docker-init", "dockerd", "k0s", "k3s", "kubelet", "rke2"];

/// Programs by which an image that starts as root changes to another user.
const USER_CHANGERS: &[&str] = &["gosu", "s6-setuidgid", "setpriv", "setuidgid", "su-exec"];

/// Packages of compilers and what drives them.
const COMPILERS: &[&str] = &["build-base", "build-essential", "clang", "cmake", "g++", "gcc", "make", "ninja-build"];

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Image(image) = automation else { return };
    for instruction in &image.head {
        check_secrets(file, instruction, true, found);
    }
    let mut earlier = HashSet::new();
    for (index, stage) in image.stages.iter().enumerate() {
        let is_last = index + 1 == image.stages.len();
        let base = file.text(&stage.base);
        if !is_fixed(base) && !file.is_test() && !earlier.contains(&base.to_lowercase()) {
            let advice = "name the base image by tag and digest";
            report(
                || file.place(stage.base.clone()),
                Severity::Low,
                900,
                "base image may be another one tomorrow",
                advice,
                found,
            );
        }
        earlier.extend(stage.name.clone());
        for instruction in &stage.instructions {
            check_secrets(file, instruction, !is_last, found);
            check_add(file, instruction, found);
        }
        if is_last {
            check_user(file, image, stage, found);
        }
    }
}

fn report(
    place: impl FnOnce() -> Place,
    severity: Severity,
    confidence_permille: u16,
    message: &str,
    suggestion: &'static str,
    found: &mut Findings<'_>,
) {
    if found.is_full() {
        return;
    }
    found.push(Hit { place: place(), severity, confidence_permille, message: message.to_owned(), suggestion });
}

/// Whether the image `base` has a tag or a digest; what an argument decides is not known.
fn is_fixed(base: &str) -> bool {
    let name = base.rsplit('/').next().unwrap_or(base);
    let has_tag = name.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    base == "scratch" || base.contains(['$', '@', '{']) || has_tag
}

fn is_named(stage: &Stage, name: &str) -> bool {
    stage.name.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name))
}

fn check_secrets(file: &File<'_>, instruction: &Instruction, is_build_stage: bool, found: &mut Findings<'_>) {
    if instruction.name != "ENV" && instruction.name != "ARG" {
        return;
    }
    let is_old_form = instruction.words.first().is_some_and(|word| !file.text(word).contains('='));
    for word in &instruction.words {
        let text = file.text(word);
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            // `ENV NAME value`
            None if instruction.name == "ENV" && is_old_form => {
                (text, instruction.words.get(1).map(|value| file.text(value)))
            }
            None => (text, None),
        };
        if promises_secret(name) {
            let severity = match value {
                Some(value) if !is_secret(value) => None,
                Some(_) if is_build_stage => Some(Severity::Medium),
                Some(_) => Some(Severity::High),
                None => (instruction.name == "ARG").then_some(Severity::Medium),
            };
            if let Some(severity) = severity {
                let place = || file.place_alone(word.start..word.start + name.len());
                let advice = "give secrets with `RUN --mount=type=secret`, or when the container starts";
                let message =
                    if value.is_some() { "secret in the image" } else { "secret in the history of the image" };
                report(place, severity, 850, message, advice, found);
            }
        }
        if instruction.name == "ENV" && is_old_form {
            return;
        }
    }
}

fn promises_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_NAMES.iter().any(|known| {
        name.strip_suffix(known)
            .is_some_and(|before| before.is_empty() || before.ends_with('_') || before.ends_with('-'))
    })
}

/// Whether `value` may be a secret: not empty, not taken from elsewhere, not a path, not a word for a setting.
fn is_secret(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    !value.is_empty()
        && !value.starts_with(['$', '/', '<'])
        && !matches!(value.to_ascii_lowercase().as_str(), "false" | "true" | "none" | "null" | "0" | "1")
}

fn check_add(file: &File<'_>, instruction: &Instruction, found: &mut Findings<'_>) {
    if instruction.name != "ADD" || instruction.words.iter().any(|word| file.text(word).starts_with("--checksum=")) {
        return;
    }
    let is_remote = |word: &&Span| ["http://", "https://"].iter().any(|scheme| file.text(word).starts_with(scheme));
    for word in instruction.words.iter().filter(is_remote) {
        let advice = "add `--checksum=sha256:…`, or load it in a build stage and check it there";
        report(|| file.place(word.clone()), Severity::Medium, 900, "download is not checked", advice, found);
    }
}

fn check_user(file: &File<'_>, image: &Image, last: &Stage, found: &mut Findings<'_>) {
    let advice = "create a user and end the last stage with `USER`";
    match user(file, image, last) {
        Some(word) if is_root(file.text(&word)) => {
            report(|| file.place(word), Severity::Medium, 950, "container runs as root", advice, found);
        }
        Some(_) => {}
        None if file.text(&last.base) == "scratch" || runs_containers(file, last) || changes_user(file, last) => {}
        None if file.is_test() || is_for_show(file.source.path) || gets_compiler(file, last) => {}
        None if OTHER_USER_MARKS.iter().any(|mark| file.text(&last.base).contains(mark)) => {}
        None => {
            let message = "container runs as the user of its base image, mostly root";
            report(|| file.place(last.base.clone()), Severity::Low, 700, message, advice, found);
        }
    }
}

/// Whether the image is one to write the code in, or shows how something is used.
fn is_for_show(path: &str) -> bool {
    paths::has_directory(path, &[".devcontainer"])
        || paths::file_name(path).starts_with(".gitpod.")
        || paths::is_example(path)
}

/// Whether `stage` gets what is needed to build something, and so ends when that is built.
fn gets_compiler(file: &File<'_>, stage: &Stage) -> bool {
    let runs = stage.instructions.iter().filter(|instruction| instruction.name == "RUN");
    let mut words = runs.flat_map(|run| &run.words).map(|word| file.text(word));
    words.any(|word| COMPILERS.contains(&word) || word.starts_with("clang-") || word.starts_with("gcc-"))
}

/// Whether what `stage` starts or keeps is that of a program that runs containers, which must be root.
fn runs_containers(file: &File<'_>, stage: &Stage) -> bool {
    names_any(file, stage, &["CMD", "ENTRYPOINT", "VOLUME"], CONTAINER_DAEMONS)
}

/// Whether `stage` gets or starts a program that changes to another user.
fn changes_user(file: &File<'_>, stage: &Stage) -> bool {
    names_any(file, stage, &["CMD", "COPY", "ENTRYPOINT", "RUN"], USER_CHANGERS)
}

/// Whether one of these `programs` stands in one of these `instructions` of `stage`, alone or as a part of a path.
fn names_any(file: &File<'_>, stage: &Stage, instructions: &[&str], programs: &[&str]) -> bool {
    let told = stage.instructions.iter().filter(|one| instructions.contains(&one.name.as_str()));
    let mut words = told
        .flat_map(|one| &one.words)
        .flat_map(|word| file.text(word).split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_')));
    words.any(|word| programs.contains(&word))
}

/// The user that `stage` ends with, its own or that of the stages it is made from.
fn user(file: &File<'_>, image: &Image, stage: &Stage) -> Option<Span> {
    let mut end = image.stages.len();
    let mut stage = stage;
    loop {
        let users = stage.instructions.iter().filter(|instruction| instruction.name == "USER");
        if let Some(word) = users.filter_map(|user| user.words.first()).next_back() {
            return Some(word.clone());
        }
        // Only from earlier ones, so that this ends.
        let base = file.text(&stage.base);
        end =
            image.stages[..end].iter().rposition(|earlier| is_named(earlier, base) && !std::ptr::eq(earlier, stage))?;
        stage = &image.stages[end];
    }
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("root" | "0"))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{check, findings};
    use schemas::severity::Severity::{High, Low, Medium};

    #[test]
    fn users() {
        let run = |text: &str, expected: &[_]| check(&RULE, "Dockerfile", text, expected);
        run("FROM a:1\nUSER root\n", &[(2, Medium)]);
        run("FROM a:1\nUSER b\nRUN c\nUSER 0:0\n", &[(4, Medium)]);
        run("FROM a:1\nRUN b\n", &[(1, Low)]);
        run("FROM a:1 AS b\nUSER root\nFROM c:1\nUSER d\n", &[]);
        run("FROM a:1 AS b\nUSER c\nFROM b\nRUN d\n", &[]);
        run("FROM gcr.io/distroless/static:nonroot\nCOPY a b\n", &[]);
        run("FROM a:1\nUSER root\nRUN b\nUSER $NAME\n", &[]);
        run("FROM scratch\nCOPY a b\nENTRYPOINT c\n", &[]);
        run("FROM scratch\nCOPY a b\nUSER root\n", &[(3, Medium)]);
        run("FROM a:1\nVOLUME /var/lib/kubelet\nENTRYPOINT [\"/bin/b\"]\n", &[]);
        run("FROM a:1\nENTRYPOINT [\"/usr/bin/dockerd\", \"-D\"]\n", &[]);
        run("FROM a:1\nVOLUME /var/lib/cart\nENTRYPOINT [\"/bin/b\"]\nRUN dockerd --version\n", &[(1, Low)]);
        run("FROM scratch\nCOPY a b\n", &[]);
        run("FROM a:1\nRUN apk add --no-cache b su-exec\nENTRYPOINT [\"/bin/c\"]\n", &[]);
        run("FROM a:1\nCOPY --from=b /gosu /bin/\nENTRYPOINT [\"/bin/c\"]\n", &[]);
        run("FROM a:1\nRUN apk add --no-cache b sudo\nENTRYPOINT [\"/bin/c\"]\n", &[(1, Low)]);
        run("FROM a:1 AS b\nRUN apk add su-exec\nFROM c:1\nENTRYPOINT [\"/bin/d\"]\n", &[(3, Low)]);
        run("FROM a:1 AS a\nFROM a AS a\nFROM a\n", &[(3, Low)]);
        run("FROM a:1\nRUN apt-get install -y cmake && b\nENTRYPOINT c\n", &[]);
        run("FROM a:1\nRUN apt-get install -y b\nENTRYPOINT c\n", &[(1, Low)]);
        run("FROM a:1 AS b\nRUN apk add gcc\nFROM c:1\nCOPY --from=b d e\n", &[(3, Low)]);
        for path in ["tests/Dockerfile", "examples/a/Dockerfile", ".devcontainer/Dockerfile", ".gitpod.Dockerfile"] {
            check(&RULE, path, "FROM a:1\nRUN b\n", &[]);
            check(&RULE, path, "FROM a:1\nUSER root\n", &[(2, Medium)]);
        }
    }

    #[test]
    fn bases() {
        let run =
            |base: &str, expected: &[_]| check(&RULE, "a/Containerfile", &format!("FROM {base}\nUSER b\n"), expected);
        run("a:latest", &[(1, Low)]);
        run("ghcr.io:443/a/b", &[(1, Low)]);
        for base in ["a:1", "scratch", "${BASE}", "a@sha256:0", "a:${TAG}", "--platform=x a:1 AS c"] {
            run(base, &[]);
        }
        check(&RULE, "tests/a/Dockerfile", "FROM a:latest\nUSER b\n", &[]);
        check(&RULE, "Dockerfile", "FROM a:1 AS Build\nFROM build\nUSER c\n", &[]);
    }

    #[test]
    fn downloads() {
        let run =
            |add: &str, expected: &[_]| check(&RULE, "Dockerfile", &format!("FROM a:1\n{add}\nUSER b\n"), expected);
        run("ADD https://a/b.tar.gz /c/", &[(2, Medium)]);
        run("add --chown=1:1 http://a/b \\\n /c/", &[(2, Medium)]);
        for add in
            ["ADD --checksum=sha256:0 https://a/b /c/", "ADD a.tar.gz /b/", "RUN curl https://a", "# ADD https://a b"]
        {
            run(add, &[]);
        }
    }

    #[test]
    fn secrets() {
        let run =
            |line: &str, expected: &[_]| check(&RULE, "x.dockerfile", &format!("FROM a:1\n{line}\nUSER b\n"), expected);
        run("ENV A=b DB_PASSWORD=hunter2", &[(2, High)]);
        run("ENV API_TOKEN hunter2", &[(2, High)]);
        run("ARG npm_token=hunter2", &[(2, High)]);
        run("ARG NPM_TOKEN", &[(2, Medium)]);
        check(
            &RULE,
            "Dockerfile",
            "ARG A_SECRET=b\nFROM a:1 AS c\nENV PASSWORD=d\nFROM c\nUSER e\n",
            &[(1, Medium), (3, Medium)],
        );
        for line in [
            "ENV DB_PASSWORD=$DB_PASSWORD",
            "ENV PASSWORD_FILE=/a",
            "ENV TOKEN=",
            "ENV A_TOKEN=/run/secrets/a",
            "ARG MONKEY=1",
            "ENV USE_TOKEN=true",
            "LABEL TOKEN=hunter2",
            "RUN --mount=type=secret,id=a TOKEN=$(cat /run/secrets/a) b",
        ] {
            run(line, &[]);
        }
    }

    #[test]
    fn the_secret_itself_is_nowhere_in_the_finding() {
        let text = "FROM a:1\nENV DB_PASSWORD=hunter2 A_TOKEN=hunter3\nENV SECRET hunter4\nUSER b\n";
        let found = findings(&RULE, "Dockerfile", text);
        assert_eq!(
            found.iter().map(|one| one.snippet.as_str()).collect::<Vec<_>>(),
            ["DB_PASSWORD", "A_TOKEN", "SECRET"]
        );
        assert!(!serde_json::to_string(&found).unwrap().contains("hunter"));
    }
}
