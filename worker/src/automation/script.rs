//! Scripts: shell files, git hooks, makefiles and the scripts of a package.json, as their commands.

use super::shell::{Command, commands};
use super::yaml::At;
use crate::outline::Span;

/// What kind of script it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A shell script.
    Shell,
    /// A makefile.
    Make,
    /// The scripts of a package.json.
    Npm,
}

/// A script.
#[derive(Debug)]
pub(crate) struct Script {
    /// What kind of script it is.
    pub(crate) kind: Kind,
    /// The first line, if it names the program that runs the script.
    pub(crate) shebang: Option<Span>,
    /// The commands in it.
    pub(crate) commands: Vec<Command>,
}

/// The shell script `text`.
pub(super) fn shell(text: &str) -> Script {
    let line = text.lines().next().unwrap_or_default();
    let shebang = line.starts_with("#!").then_some(0..line.len());
    Script { kind: Kind::Shell, shebang, commands: commands(text, 0..text.len(), false) }
}

/// The recipes of the makefile `text`.
pub(super) fn makefile(text: &str) -> Script {
    let mut found = Vec::new();
    let (mut at, mut recipe) = (0, None::<Span>);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let continues = line.trim_end_matches(['\n', '\r']).ends_with('\\');
        recipe = match recipe {
            Some(open) => Some(open.start..end),
            // `@`, `-` and `+` speak to make.
            None if line.starts_with('\t') => {
                Some(at + (line.len() - line.trim_start_matches(['\t', ' ', '@', '-', '+']).len())..end)
            }
            None => None,
        };
        if !continues && let Some(whole) = recipe.take() {
            found.extend(commands(text, whole, false));
        }
        at = end;
    }
    found.extend(recipe.map(|whole| commands(text, whole, false)).into_iter().flatten());
    Script { kind: Kind::Make, shebang: None, commands: found }
}

/// The scripts of the package.json in `root`, if it has any.
pub(super) fn npm(text: &str, root: At<'_>) -> Option<Script> {
    let scripts = root.get("scripts").filter(|scripts| scripts.is_map())?;
    let commands = scripts.entries().flat_map(|(_, script)| commands(text, script.span(), true)).collect();
    Some(Script { kind: Kind::Npm, shebang: None, commands })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads<'t>(text: &'t str, script: &Script) -> Vec<&'t str> {
        script.commands.iter().map(|command| &text[command.span()]).collect()
    }

    #[test]
    fn a_makefile_runs_its_recipes_only() {
        let text = "A = b || true\nall: c\n\t@d && \\\n\t  e\n\t-f\n# g\nh:\n\ti \\";
        let joined: Vec<&str> = heads(text, &makefile(text));
        assert_eq!(joined, ["d", "e", "f", "i \\"]);
    }

    #[test]
    fn a_package_runs_its_scripts_only() {
        let text = r#"{"name": "a || b", "scripts": {"test": "jest --ci || true", "x": "echo \"a b\""}}"#;
        let tree = super::super::yaml::Tree::read(text).unwrap();
        assert_eq!(heads(text, &npm(text, tree.root().unwrap()).unwrap()), ["jest --ci", "true", "echo \\\"a b\\\""]);
    }

    #[test]
    fn a_shell_script_may_say_who_runs_it() {
        let text = "#!/bin/sh -e\na\n";
        let script = shell(text);
        assert_eq!(script.shebang.map(|span| &text[span]), Some("#!/bin/sh -e"));
        assert!(shell("a\n#!/bin/sh\n").shebang.is_none());
    }
}
