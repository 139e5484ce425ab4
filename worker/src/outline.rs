//! What rules know of a file beyond its text: the same for every language, so that no rule knows one.

use std::ops::Range;

use schemas::item::SkipReason;

/// A place in the text, in bytes.
pub(crate) type Span = Range<usize>;

/// A file, as far as its language is understood. Everything is sorted by place.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Comments, with their marks.
    pub(crate) comments: Vec<Span>,
    /// String literals, with their quotes.
    pub(crate) strings: Vec<Span>,
    /// Functions, tests among them.
    pub(crate) functions: Vec<Function>,
    /// Marks that switch a test or a group of tests off.
    pub(crate) skips: Vec<Skip>,
    /// Marks that switch every other test off.
    pub(crate) focuses: Vec<Span>,
    /// Parts of the file that exist for tests only.
    pub(crate) test_code: Vec<Span>,
    /// Why nothing but comments is known, if so.
    pub(crate) gap: Option<SkipReason>,
    /// First byte that the grammar could not make sense of.
    pub(crate) first_error: Option<usize>,
}

/// A function; in JavaScript also the callback that is a test.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name; for tests named by a string, that string.
    pub(crate) name: Span,
    /// All of it.
    pub(crate) span: Span,
    /// Assertions in it, and in same-file functions that it calls.
    pub(crate) assertions: u32,
    /// Names of what it calls.
    pub(crate) calls: Vec<Span>,
    /// What is known of it as a test, if it is one.
    pub(crate) test: Option<Test>,
}

/// What is known of a test.
#[derive(Debug, Default, Clone)]
pub(crate) struct Test {
    /// Statements directly in its body, documentation not counted.
    pub(crate) statements: usize,
    /// Whether it can fail without an assertion: expected panics, errors handed on, generated inputs.
    pub(crate) fails_otherwise: bool,
    /// Whether something else gets the means to fail it.
    pub(crate) hands_over: bool,
    /// Whether it is switched off.
    pub(crate) skipped: bool,
}

/// A mark that switches a test or a group of tests off.
#[derive(Debug)]
pub(crate) struct Skip {
    /// The mark.
    pub(crate) span: Span,
    /// Whether the mark itself says why.
    pub(crate) has_reason: bool,
    /// Whether it depends on platform, environment or another condition.
    pub(crate) is_conditional: bool,
}

impl Outline {
    /// An outline of comments only, and why.
    pub(crate) fn of_comments(comments: Vec<Span>, gap: SkipReason) -> Self {
        Self { comments, gap: Some(gap), ..Self::default() }
    }

    /// The tests, with the functions that they are.
    pub(crate) fn tests(&self) -> impl Iterator<Item = (&Function, &Test)> {
        self.functions.iter().filter_map(|function| Some((function, function.test.as_ref()?)))
    }

    /// Whether byte `at` is inside a string or a comment.
    pub(crate) fn is_quoted(&self, at: usize) -> bool {
        contains(&self.strings, at) || contains(&self.comments, at)
    }

    /// Whether byte `at` is inside code that exists for tests only.
    pub(crate) fn is_test_code(&self, at: usize) -> bool {
        self.test_code.iter().any(|span| span.contains(&at))
    }
}

/// Whether one of `spans`, sorted and disjoint, holds byte `at`.
fn contains(spans: &[Span], at: usize) -> bool {
    let after = spans.partition_point(|span| span.start <= at);
    after > 0 && spans[after - 1].contains(&at)
}
