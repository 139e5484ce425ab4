//! How code branches: paths, nesting, and what happens to errors, as the walk meets them.

use tree_sitter::Node;

use super::body::{self, Block, Forms};
use super::calls;
use super::draft::{Draft, Place, Scope};
use super::fields::Field;
use crate::outline::{Discard, Handler, Span};

impl Draft<'_> {
    /// Notes one more path through the function around this place.
    pub(super) fn decision(&mut self) {
        if let Some(index) = self.scope().function {
            self.outline.functions[index].complexity += 1;
        }
    }

    /// Notes one more path if `node` is an operator that looks at its second operand only on a condition.
    pub(super) fn operator(&mut self, node: Node<'_>) {
        let operator = self.field(node, Field::Operator).map_or("", |operator| operator.kind());
        if matches!(operator, "&&" | "||" | "??" | "?:" | "and" | "or") {
            self.decision();
        }
    }

    /// Enters code that runs on a condition and may go on at `else_if`.
    pub(super) fn branch<P: Place>(&mut self, node: P, else_if: Option<P>) {
        let continues = self.scope().else_if == Some(node.place());
        self.decision();
        self.deepen(node, u32::from(!continues), |scope| {
            scope.is_conditional = true;
            scope.else_if = else_if.map(|next| next.place());
        });
    }

    /// Enters a choice among several, which counts once: a table of cases is no harder to read than one of them.
    pub(super) fn switch(&mut self, node: impl Place) {
        self.decision();
        self.deepen(node.place(), 1, |scope| scope.is_conditional = true);
        self.table(node);
    }

    /// Enters an expression that chooses between two values.
    pub(super) fn ternary(&mut self, node: impl Place) {
        self.decision();
        self.open(node, |scope| scope.is_conditional = true);
    }

    /// Enters a loop.
    pub(super) fn looped(&mut self, node: impl Place) {
        self.decision();
        self.deepen(node, 1, |_| {});
    }

    /// Enters a function without a name; one that is a named function's implementation is that function.
    pub(super) fn closure(&mut self, node: impl Place, handle: Option<Span>) {
        if self.scope().implementation == Some(node.place()) {
            return;
        }
        // On one line it is a value like another.
        if self.slice(&node.place()).contains('\n') {
            self.mark_branching();
        }
        self.open(node, |scope| {
            scope.nesting += u32::from(!scope.is_closure);
            scope.is_closure = true;
            scope.handle = handle.or_else(|| scope.handle.take());
        });
    }

    /// Enters code whose errors are caught; `body` is what can fail.
    pub(super) fn guarded(&mut self, node: impl Place, body: Option<Block>) {
        let is_cleanup = body.is_some_and(|body| calls::only_cleans_up(self, &body));
        self.guarded_by(node, is_cleanup);
    }

    /// Enters code whose errors are caught, of which it is known whether it `is_cleanup`.
    pub(super) fn guarded_by(&mut self, node: impl Place, is_cleanup: bool) {
        self.deepen(node, 1, |scope| scope.is_cleanup |= is_cleanup);
    }

    /// Enters code that runs when something went wrong, as one of several outcomes of what is around it.
    pub(super) fn handler(&mut self, node: impl Place, body: Option<Block>, caught: Option<Span>, forms: &Forms) {
        self.decision();
        let node = node.place();
        self.open(node.clone(), |scope| scope.is_conditional = true);
        self.note_handler(node, body, caught, false, forms);
    }

    /// Notes that `body` runs when something went wrong; comments are looked for when all are known.
    pub(super) fn note_handler(
        &mut self,
        node: impl Place,
        body: Option<Block>,
        caught: Option<Span>,
        is_cleanup: bool,
        forms: &Forms,
    ) {
        let Some(body) = body else { return };
        self.outline.handlers.push(Handler {
            span: node.place(),
            is_empty: body::does_nothing(self, &body, forms),
            body: body.span,
            caught,
            has_comment: false,
            is_cleanup: is_cleanup || self.scope().is_cleanup,
        });
    }

    /// Notes that the result of `call` is thrown away by the statement `node`.
    pub(super) fn discard(&mut self, node: Node<'_>, call: Node<'_>, is_fallible: bool) {
        let is_cleanup = self.scope().is_cleanup || calls::is_cleanup(self, call);
        self.outline.discards.push(Discard { span: node.byte_range(), is_fallible, is_cleanup });
    }

    /// Looks for a comment in each handler, or behind it on its last line.
    pub(super) fn find_comments_of_handlers(&mut self) {
        let (text, comments) = (self.text.as_bytes(), &self.outline.comments);
        for handler in &mut self.outline.handlers {
            let next = comments.partition_point(|comment| comment.end <= handler.span.start);
            let Some(comment) = comments.get(next) else { continue };
            let behind = text.get(handler.span.end..comment.start);
            let is_behind = || behind.is_some_and(|gap| gap.iter().all(|byte| b" \t;})".contains(byte)));
            handler.has_comment = comment.start < handler.span.end || is_behind();
        }
    }

    /// Enters a scope over `node` that is `levels` deeper than the one around it.
    fn deepen(&mut self, node: impl Place, levels: u32, change: impl FnOnce(&mut Scope)) {
        self.mark_branching();
        let nesting = self.scope().nesting + levels;
        if let Some(index) = self.scope().function {
            let function = &mut self.outline.functions[index];
            function.nesting = function.nesting.max(nesting);
        }
        self.open(node, |scope| {
            scope.nesting = nesting;
            change(scope);
        });
    }
}
