//! Which language a file is in, and how that language becomes an outline.

mod annotations;
mod assertions;
mod bash;
mod body;
mod c;
mod c_sharp;
mod calls;
mod comments;
mod control;
mod cpp;
mod draft;
mod endless;
mod fields;
mod go;
mod headers;
mod java;
mod javascript;
mod kotlin;
mod php;
mod plain;
mod python;
mod ruby;
mod rust;
mod swift;
mod symbols;
mod tables;
mod walk;

use schemas::catalogue::LanguageMeta;
use schemas::item::SkipReason;

use crate::outline::Outline;
use crate::paths;
use crate::source::Source;
use comments::Syntax;
use walk::Grammar;

/// A language and how its files are known.
struct Language {
    /// Extensions, lower case.
    extensions: &'static [&'static str],
    /// Whole file names.
    names: &'static [&'static str],
    /// Programs in the first line of scripts.
    interpreters: &'static [&'static str],
    /// How it is parsed, if it is.
    parser: Option<Parser>,
    /// How it writes comments: all that is known without a parser, or if the parser gives up.
    comments: &'static Syntax,
    /// Raised whenever the same text may give another outline.
    version: u32,
}

/// Who parses a language.
enum Parser {
    /// Tree-sitter, by a grammar.
    Grammar(&'static Grammar),
    /// A parser of its own: the outline by path and text, or `None` if it ran over its budget.
    Own(fn(&str, &str) -> Option<Outline>),
}

/// Extensions without a parser, by the way they write comments.
const fn text(extensions: &'static [&'static str], comments: &'static Syntax) -> Language {
    Language { extensions, names: &[], interpreters: &[], parser: None, comments, version: 1 }
}

/// A language that is parsed by a grammar.
const fn parsed(
    extensions: &'static [&'static str],
    interpreters: &'static [&'static str],
    grammar: &'static Grammar,
    comments: &'static Syntax,
) -> Language {
    Language { extensions, names: &[], interpreters, parser: Some(Parser::Grammar(grammar)), comments, version: 1 }
}

/// A language with a parser of its own.
const fn script(
    extensions: &'static [&'static str],
    interpreters: &'static [&'static str],
    outline: fn(&str, &str) -> Option<Outline>,
) -> Language {
    let parser = Some(Parser::Own(outline));
    Language { extensions, names: &[], interpreters, parser, comments: &comments::C_LIKE, version: 1 }
}

impl Language {
    /// The same, read in a newer way.
    const fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }
}

