//! Calls of C and C++ that write on past the end of what they fill.

use super::{Danger, is_declared_here, is_literal, origin};
use crate::outline::Call;
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, is_whole};

/// Whether `call` fills something without being told how much there is room for.
pub(super) fn overrun(file: &File<'_>, call: &Call, callee: &str) -> Option<Danger> {
    if !paths::is_c(file.source.path) || !is_whole(file, call) || is_declared_here(file, callee) {
        return None;
    }
    let all = || arguments(file, &call.arguments);
    let is_known = |first: usize| all().get(first..).is_some_and(|rest| !rest.is_empty() && rest.iter().all(is_fixed));
    match callee.trim_start_matches("std::") {
        "gets" => Some(Danger::Unbounded),
        "strcat" | "strcpy" => (!is_known(1) && !origin::is_measured(file, call)).then_some(Danger::Copy),
        // A format without text in it has a length that can be told from it.
        "sprintf" | "vsprintf" => {
            let format = all().get(1).copied().unwrap_or_default().to_owned();
            let is_open = !is_literal(&format) || (format.contains("%s") && !is_known(2));
            (is_open && !origin::is_measured(file, call)).then_some(Danger::Copy)
        }
        _ => None,
    }
}

/// Whether the length of `argument` is known when the program is built: it is a literal, or written like a constant.
fn is_fixed(argument: &&str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    is_literal(argument) || (argument.starts_with(|c: char| c.is_ascii_uppercase()) && argument.chars().all(is_part))
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Medium;

    #[test]
    fn lengths_may_be_known_when_the_program_is_built() {
        let run =
            |line: &str, expected: &[_]| check(&RULE, "a.c", &format!("void f(char *b) {{\n{line}\n}}\n"), expected);
        run("sprintf(a, \"fs/%s\", FOLDER);", &[]);
        run("sprintf(a, \"%s/%s\", FOLDER, \"c\");", &[]);
        run("sprintf(a, \"%s/%s\", FOLDER, b);", &[(2, Medium)]);
        run("sprintf(a, \"%s\");", &[(2, Medium)]);
        run("strcpy(a, FOLDER);", &[]);
        run("strcpy(a, Folder);", &[(2, Medium)]);
    }
}
