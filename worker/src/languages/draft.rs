//! An outline in the making: what a language's reader tells during the walk, and in which scope it was told.

use std::collections::BTreeSet;

use tree_sitter::Node;

use crate::outline::{Function, Outline, Skip, Span, Test};

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
}

/// An outline in the making.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// Path of the file.
    pub(super) path: &'t str,
    /// What is known so far.
    pub(super) outline: Outline,
    /// Attributes or decorators read since the last declaration; they belong to the next one.
    pub(super) marks: Vec<Span>,
    /// Whether the file imports a framework whose tests are calls.
    pub(super) has_blocks: bool,
    scopes: Vec<Scope>,
}

impl<'t> Draft<'t> {
    /// Nothing known yet.
    pub(super) fn new(path: &'t str, text: &'t str) -> Self {
        let whole = Scope { end: usize::MAX, ..Scope::default() };
        Self { text, path, outline: Outline::default(), marks: Vec::new(), has_blocks: false, scopes: vec![whole] }
    }

    /// The text of `span`.
    pub(super) fn slice(&self, span: &Span) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The text of `node`.
    pub(super) fn text_of(&self, node: Node<'_>) -> &'t str {
        self.slice(&node.byte_range())
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
    pub(super) fn open(&mut self, node: Node<'_>, change: impl FnOnce(&mut Scope)) {
        let mut scope = Scope { end: node.end_byte(), ..self.scope().clone() };
        change(&mut scope);
        self.scopes.push(scope);
    }

    /// Notes a function and enters it. A function that is a test starts a new count.
    pub(super) fn function(&mut self, node: Node<'_>, name: Span, test: Option<Test>, handle: Option<Span>) {
        let index = self.outline.functions.len();
        let is_test = test.is_some();
        let span = node.byte_range();
        self.outline.functions.push(Function { name, span, assertions: 0, calls: Vec::new(), test });
        self.open(node, |scope| {
            scope.function = Some(index);
            if is_test {
                scope.test = Some(index);
            }
            if handle.is_some() {
                scope.handle = handle;
            }
            scope.is_conditional = false;
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

    /// Tells more of the test around this place, if there is one.
    pub(super) fn on_test(&mut self, change: impl FnOnce(&mut Test)) {
        let test = self.scope().test.and_then(|index| self.outline.functions[index].test.as_mut());
        if let Some(test) = test {
            change(test);
        }
    }

    /// Notes a mark that switches tests off; a mark inside a test's body switches off that test.
    pub(super) fn skip(&mut self, span: Span, has_reason: bool, is_conditional: bool) {
        let is_conditional = is_conditional || self.scope().is_conditional;
        self.on_test(|test| test.skipped |= !is_conditional);
        self.outline.skips.push(Skip { span, has_reason, is_conditional });
    }

    /// The text of the handle by which the test reaches its framework.
    pub(super) fn handle(&self) -> Option<&'t str> {
        self.scope().handle.as_ref().map(|span| self.slice(span))
    }

    /// The finished outline: sorted, and with the assertions of same-file callees counted for their callers.
    pub(super) fn finish(mut self) -> Outline {
        let is_open = |function: &Function| function.test.is_some() && function.assertions == 0;
        if self.outline.functions.iter().any(is_open) {
            self.credit_callers();
        }
        let mut outline = self.outline;
        outline.functions.sort_by_key(|function| function.span.start);
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
