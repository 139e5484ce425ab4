//! Prints that show a value to whoever wrote them, by what is printed.

use crate::names::words;
use crate::outline::Call;
use crate::rules::File;
use crate::rules::calls::arguments;

/// Calls that show the inside of a value, or how one got there.
const SHOWS: &[&str] = &["console.dir", "console.table", "console.trace", "debugPrint", "print_r"];

/// What opens an expression that tells of the inside of a value.
const INSPECTIONS: &[&str] =
    &["dir(", "globals(", "id(", "locals(", "reflect.TypeOf(", "repr(", "type(", "typeof ", "vars("];

/// What closes one.
const MEASURES: &[&str] = &[".__dict__", ".dtype", ".shape"];

/// What opens the name of something that others are not to see.
const PRIVATES: &[&str] = &["$this->_", "self._", "this._", "this.#"];

/// Marks of the notation for debugging, in Go and in Rust.
const NOTATIONS: &[&str] = &["%#v", "%+v", "%T", ":#?}", ":?}"];

/// Words that stand for nothing but that the program came by.
const MARKS: &[&str] = &["asdf", "debug", "debugging", "here", "qwer", "test", "testing", "wtf", "xxx", "xxxx", "zzz"];

/// Words beside them.
const BESIDE: &[&str] = &["am", "are", "been", "came", "get", "got", "i", "in", "is", "it", "made", "we"];

/// Words up to which text is a label of what follows, and no sentence about it.
const LABEL_WORDS_MAX: usize = 2;

/// Whether `call`, which prints, can hardly be for anybody but who wrote it.
pub(super) fn is_for_debugging(file: &File<'_>, call: &Call) -> bool {
    if SHOWS.contains(&file.text(&call.callee)) {
        return true;
    }
    let arguments = arguments(file, &call.arguments);
    let Some((first, rest)) = arguments.split_first() else { return false };
    match literal(first) {
        Some(text) if has_notation(text) => words(&without_values(text)).len() <= LABEL_WORDS_MAX,
        Some(text) if rest.is_empty() => is_mark(text) || names_its_value(text) || text.contains("=}"),
        Some(text) => {
            rest.iter().any(|value| is_label(text, value)) || rest.first().is_some_and(|_| is_filled(text, rest))
        }
        None if rest.is_empty() => shows_the_inside(first) || joins_label_and_value(first),
        None => false,
    }
}

/// The text of `argument` if it is a literal, with or without places for values in it.
fn literal(argument: &str) -> Option<&str> {
    let open = argument.trim_start_matches(['f', 'r', '$', '@']);
    let quote = open.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = open.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

fn has_notation(text: &str) -> bool {
    NOTATIONS.iter().any(|notation| text.contains(notation))
}

/// `text` without what stands in brackets or behind a percent sign.
fn without_values(text: &str) -> String {
    let mut depth = 0usize;
    let mut after_percent = false;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '%' => after_percent = true,
            '\\' => after_percent = true,
            _ if after_percent && !c.is_whitespace() => after_percent = !c.is_alphabetic(),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// Whether `text` says nothing but that the program came by.
fn is_mark(text: &str) -> bool {
    let words = words(text);
    let is_one = |word: &String| MARKS.contains(&word.as_str());
    words.iter().any(is_one) && words.iter().all(|word| is_one(word) || BESIDE.contains(&word.as_str()))
}

/// Whether `text` has a place for a value, and in front of it the name of the value: `rows: ${rows}`.
fn names_its_value(text: &str) -> bool {
    let Some(at) = text.find(['{', '$']).or_else(|| text.find("\\(")) else { return false };
    let value = text[at..].trim_start_matches(['$', '{', '\\', '(']);
    let value = value.split(['}', ')', ':', ' ', ',']).next().unwrap_or_default();
    is_label(&text[..at], value)
}

/// Whether `text` has a place for one value only, which is the first of `values`, and in front of it the name of the value.
fn is_filled(text: &str, values: &[&str]) -> bool {
    let Some(at) = text.find(['{', '%']) else { return false };
    values.first().is_some_and(|value| is_label(&text[..at], value))
}

/// Whether `label` is the name of `value`, or the last part of it.
fn is_label(label: &str, value: &str) -> bool {
    let value = value.trim().trim_start_matches(['&', '*', '$']);
    let is_path = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    let last = value.rsplit('.').next().unwrap_or_default();
    let label = words(label).concat();
    is_path && !label.is_empty() && (label == words(value).concat() || label == words(last).concat())
}

/// Whether `value` is the inside of something: inner state, its type, its shape.
fn shows_the_inside(value: &str) -> bool {
    let is_path = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '#' | '-' | '>'));
    INSPECTIONS.iter().any(|open| value.starts_with(open))
        || MEASURES.iter().any(|end| value.ends_with(end))
        || (is_path && PRIVATES.iter().any(|open| value.starts_with(open)))
}

