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
    /// Strings that document what they stand in, as in Python; they are among `strings` too.
    pub(crate) docstrings: Vec<Span>,
    /// String literals, with their quotes.
    pub(crate) strings: Vec<Span>,
    /// Functions, tests among them.
    pub(crate) functions: Vec<Function>,
    /// Data written out, and choices among values without anything that branches in them.
    pub(crate) tables: Vec<Table>,
    /// What can be used from outside.
    pub(crate) symbols: Vec<Symbol>,
    /// What the file uses from outside.
    pub(crate) imports: Vec<Import>,
    /// Calls, outer ones first.
    pub(crate) calls: Vec<Call>,
    /// Statements that assert without a call, as in Python.
    pub(crate) asserts: Vec<Span>,
    /// Code that runs when something went wrong.
    pub(crate) handlers: Vec<Handler>,
    /// Results that are thrown away.
    pub(crate) discards: Vec<Discard>,
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

/// A function with a name; in JavaScript also the callback that is a test.
#[derive(Debug, Default)]
pub(crate) struct Function {
    /// Its name; for tests named by a string, that string.
    pub(crate) name: Span,
    /// All of it.
    pub(crate) span: Span,
    /// Its body; none where it is only declared.
    pub(crate) body: Option<Span>,
    /// What the body is, in a word.
    pub(crate) shape: Body,
    /// Parameters, the receiver (`self`, `this`) not counted.
    pub(crate) parameters: u32,
    /// Whether it can be used from outside the file.
    pub(crate) is_public: bool,
    /// Whether it has documentation of its own.
    pub(crate) is_documented: bool,
    /// Whether its name and parameters are chosen elsewhere: by a trait, an interface, a class that it extends, or C.
    pub(crate) is_bound: bool,
    /// Whether others are to fill it in: abstract, a member of a protocol, trait or interface, an overload, in a stub file,
    /// or empty in a part of the code that is built on a condition.
    pub(crate) is_abstract: bool,
    /// Whether a class that extends its own may replace it.
    pub(crate) is_overridable: bool,
    /// Independent paths through it: 1, and 1 for each decision. A `match` or `switch` is one decision.
    pub(crate) complexity: u32,
    /// How deep control structures stand in each other. All closures around one count as one level.
    pub(crate) nesting: u32,
    /// Assertions in it, and in same-file functions that it calls.
    pub(crate) assertions: u32,
    /// Names of what it calls.
    pub(crate) calls: Vec<Span>,
    /// What is known of it as a test, if it is one.
    pub(crate) test: Option<Test>,
}

/// What the body of a function is, documentation and comments not counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// There is none.
    #[default]
    Absent,
    /// It does nothing: `{}`, `pass`, `...`.
    Empty,
    /// It only says that it is not implemented.
    Stub,
    /// It only returns a literal that means success: `true`, `0`, `nil`, `None`, `Ok(())`.
    Constant,
    /// It only hands out what a name or field holds.
    Getter,
    /// It does something.
    Other,
}

/// A list, map, `match` or `switch` that is long only because there are many cases. None stands in another.
#[derive(Debug)]
pub(crate) struct Table {
    /// All of it.
    pub(crate) span: Span,
    /// The function around it, as an index.
    pub(crate) function: Option<usize>,
}

/// Something that can be used from outside the file: a function, type or constant.
#[derive(Debug, Clone)]
pub(crate) struct Symbol {
    /// Its name.
    pub(crate) name: Span,
    /// Whether it has documentation of its own.
    pub(crate) is_documented: bool,
}

/// A use of another module.
#[derive(Debug)]
pub(crate) struct Import {
    /// All of it.
    pub(crate) span: Span,
    /// The module's name, without quotes; in Rust the path.
    pub(crate) module: Span,
}

/// A call of a function, macro or constructor.
#[derive(Debug)]
pub(crate) struct Call {
    /// What is called: the whole path (`os.system`, `a::b`, `vec!`), or its last name where the rest is no plain path.
    pub(crate) callee: Span,
    /// The arguments, with their brackets.
    pub(crate) arguments: Span,
    /// Whether all arguments are literals, or there are none.
    pub(crate) is_constant: bool,
    /// The function around it, as an index.
    pub(crate) function: Option<usize>,
}

/// Code that runs when something went wrong: `catch`, `except`, Go's `if err != nil`, Rust's `if let Err(..)`.
#[derive(Debug)]
pub(crate) struct Handler {
    /// All of it.
    pub(crate) span: Span,
    /// What it does.
    pub(crate) body: Span,
    /// The kind of error that it is for, if it names one.
    pub(crate) caught: Option<Span>,
    /// Whether it does nothing.
    pub(crate) is_empty: bool,
    /// Whether a comment stands in it or behind it on its line.
    pub(crate) has_comment: bool,
    /// Whether nothing but closing and cleaning up can fail there.
    pub(crate) is_cleanup: bool,
}

/// A result that is thrown away, an error with it.
#[derive(Debug)]
pub(crate) struct Discard {
    /// The statement.
    pub(crate) span: Span,
    /// Whether the result is known to hold an error, as before `.ok();`.
    pub(crate) is_fallible: bool,
    /// Whether nothing but closing and cleaning up can fail there.
    pub(crate) is_cleanup: bool,
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

    /// Whether a comment touches `span`.
    pub(crate) fn has_comment(&self, span: &Span) -> bool {
        let next = self.comments.partition_point(|comment| comment.end <= span.start);
        self.comments.get(next).is_some_and(|comment| comment.start < span.end)
    }

    /// The comment that holds byte `at`, if one does.
    pub(crate) fn comment_around(&self, at: usize) -> Option<&Span> {
        let after = self.comments.partition_point(|span| span.start <= at);
        self.comments[..after].last().filter(|span| span.contains(&at))
    }

    /// Whether byte `at` is inside code that exists for tests only.
    pub(crate) fn is_test_code(&self, at: usize) -> bool {
        contains(&self.test_code, at)
    }
}

/// Whether one of `spans`, sorted and disjoint, holds byte `at`.
fn contains(spans: &[Span], at: usize) -> bool {
    let after = spans.partition_point(|span| span.start <= at);
    after > 0 && spans[after - 1].contains(&at)
}
