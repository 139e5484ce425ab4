//! An outline in the making: what a language's reader tells during the walk, and in which scope it was told.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::assertions::words;
use super::calls;
use super::fields::Fields;
use super::symbols::Candidate;
use super::tables::Open;
use crate::outline::{Body, Function, Outline, Skip, Span, Test};
use crate::paths;

/// How far in front of a call that skips a way out of the test is searched.
const WAY_OUT_BYTES_MAX: usize = 4_000;

/// What holds at a place because of what is around it. Inner scopes start as copies of outer ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Where it ends.
    pub(super) end: usize,
    /// The innermost function, as an index.
    pub(super) function: Option<usize>,
    /// The innermost test, as an index.
    pub(super) test: Option<usize>,
    /// Whether a condition decides if this runs.
    pub(super) is_conditional: bool,
    /// Whether functions here are methods of a class of tests.
    pub(super) is_test_class: bool,
    /// The name by which a test reaches its framework, such as `t`.
    pub(super) handle: Option<Span>,
    /// The name of the class, trait or interface whose members are declared here.
    pub(super) class: Option<Span>,
    /// Whether what is declared here can be seen from outside the file.
    pub(super) is_visible: bool,
    /// Whether the members declared here follow a trait, an interface or a base class.
    pub(super) is_bound: bool,
    /// Whether the members declared here are to be filled in by others.
    pub(super) is_abstract: bool,
    /// Whether the class around follows others, which may ask for a member that does nothing.
    pub(super) is_derived: bool,
    /// Whether this is built on a condition, so that something else of the same signature takes its place.
    pub(super) has_twin: bool,
    /// Whether nothing but closing and cleaning up can fail here.
    pub(super) is_cleanup: bool,
    /// Control structures around this place, within the function.
    pub(super) nesting: u32,
    /// Whether a closure is around this place, within the function.
    pub(super) is_closure: bool,
    /// The innermost list, map or choice, as an index.
    pub(super) table: Option<usize>,
    /// What implements the function: where a function is the value of a name, no closure.
    pub(super) implementation: Option<Span>,
    /// What continues this branch, as `else if`.
    pub(super) else_if: Option<Span>,
}

/// Something with a place in the text: the syntax nodes of every parser.
pub(super) trait Place {
    /// All of it.
    fn place(&self) -> Span;
}

impl Place for Span {
    fn place(&self) -> Span {
        self.clone()
    }
}

impl Place for Node<'_> {
    fn place(&self) -> Span {
        self.byte_range()
    }
}

/// Who decides what the members of a class look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// The class itself.
    Free,
    /// A trait, an interface or a base class.
    Bound,
    /// They do, for others to fill in.
    Abstract,
}

/// What a macro call in front of a block says of the test that the block is.
#[derive(Debug)]
pub(super) struct Heading {
    /// Where the call ends.
    pub(super) end: usize,
    /// What it names the test.
    pub(super) name: Span,
    /// What in it switches the test off.
    pub(super) skip: Option<Span>,
    /// Whether the test is to fail or to end its process.
    pub(super) fails_otherwise: bool,
}

/// An outline in the making.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// Path of the file.
    pub(super) path: &'t str,
    /// Whether the path says that the file is there for tests.
    pub(super) is_test_file: bool,
    /// The fields of its grammar; none where another parser reads it.
    pub(super) fields: &'t Fields,
    /// What is known so far.
    pub(super) outline: Outline,
    /// Attributes or decorators read since the last declaration; they belong to the next one.
    pub(super) marks: Vec<Span>,
    /// Whether the file imports a framework whose tests are calls.
    pub(super) has_blocks: bool,
    /// Lists, maps and choices, flat or not.
    pub(super) tables: Vec<Open>,
    /// Declarations that are visible if something elsewhere in the file says so.
    pub(super) candidates: Vec<Candidate<'t>>,
    /// Names that the file makes visible, apart from their declarations.
    pub(super) exported: BTreeSet<&'t str>,
    /// Names that the file hides, apart from their declarations.
    pub(super) hidden: BTreeSet<&'t str>,
    /// Names of classes that others in the file extend.
    pub(super) bases: BTreeSet<&'t str>,
    /// Where declarations begin that are exported right where they stand, and where their exports begin.
    pub(super) exports: BTreeMap<usize, usize>,
    /// A macro call read just now, if the block behind it is a test.
    pub(super) heading: Option<Heading>,
    /// Up to where the reader understood what the grammar may not have: macros are no syntax.
    pub(super) understood: Option<usize>,
    scopes: Vec<Scope>,
}