/// Whether `value` is a label and what it names: `"rows: " + rows`.
fn joins_label_and_value(value: &str) -> bool {
    let Some((label, rest)) = value.split_once('+') else { return false };
    literal(label.trim()).is_some_and(|label| is_label(label, rest))
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Low;

    /// Checks lines of a function that are found, and others that are not.
    #[track_caller]
    fn lines(path: &str, (open, close): (&str, &str), found: &[&str], fine: &[&str]) {
        for (lines, expected) in [(found, &[(2, Low)][..]), (fine, &[])] {
            for line in lines {
                check(&RULE, path, &format!("{open}\n{line}\n{close}\n"), expected);
            }
        }
    }

    #[test]
    fn prints_for_whoever_wrote_them() {
        let python =
            ["    print('rows', rows)", "    print(f'{rows=}')", "    print(self._rows)", "    print(type(rows))"];
        let meant =
            ["    print('Loaded', rows)", "    print(message)", "    print('no rows yet')", "    print(eval(code))"];
        lines("a.py", ("def f():", ""), &python, &meant);
        let script = [
            "console.log('rows:', rows)",
            "console.log(`rows: ${rows}`)",
            "console.log('rows: ' + rows)",
            "console.trace()",
        ];
        let meant = [
            "console.log('listening on', port)",
            "console.log(line)",
            "console.log(`Done in ${time}`)",
            "console.debug('rows', rows)",
        ];
        lines("a.js", ("function f() {", "}"), &script, &meant);
        let go = ["fmt.Printf(\"%+v\\n\", rows)", "fmt.Println(\"rows\", rows)", "fmt.Println(\"here\")"];
        let meant = ["fmt.Printf(\"%s\\n\", rows)", "fmt.Println(hash)", "fmt.Printf(\"loaded %d rows of %+v\", n, a)"];
        lines("a.go", ("package a; func f() {", "}"), &go, &meant);
        let rust = [
            "println!(\"{rows:?}\");",
            "println!(\"{:#?}\", rows);",
            "println!(\"rows: {}\", rows);",
            "println!(\"here\");",
        ];
        let meant = ["println!(\"{rows}\");", "println!(\"{} rows\", n);", "println!(\"all of the rows: {rows:?}\");"];
        lines("src/a.rs", ("fn f() {", "}"), &rust, &meant);
    }

    #[test]
    fn what_another_linter_was_told_of_is_known() {
        let of =
            |above: &str, beside: &str| format!("function f() {{\n{above}\nconsole.log('rows', rows) {beside}\n}}\n");
        check(&RULE, "a.js", &of("", ""), &[(3, Low)]);
        check(&RULE, "a.js", &of("// eslint-disable-next-line no-console", ""), &[]);
        check(&RULE, "a.js", &of("", "// eslint-disable-line no-console"), &[]);
        check(&RULE, "a.py", "def f():\n    breakpoint()  # noqa: T100\n", &[]);
    }

    #[test]
    fn a_word_is_a_stop_in_its_language_only() {
        check(&RULE, "a.js", "const a = breakpoint('md')\n", &[]);
        check(&RULE, "a.go", "package a\nconst (\n\tshell = iota\n\tdebugger\n)\n", &[]);
    }
}
