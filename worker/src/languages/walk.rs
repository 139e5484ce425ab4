//! One parse and one walk of a file, both within a budget, for every grammar alike.

use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::time::ClockId;
use tree_sitter::{Language, LanguageError, Node, ParseOptions, Parser, Tree};

use super::draft::Draft;
use super::endless;
use super::fields::Fields;
use crate::effort;
use crate::outline::Outline;

/// Longest parse, in processor time of its thread: by the clock on the wall a busy machine would give other results than
/// an idle one. Ordinary files take some milliseconds; a file that takes this long would hold up its whole shard.
const PARSE_BUDGET: Duration = Duration::from_millis(500);

/// What the kind of a syntax node means to an outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Other,
    /// A comment.
    Comment,
    /// A string literal.
    Text,
    /// A declaration of a function.
    Function,
    /// A function without a name.
    Closure,
    /// A call.
    Call,
    /// A use of a macro.
    Macro,
    /// A declaration of a macro.
    MacroDefinition,
    /// An attribute or decorator, in front of what it belongs to.
    Mark,
    /// Code that runs on a condition.
    Branch,
    /// A choice among several, by a value: `match`, `switch`, `select`.
    Switch,
    /// A list, map or other data written out.
    Table,
    /// Code that runs again and again.
    Loop,
    /// One more path through code that is no structure of its own: `elif`, a guard, a filter.
    Decision,
    /// An operator between two operands, which may decide whether the second is looked at.
    Operator,
    /// Code whose errors are caught.
    Guarded,
    /// Code that runs when something went wrong.
    Handler,
    /// A statement that may throw a result away.
    Statement,
    /// A statement that fails a test when reached or not met.
    Assert,
    /// An error handed to the caller.
    Try,
    /// A use of another module.
    Import,
    /// A declaration of a type or constant.
    Declaration,
    /// A class, module or other place of declarations.
    Container,
}

/// A language as the walk needs it.
pub(super) struct Grammar {
    /// The grammar.
    pub(super) language: fn() -> Language,
    /// What a kind of node means.
    pub(super) role: fn(&str) -> Role,
    /// Told each node of a role other than `Other`, `Comment`, `Text` and `Mark`, outer ones first.
    pub(super) enter: fn(&mut Draft<'_>, Node<'_>, Role),
    /// Filled on first use.
    pub(super) loaded: OnceLock<Loaded>,
}

/// A grammar with the roles of its node kinds and its fields, so that the walk compares numbers instead of names.
pub(super) struct Loaded {
    language: Language,
    roles: Vec<Role>,
    fields: Fields,
}

impl Grammar {
    fn load(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let language = (self.language)();
            let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
            let role = |id| match language.node_kind_for_id(id) {
                Some(kind) if language.node_kind_is_named(id) => (self.role)(kind),
                _ => Role::Other,
            };
            let roles = (0..count).map(role).collect();
            let fields = Fields::of(&language);
            Loaded { language, roles, fields }
        })
    }

    /// The outline of `text`; `None` if the parser ran over its budget.
    pub(super) fn outline(&self, path: &str, text: &str) -> Option<Outline> {
        if endless::is_endless(text) {
            return None;
        }
        effort::note_parsed();
        let loaded = self.load();
        let tree = match parse(&loaded.language, text) {
            Ok(tree) => tree?,
            Err(error) => {
                // Only a grammar built for another version of the parser can cause this, and every test would show it.
                tracing::error!(%error, "grammar does not fit the parser");
                return None;
            }
        };
        let mut draft = Draft::new(path, text, &loaded.fields);
        walk(&tree, &loaded.roles, self.enter, &mut draft);
        Some(draft.finish())
    }
}

fn parse(language: &Language, text: &str) -> Result<Option<Tree>, LanguageError> {
    let mut parser = Parser::new();
    parser.set_language(language)?;
    let (started, used) = (Instant::now(), processor_time());
    let is_over = || match (used, processor_time()) {
        (Some(used), Some(now)) => now.saturating_sub(used) >= PARSE_BUDGET,
        _ => true,
    };
    // A thread uses no more of its processor than time passes, which is asked for without a call of the kernel.
    let mut on_progress = |_: &_| match started.elapsed() >= PARSE_BUDGET && is_over() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let options = ParseOptions::new().progress_callback(&mut on_progress);
    let bytes = text.as_bytes();
    Ok(parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options)))
}

/// What this thread has used so far. Without such a clock the time that passes is the budget.
fn processor_time() -> Option<Duration> {
    ClockId::CLOCK_THREAD_CPUTIME_ID.now().map(Duration::from).ok()
}

/// Visits every node once, without recursion: trees are as deep as hostile input makes them.
fn walk(tree: &Tree, roles: &[Role], enter: fn(&mut Draft<'_>, Node<'_>, Role), draft: &mut Draft<'_>) {
    let mut cursor = tree.walk();
    let has_errors = tree.root_node().has_error();
    let (mut depth, mut marks_depth) = (0usize, 0usize);
    loop {
        let node = cursor.node();
        let role = roles.get(usize::from(node.kind_id())).copied().unwrap_or(Role::Other);
        let is_error = has_errors && (node.is_error() || node.is_missing());
        if is_error && draft.outline.first_error.is_none() && draft.understood < Some(node.start_byte()) {
            draft.outline.first_error = Some(node.start_byte());
        }
        match role {
            Role::Other => {}
            Role::Comment => draft.outline.comments.push(node.byte_range()),
            Role::Text => draft.outline.strings.push(node.byte_range()),
            Role::Mark => {
                draft.marks.push(node.byte_range());
                marks_depth = depth;
            }
            _ => {
                draft.close_before(node.start_byte());
                enter(draft, node, role);
            }
        }
        if !draft.marks.is_empty() && depth <= marks_depth && !matches!(role, Role::Mark | Role::Comment) {
            draft.marks.clear();
        }
        let is_leaf = matches!(role, Role::Comment | Role::Text);
        if !is_leaf && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}