impl<'t> Draft<'t> {
    /// Nothing known yet.
    pub(super) fn new(path: &'t str, text: &'t str, fields: &'t Fields) -> Self {
        let whole = Scope { end: usize::MAX, is_visible: true, ..Scope::default() };
        Self {
            text,
            path,
            is_test_file: paths::is_test(path),
            fields,
            outline: Outline::default(),
            marks: Vec::new(),
            has_blocks: false,
            tables: Vec::new(),
            candidates: Vec::new(),
            exported: BTreeSet::new(),
            hidden: BTreeSet::new(),
            bases: BTreeSet::new(),
            exports: BTreeMap::new(),
            heading: None,
            understood: None,
            scopes: vec![whole],
        }
    }

    /// The text of `span`.
    pub(super) fn slice(&self, span: &Span) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The text of `node`.
    pub(super) fn text_of(&self, node: impl Place) -> &'t str {
        self.slice(&node.place())
    }

    /// Leaves every scope that ends at or before byte `at`.
    pub(super) fn close_before(&mut self, at: usize) {
        while self.scopes.len() > 1 && self.scopes.last().is_some_and(|scope| scope.end <= at) {
            self.scopes.pop();
        }
    }

    /// The innermost scope.
    pub(super) fn scope(&self) -> &Scope {
        // The outermost scope ends at `usize::MAX` and is never left.
        &self.scopes[self.scopes.len() - 1]
    }

    /// Enters a scope over `node` that differs from the one around it by `change`.
    pub(super) fn open(&mut self, node: impl Place, change: impl FnOnce(&mut Scope)) {
        let mut scope = Scope { end: node.place().end, ..self.scope().clone() };
        change(&mut scope);
        self.scopes.push(scope);
    }

    /// Tells more of the innermost scope.
    pub(super) fn now(&mut self, change: impl FnOnce(&mut Scope)) {
        if let Some(scope) = self.scopes.last_mut() {
            change(scope);
        }
    }

    /// Notes `function`, which is all of `node` and implemented by `own`, and enters it. A function that is a test starts a
    /// new count.
    pub(super) fn function<P: Place>(&mut self, node: P, own: P, handle: Option<Span>, function: Function) {
        self.mark_branching();
        let index = self.outline.functions.len();
        let is_test = function.test.is_some();
        let is_cleanup = calls::cleans_up(self.slice(&function.name));
        let is_own = !function.is_bound || function.is_abstract;
        if function.is_public && is_own && !is_test && function.shape != Body::Getter {
            self.symbol(function.name.clone(), function.is_documented);
        }
        self.outline.functions.push(Function { span: node.place(), complexity: 1, ..function });
        self.open(node, |scope| {
            *scope = Scope {
                end: scope.end,
                function: Some(index),
                test: if is_test { Some(index) } else { scope.test },
                is_test_class: scope.is_test_class,
                handle: handle.or_else(|| scope.handle.take()),
                is_cleanup,
                implementation: Some(own.place()),
                ..Scope::default()
            };
        });
    }

    /// Notes that something here can fail the test.
    pub(super) fn assertion(&mut self) {
        let (function, test) = (self.scope().function, self.scope().test);
        for index in function.into_iter().chain(test.filter(|_| test != function)) {
            self.outline.functions[index].assertions += 1;
        }
    }

    /// Notes a call of `name`.
    pub(super) fn call(&mut self, name: Span) {
        let (function, test) = (self.scope().function, self.scope().test);
        for index in function.into_iter().chain(test.filter(|_| test != function)) {
            self.outline.functions[index].calls.push(name.clone());
        }
    }

    /// Notes a part of the file that exists for tests only; parts inside such a part add nothing.
    pub(super) fn test_code(&mut self, span: Span) {
        if self.outline.test_code.last().is_none_or(|last| last.end <= span.start) {
            self.outline.test_code.push(span);
        }
    }

    /// Tells more of the test around this place, if there is one.
    pub(super) fn on_test(&mut self, change: impl FnOnce(&mut Test)) {
        let test = self.scope().test.and_then(|index| self.outline.functions[index].test.as_mut());
        if let Some(test) = test {
            change(test);
        }
    }

    /// Notes a mark that switches tests off; a mark inside a test's body switches off that test.
    pub(super) fn skip(&mut self, span: Span, has_reason: bool, is_conditional: bool) {
        let is_conditional = is_conditional || self.scope().is_conditional || self.may_have_left(span.start);
        self.on_test(|test| test.skipped |= !is_conditional);
        self.outline.skips.push(Skip { span, has_reason, is_conditional });
    }

    /// Whether the function around byte `at` may have returned before it comes there: then a condition decides.
    fn may_have_left(&self, at: usize) -> bool {
        let start = self.scope().function.map(|index| self.outline.functions[index].span.start);
        let start = start.map(|start| self.text.floor_char_boundary(start.max(at.saturating_sub(WAY_OUT_BYTES_MAX))));
        start.is_some_and(|start| words(self.slice(&(start..at))).any(|word| word == "return"))
    }

    /// The text of the handle by which the test reaches its framework.
    pub(super) fn handle(&self) -> Option<&'t str> {
        self.scope().handle.as_ref().map(|span| self.slice(span))
    }

    /// The finished outline: sorted, and with what only the whole file tells.
    pub(super) fn finish(mut self) -> Outline {
        let is_open = |function: &Function| function.test.is_some() && function.assertions == 0;
        if self.outline.functions.iter().any(is_open) {
            self.credit_callers();
        }
        self.settle_candidates();
        self.settle_tables();
        self.find_comments_of_handlers();
        // Everything else is told in the order of the text; functions are known by their index.
        let mut outline = self.outline;
        outline.symbols.sort_by_key(|symbol| symbol.name.start);
        outline.skips.sort_by_key(|skip| skip.span.start);
        outline.focuses.sort_by_key(|span| span.start);
        outline
    }

    /// A test that calls a function of its own file which asserts has an assertion. Callees are known by name only:
    /// two methods of one name count as one, which errs on the side of silence.
    fn credit_callers(&mut self) {
        let text = self.text;
        let name = |span: &Span| text.get(span.clone()).unwrap_or_default();
        let functions = &mut self.outline.functions;
        let mut asserting: BTreeSet<&str> = functions
            .iter()
            .filter(|one| one.assertions > 0 && one.test.is_none())
            .map(|one| name(&one.name))
            .collect();
        // Each round adds a link to every chain of calls; chains of more than a few helpers are not written in tests.
        for _round in 0..8 {
            let mut changed = false;
            for function in functions.iter_mut().filter(|one| one.assertions == 0) {
                if function.calls.iter().any(|call| asserting.contains(name(call))) {
                    function.assertions = 1;
                    changed |= function.test.is_none() && asserting.insert(name(&function.name));
                }
            }
            if !changed {
                break;
            }
        }
    }
}

/// How many named children of `list` there are that `is_counted`.
pub(super) fn count(list: Option<Node<'_>>, is_counted: impl FnMut(&Node<'_>) -> bool) -> u32 {
    let Some(list) = list else { return 0 };
    let mut cursor = list.walk();
    u32::try_from(list.named_children(&mut cursor).filter(is_counted).count()).unwrap_or(u32::MAX)
}
