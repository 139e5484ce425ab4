//! Functions of JavaScript and TypeScript, whatever they are declared as, and blocks of statements.

use oxc_ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, BindingPattern, BlockStatement, Expression, FormalParameters, Function,
    FunctionBody, Statement as Node, TSMethodSignature,
};
use oxc_span::GetSpan;

use super::super::body::{self, Block, Forms, STATEMENTS_MAX, Statement};
use super::super::draft::{Draft, Place};
use super::calls;
use crate::outline::{self, Span};

/// Bodies that do next to nothing.
pub(super) const FORMS: Forms = Forms {
    nothing: &[],
    success: &["true", "0", "null", "Promise.resolve(true)"],
    is_stub: |statement| statement.starts_with("throw") && body::says_unfinished(statement),
};

/// What implements a function, apart from its name and what it is declared as.
pub(super) struct Implementation {
    /// All of it.
    pub(super) span: Span,
    /// Its parameters, `this` not counted.
    pub(super) parameters: u32,
    /// The name of its first parameter.
    pub(super) first_parameter: Option<Span>,
    /// Its body, if it has one.
    pub(super) body: Option<Block>,
    /// Statements directly in its body.
    pub(super) statements: usize,
}

impl Implementation {
    /// The function that `value` is, if it is one.
    pub(super) fn of(value: &Expression<'_>) -> Option<Self> {
        match value {
            Expression::ArrowFunctionExpression(arrow) => Some(Self::from(&**arrow)),
            Expression::FunctionExpression(function) => Some(Self::from(&**function)),
            _ => None,
        }
    }

    /// Itself as a function called `name`.
    pub(super) fn function(self, draft: &Draft<'_>, name: Span) -> outline::Function {
        outline::Function {
            name,
            body: self.body.as_ref().map(|body| body.span.clone()),
            shape: body::shape(draft, self.body, &FORMS),
            parameters: self.parameters,
            ..outline::Function::default()
        }
    }

    fn new(span: Span, parameters: &FormalParameters<'_>) -> Self {
        let count = parameters.items.len() + usize::from(parameters.rest.is_some());
        let first_parameter = match parameters.items.first().map(|first| &first.pattern) {
            Some(BindingPattern::BindingIdentifier(name)) => Some(name.span.place()),
            _ => None,
        };
        let parameters = u32::try_from(count).unwrap_or(u32::MAX);
        Self { span, parameters, first_parameter, body: None, statements: 0 }
    }

    fn with_body(self, body: &FunctionBody<'_>) -> Self {
        let directives = body.directives.iter();
        let directives = directives.map(|one| Statement { span: one.span.place(), is_text: true, callee: None });
        let statements = directives.chain(body.statements.iter().map(statement)).take(STATEMENTS_MAX).collect();
        let block = Block { span: body.span.place(), statements };
        Self { body: Some(block), statements: body.directives.len() + body.statements.len(), ..self }
    }
}

impl From<&Function<'_>> for Implementation {
    fn from(function: &Function<'_>) -> Self {
        let found = Self::new(function.span.place(), &function.params);
        match &function.body {
            Some(body) => found.with_body(body),
            None => found,
        }
    }
}

impl From<&ArrowFunctionExpression<'_>> for Implementation {
    fn from(arrow: &ArrowFunctionExpression<'_>) -> Self {
        let found = Self::new(arrow.span.place(), &arrow.params);
        if let ArrowFunctionBody::FunctionBody(body) = &arrow.body {
            return found.with_body(body);
        }
        let span = arrow.body.span().place();
        let callee = arrow.body.as_expression().and_then(calls::only_callee);
        let statements = vec![Statement { span: span.clone(), is_text: false, callee }];
        Self { body: Some(Block { span, statements }), statements: 1, ..found }
    }
}

impl From<&TSMethodSignature<'_>> for Implementation {
    fn from(signature: &TSMethodSignature<'_>) -> Self {
        Self::new(signature.span.place(), &signature.params)
    }
}

/// The beginning of a block that is no function's body.
pub(super) fn block(block: &BlockStatement<'_>) -> Block {
    let statements = block.body.iter().take(STATEMENTS_MAX).map(statement).collect();
    Block { span: block.span.place(), statements }
}

fn statement(node: &Node<'_>) -> Statement {
    let only = match node {
        Node::ExpressionStatement(statement) => Some(&statement.expression),
        _ => None,
    };
    let is_text = only.is_some_and(Expression::is_string_literal);
    Statement { span: node.span().place(), is_text, callee: only.and_then(calls::only_callee) }
}
