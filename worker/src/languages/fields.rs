//! What a child is to the node around it, asked for by number: by name, a grammar searches all of its fields each time.

use std::num::NonZeroU16;

use tree_sitter::{Language, Node};

use super::draft::Draft;

/// Declares the fields, each with its name in the grammars.
macro_rules! fields {
    ($($(#[$doc:meta])+ $field:ident = $name:literal,)+) => {
        /// What a child is to the node around it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Field {
            $($(#[$doc])+ $field),+
        }

        /// The names of the fields, in the order of the variants of [`Field`].
        const NAMES: [&str; [$($name),+].len()] = [$($name),+];
    };
}

fields! {
    /// What runs where the condition does not hold.
    Alternative = "alternative",
    /// The only argument, or one of several.
    Argument = "argument",
    /// All arguments of a call.
    Arguments = "arguments",
    /// Attributes in front of a declaration.
    Attributes = "attributes",
    /// The block that a call is given.
    Block = "block",
    /// What a function, a class or a structure of control is around.
    Body = "body",
    /// What decides whether something runs.
    Condition = "condition",
    /// What runs where the condition holds.
    Consequence = "consequence",
    /// The word that says what kind of type is declared.
    DeclarationKind = "declaration_kind",
    /// What is declared, with all that makes it a pointer, a list or a function.
    Declarator = "declarator",
    /// What a handler catches, by pattern.
    Error = "error",
    /// What a handler catches, by classes.
    Exceptions = "exceptions",
    /// What stands in front of the name of a member.
    Expression = "expression",
    /// What is called.
    Function = "function",
    /// What an expression is where its other side fails.
    Handler = "handler",
    /// What runs before a condition is looked at.
    Initializer = "initializer",
    /// By what a value is found.
    Key = "key",
    /// What stands in front of an operator.
    Left = "left",
    /// The macro that is used.
    Macro = "macro",
    /// The name of a member.
    Member = "field",
    /// The method that is called.
    Method = "method",
    /// What something is called.
    Name = "name",
    /// Whose method is called.
    Object = "object",
    /// Whose member is selected.
    Operand = "operand",
    /// What is done with the operands.
    Operator = "operator",
    /// All parameters of a function, or what a handler catches.
    Parameters = "parameters",
    /// Where something is found: a file, a module, the names in front of the last.
    Path = "path",
    /// What a value is matched with.
    Pattern = "pattern",
    /// Whose method is declared or called.
    Receiver = "receiver",
    /// What a function returns.
    ReturnType = "return_type",
    /// What stands behind an operator.
    Right = "right",
    /// The class whose member is called.
    Scope = "scope",
    /// What a path goes on with.
    Suffix = "suffix",
    /// What a class extends.
    Superclass = "superclass",
    /// What is implemented.
    Trait = "trait",
    /// Of what type something is.
    Type = "type",
    /// What a generic declaration leaves open.
    TypeParameters = "type_parameters",
    /// What a name stands for, or what is in front of the name of a member.
    Value = "value",
}

/// The numbers that one grammar gives the fields.
#[derive(Debug)]
pub(super) struct Fields([Option<NonZeroU16>; NAMES.len()]);

impl Fields {
    /// Those of a parser that has no grammar.
    pub(super) const NONE: Self = Self([None; NAMES.len()]);

    /// Those of `grammar`.
    pub(super) fn of(grammar: &Language) -> Self {
        Self(NAMES.map(|name| grammar.field_id_for_name(name)))
    }

    /// The first child of `node` that is its `field`.
    pub(super) fn child<'t>(&self, node: Node<'t>, field: Field) -> Option<Node<'t>> {
        node.child_by_field_id(self.id(field)?.get())
    }

    /// All children of `node` that are its `field`.
    pub(super) fn children<'t>(&self, node: Node<'t>, field: Field) -> Vec<Node<'t>> {
        let mut cursor = node.walk();
        self.id(field).map_or_else(Vec::new, |id| node.children_by_field_id(id, &mut cursor).collect())
    }

    /// The number of `field`, if the grammar knows it.
    fn id(&self, field: Field) -> Option<NonZeroU16> {
        self.0[field as usize]
    }
}

impl Draft<'_> {
    /// The first child of `node` that is its `field`.
    pub(super) fn field<'n>(&self, node: Node<'n>, field: Field) -> Option<Node<'n>> {
        self.fields.child(node, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::{LANGUAGES, Parser};

    #[test]
    fn every_field_is_known_to_a_grammar() {
        let fields = |parser: &Parser| match parser {
            Parser::Grammar(grammar) => Some(Fields::of(&(grammar.language)())),
            Parser::Own(_) => None,
        };
        let grammars: Vec<Fields> = LANGUAGES.iter().filter_map(|one| one.parser.as_ref().and_then(fields)).collect();
        for (index, name) in NAMES.iter().enumerate() {
            assert!(grammars.iter().any(|grammar| grammar.0[index].is_some()), "{name}");
        }
    }
}
