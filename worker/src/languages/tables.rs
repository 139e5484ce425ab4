//! Data written out and choices among values: long without being hard to read.

use super::draft::{Draft, Place};
use crate::outline::{Span, Table};

/// A table of which it is not yet known whether something branches in it.
#[derive(Debug)]
pub(super) struct Open {
    span: Span,
    function: Option<usize>,
    /// The table around it, as an index.
    outer: Option<usize>,
    is_flat: bool,
}

impl Draft<'_> {
    /// Enters a list, map or choice.
    pub(super) fn table(&mut self, node: impl Place) {
        let (function, outer) = (self.scope().function, self.scope().table);
        let index = self.tables.len();
        self.tables.push(Open { span: node.place(), function, outer, is_flat: true });
        self.open(node, |scope| scope.table = Some(index));
    }

    /// Notes that something here branches or is a function of several lines: no table around it is flat.
    pub(super) fn mark_branching(&mut self) {
        if let Some(index) = self.scope().table {
            self.tables[index].is_flat = false;
        }
    }

    /// Keeps the outermost flat tables.
    pub(super) fn settle_tables(&mut self) {
        let mut tables = std::mem::take(&mut self.tables);
        // Inner tables come after outer ones, so that one way back tells all outer ones.
        for index in (0..tables.len()).rev() {
            if let Some(outer) = tables[index].outer.filter(|_| !tables[index].is_flat) {
                tables[outer].is_flat = false;
            }
        }
        let is_outermost = |table: &Open| table.outer.is_none_or(|outer| !tables[outer].is_flat);
        for table in tables.iter().filter(|table| table.is_flat && is_outermost(table)) {
            self.outline.tables.push(Table { span: table.span.clone(), function: table.function });
        }
    }
}