/// Every known language. What is in none of them, such as prose, has no comments.
static LANGUAGES: &[Language] = &[
    parsed(&["rs"], &["rust-script"], &rust::RUST, &comments::RUST).version(3),
    Language {
        comments: &comments::HASH,
        ..script(&["py", "pyi", "pyw"], &["python", "python2", "python3"], python::outline).version(4)
    },
    parsed(&["go"], &[], &go::GO, &comments::C_LIKE).version(4),
    script(&["cjs", "js", "jsx", "mjs"], &["node", "bun"], javascript::javascript).version(4),
    script(&["cts", "mts", "ts"], &["deno", "ts-node", "tsx"], javascript::typescript).version(4),
    script(&["tsx"], &[], javascript::tsx).version(4),
    parsed(&["java"], &[], &java::JAVA, &comments::C_LIKE).version(4),
    parsed(&[headers::C], &[], &c::C, &comments::C_LIKE).version(4),
    parsed(
        &["cc", headers::CPP, "cxx", "hh", "hpp", "hxx", "inl", "ipp", "tcc", "tpp"],
        &[],
        &cpp::CPP,
        &comments::C_LIKE,
    )
    .version(3),
    parsed(&["cs", "csx"], &[], &c_sharp::C_SHARP, &comments::C_LIKE).version(5),
    parsed(&["kt", "kts"], &[], &kotlin::KOTLIN, &comments::C_LIKE).version(5),
    parsed(&["swift"], &["swift"], &swift::SWIFT, &comments::C_LIKE).version(5),
    parsed(&["php", "phtml"], &["php"], &php::PHP, &comments::PHP).version(5),
    Language {
        names: &["Fastfile", "Gemfile", "Podfile", "Rakefile", "Vagrantfile"],
        ..parsed(&["gemspec", "rake", "rb", "ru"], &["ruby"], &ruby::RUBY, &comments::HASH).version(5)
    },
    Language {
        names: &[".bash_profile", ".bashrc", ".profile", ".zprofile", ".zshrc"],
        ..parsed(
            &["bash", "bats", "ksh", "sh", "zsh"],
            &["bash", "bats", "dash", "ksh", "sh", "zsh"],
            &bash::BASH,
            &comments::HASH,
        )
        .version(4)
    },
    text(
        &[
            "d",
            "dart",
            "gradle",
            "groovy",
            "jsonc",
            "less",
            headers::OBJECTIVE_C,
            "mm",
            "proto",
            "scala",
            "scss",
            "sol",
            "zig",
        ],
        &comments::C_LIKE,
    ),
    Language {
        extensions: &[
            "awk",
            "bzl",
            "cfg",
            "cmake",
            "conf",
            "dockerfile",
            "env",
            "ex",
            "exs",
            "fish",
            "graphql",
            "jl",
            "mk",
            "nix",
            "pl",
            "pm",
            "properties",
            "ps1",
            "r",
            "tcl",
            "toml",
            "yaml",
            "yml",
        ],
        names: &[
            ".dockerignore",
            ".editorconfig",
            ".env",
            ".gitattributes",
            ".gitignore",
            "BUILD",
            "CMakeLists.txt",
            "Containerfile",
            "Dockerfile",
            "GNUmakefile",
            "Justfile",
            "Makefile",
            "WORKSPACE",
            "justfile",
            "makefile",
            "requirements.txt",
        ],
        interpreters: &["awk", "fish", "make", "perl"],
        parser: None,
        comments: &comments::HASH,
        version: 1,
    },
    text(&["css"], &comments::CSS),
    text(&["hcl", "tf", "tfvars"], &comments::HCL),
    text(&["adb", "ads", "sql", "vhd"], &comments::SQL),
    text(&["lua"], &comments::LUA),
    text(&["elm", "hs"], &comments::HASKELL),
    text(&["htm", "html", "svg", "xhtml", "xml", "xsd", "xsl"], &comments::MARKUP),
    text(&["svelte", "vue"], &comments::COMPONENT),
    text(&["asm", "clj", "cljs", "el", "lisp", "rkt", "scm"], &comments::SEMICOLON),
    text(&["inf", "ini"], &comments::INI),
    text(&["erl", "hrl", "sty", "tex"], &comments::PERCENT),
];

/// Every language with its version.
pub(crate) fn versions() -> Vec<LanguageMeta> {
    let meta = |language: &Language| {
        let name = language.extensions.first().copied().unwrap_or_default().to_owned();
        LanguageMeta { name, version: language.version }
    };
    LANGUAGES.iter().map(meta).collect()
}

/// The outline of `source`, as deep as its language allows.
pub(crate) fn outline(source: &Source<'_>) -> Outline {
    let Some(language) = detect(source.path, &source.text) else {
        return Outline::of_comments(Vec::new(), SkipReason::NoLanguage);
    };
    let by_marks = |gap| Outline::of_comments(comments::comments(&source.text, language.comments), gap);
    let parsed = match &language.parser {
        None => return by_marks(SkipReason::NoLanguage),
        Some(Parser::Grammar(grammar)) => grammar.outline(source.path, &source.text),
        Some(Parser::Own(outline)) => outline(source.path, &source.text),
    };
    parsed.unwrap_or_else(|| by_marks(SkipReason::ParseBudget))
}

/// By name, then by extension, then by the first line of a script.
fn detect(path: &str, text: &str) -> Option<&'static Language> {
    let name = paths::file_name(path);
    let by_name = LANGUAGES.iter().find(|language| language.names.contains(&name));
    if by_name.is_some() {
        return by_name;
    }
    if let Some(extension) = paths::extension(path) {
        let extension = extension.to_ascii_lowercase();
        let extension = if extension == "h" { headers::extension(text) } else { &extension };
        return LANGUAGES.iter().find(|language| language.extensions.contains(&extension));
    }
    let interpreter = interpreter(text)?;
    LANGUAGES.iter().find(|language| language.interpreters.contains(&interpreter))
}

/// `python3` of `#!/usr/bin/env -S python3.12 -u`.
pub(crate) fn interpreter(text: &str) -> Option<&str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.find(|word| *word != "env" && !word.starts_with('-') && !word.contains('='))?;
    program.split('.').next()
}

#[cfg(test)]
#[path = "languages/tests.rs"]
mod tests;

#[cfg(test)]
mod outline_tests;
