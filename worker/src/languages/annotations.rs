//! Annotations and attributes of languages that mark their tests with them, read as text.

use super::draft::Draft;
use crate::outline::Span;

/// Annotations of JUnit, TestNG, kotlin.test and jqwik that make a method a test.
const TESTS: &[&str] =
    &["ParameterizedTest", "Property", "RepeatedTest", "Test", "TestFactory", "TestTemplate", "Theory"];

/// Methods of the JVM's test libraries that fail a test and do not say so by their first word: Spring's `andExpect`,
/// the `then` of REST Assured and BDD styles, Awaitility's `until`.
const FAILING: &[&str] = &["andExpect", "andExpectAll", "then", "until"];

/// The last segment of an annotation's name, and its arguments without the opening bracket: `Test` and `timeout = 3)` of
/// `@org.junit.Test(timeout = 3)`.
pub(super) fn parts(mark: &str) -> (&str, &str) {
    let (path, arguments) = mark.split_once('(').unwrap_or((mark, ""));
    let path = path.trim_matches(|c: char| c.is_whitespace() || "@#[]".contains(c));
    (path.rsplit(['.', ':', '\\']).next().unwrap_or(path).trim(), arguments.trim_start())
}

/// Whether the arguments of a mark say anything.
pub(super) fn says_something(arguments: &str) -> bool {
    let value = arguments.trim_start_matches("value").trim_start_matches([' ', '=']);
    value.chars().any(char::is_alphanumeric)
}

/// Whether `mark` makes a method of the JVM a test.
pub(super) fn is_jvm_test(mark: &str) -> bool {
    TESTS.contains(&parts(mark).0)
}

/// Whether a test of the JVM with `mark` can fail without an assertion, because it is to throw or gets made-up inputs.
pub(super) fn fails_otherwise(mark: &str) -> bool {
    let (name, arguments) = parts(mark);
    name == "Property" || (name == "Test" && arguments.contains("expected"))
}

/// Whether `mark` switches a test of the JVM off, and if so, whether it says why. What depends on a condition, such as
/// `@DisabledOnOs`, does not.
fn jvm_skip(mark: &str) -> Option<bool> {
    match parts(mark) {
        ("Disabled" | "Ignore" | "Ignored", arguments) => Some(says_something(arguments)),
        ("Test", arguments) => {
            let squeezed: String = arguments.chars().filter(|c| !c.is_whitespace()).collect();
            squeezed.contains("enabled=false").then(|| squeezed.contains("description="))
        }
        _ => None,
    }
}

/// Notes which of `marks` switch tests of the JVM off.
pub(super) fn skip_jvm(draft: &mut Draft<'_>, marks: Vec<Span>) {
    for mark in marks {
        if let Some(has_reason) = jvm_skip(draft.slice(&mark)) {
            draft.skip(mark, has_reason, false);
        }
    }
}

/// Whether a method of the JVM's test libraries fails the test, beyond what names tell in any language.
pub(super) fn is_jvm_assertion(name: &str) -> bool {
    FAILING.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_its_last_name_and_its_arguments() {
        assert_eq!(parts("@org.junit.Test(timeout = 3)"), ("Test", "timeout = 3)"));
        assert_eq!(parts("@Test"), ("Test", ""));
        assert_eq!(parts("@get:Rule"), ("Rule", ""));
        assert_eq!(parts("\\PHPUnit\\Framework\\Attributes\\Test"), ("Test", ""));
    }

    #[test]
    fn a_mark_without_words_says_nothing() {
        assert!(["\"why\")", "value = \"why\")", "WHY)"].iter().all(|arguments| says_something(arguments)));
        assert!(!["", ")", "\"\")", "value = \"\")"].iter().any(|arguments| says_something(arguments)));
    }

    #[test]
    fn only_marks_without_condition_switch_off() {
        assert_eq!(jvm_skip("@Disabled"), Some(false));
        assert_eq!(jvm_skip("@Ignore(\"slow\")"), Some(true));
        assert_eq!(jvm_skip("@Test( enabled =  false )"), Some(false));
        assert_eq!(jvm_skip("@DisabledOnOs(OS.MAC)"), None);
        assert_eq!(jvm_skip("@Test(enabled = true)"), None);
    }
}
