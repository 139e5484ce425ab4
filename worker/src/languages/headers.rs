//! Which language a C header is in: `.h` alone does not say.

/// Extension of files in C.
pub(super) const C: &str = "c";

/// Extension of files in C++.
pub(super) const CPP: &str = "cpp";

/// Extension of files in Objective-C.
pub(super) const OBJECTIVE_C: &str = "m";

/// The extension that says what `text`, a file named `.h`, is in: that of the first line which only one of the languages has, else
/// of C. Words that open sentences in comments, such as `class` and `using`, count only with what follows them in code.
pub(super) fn extension(text: &str) -> &'static str {
    text.lines().find_map(language).unwrap_or(C)
}

fn language(line: &str) -> Option<&'static str> {
    let line = line.trim();
    let opens = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    if opens(&["#import ", "@class ", "@interface ", "@protocol "]) {
        return Some(OBJECTIVE_C);
    }
    let declares = opens(&["class ", "enum class ", "namespace "]) && line.ends_with(['{', ';']);
    let is_access = matches!(line, "public:" | "private:" | "protected:");
    let is_cpp = declares
        || is_access
        || opens(&["template <", "template<", "using namespace "])
        || line.strip_prefix("#include <").is_some_and(|header| !header.contains(['.', '/']));
    is_cpp.then_some(CPP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_c_unless_a_line_of_it_cannot_be() {
        for line in ["#include <vector>", "namespace a {", "class A;", "  public:", "template<class T>"] {
            assert_eq!(extension(&format!("#pragma once\n{line}\n")), CPP, "{line}");
        }
        assert_eq!(extension("#import <Foundation/Foundation.h>\n@interface A : B\n"), OBJECTIVE_C);
        for line in [
            "#include <stdio.h>",
            "#include <sys/types.h>",
            "int class;",
            " * class of things that are used",
            "#ifdef __cplusplus\nextern \"C\" {\n#endif",
            "/* using the\nclass of things */",
            "",
        ] {
            assert_eq!(extension(&format!("#pragma once\n{line}\n")), C, "{line}");
        }
    }
}
