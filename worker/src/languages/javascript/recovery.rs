//! What can be read of a text with mistakes: a piece around each is left out, and the rest is parsed again.

use super::super::comments;
use super::flow;
use crate::outline::Span;

/// A text of which pieces are left out; what is left stays where it was.
pub(super) struct Copy {
    /// What is to be parsed.
    kept: Vec<u8>,
    /// The same without comments, whose brackets open nothing.
    code: Vec<u8>,
    /// Where the first piece begins that was left out.
    pub(super) first_gap: Option<usize>,
}

impl Copy {
    /// A copy of `text`.
    pub(super) fn new(text: &str) -> Self {
        let (kept, mut code) = (text.as_bytes().to_vec(), text.as_bytes().to_vec());
        // One that does not end may be the mistake.
        let ends = |comment: &Span| !text[comment.clone()].starts_with("/*") || text[comment.clone()].ends_with("*/");
        for comment in comments::comments(text, &comments::C_LIKE).into_iter().filter(ends) {
            blank(&mut code[comment]);
        }
        Self { kept, code, first_gap: None }
    }

    /// What is left; nothing if it is no text any more.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.kept).ok()
    }

    /// Writes what only Flow has as TypeScript has it.
    pub(super) fn without_flow(&mut self) {
        self.change(flow::as_typescript);
    }

    /// Leaves out as little as may hold the mistake at byte `at`: a type of Flow, or else whole lines that close what they
    /// open. Whether there was anything.
    pub(super) fn leave_out(&mut self, at: usize) -> bool {
        let mut is_type = false;
        self.change(|code| is_type = flow::blank_type(code, at));
        if is_type {
            return true;
        }
        let Some(lines) = self.lines_around(at) else { return false };
        self.first_gap = Some(self.first_gap.map_or(lines.start, |first| first.min(lines.start)));
        self.change(|code| blank(&mut code[lines]));
        true
    }

    /// Changes the code, and what is to be parsed alike.
    fn change(&mut self, change: impl FnOnce(&mut [u8])) {
        let before = self.code.clone();
        change(&mut self.code);
        for (kept, (old, new)) in self.kept.iter_mut().zip(before.iter().zip(&self.code)) {
            if old != new {
                *kept = *new;
            }
        }
    }

    /// The lines around byte `at`, or above it where nothing is left: as few as close all brackets that they open. A bracket
    /// that is closed by another kind is the mistake itself, and takes one line.
    fn lines_around(&self, at: usize) -> Option<Span> {
        let above = self.code.get(..self.line(at.min(self.code.len())).end)?.trim_ascii_end();
        let line = self.line(above.len().checked_sub(1)?);
        let mut lines = line.clone();
        let mut balance = Balance::of(self.code.get(lines.clone())?);
        loop {
            if balance.least < 0 && lines.start > 0 {
                let above = self.line(lines.start - 1);
                balance = Balance::of(self.code.get(above.clone())?).then(balance);
                lines.start = above.start;
            } else if balance.end > 0 && lines.end + 1 < self.code.len() {
                let below = self.line(lines.end + 1);
                let with_below = balance.then(Balance::of(self.code.get(below.clone())?));
                if with_below.least_blocks < balance.least_blocks.min(0) {
                    return Some(line);
                }
                (balance, lines.end) = (with_below, below.end);
            } else {
                return Some(lines);
            }
        }
    }

    /// The line that holds byte `at`, without its line feed.
    fn line(&self, at: usize) -> Span {
        let is_end = |byte: &u8| *byte == b'\n';
        let (before, behind) = self.code.split_at(at.min(self.code.len()));
        let start = before.iter().rposition(is_end).map_or(0, |end| end + 1);
        start..behind.iter().position(is_end).map_or(self.code.len(), |length| before.len() + length)
    }
}

/// How brackets are opened and closed over a piece of code.
#[derive(Debug, Clone, Copy, Default)]
struct Balance {
    /// Brackets open at its end, those closed without being opened taken off.
    end: isize,
    /// The least that were open on the way.
    least: isize,
    /// Blocks open at its end, likewise.
    end_blocks: isize,
    /// The least blocks that were open on the way.
    least_blocks: isize,
}

impl Balance {
    fn of(code: &[u8]) -> Self {
        code.iter().fold(Self::default(), |so_far, byte| {
            let (end, end_blocks) = match byte {
                b'(' | b'[' => (1, 0),
                b')' | b']' => (-1, 0),
                b'{' => (1, 1),
                b'}' => (-1, -1),
                _ => return so_far,
            };
            so_far.then(Self { end, least: end.min(0), end_blocks, least_blocks: end_blocks.min(0) })
        })
    }

    /// Over this piece, and `next` behind it.
    fn then(self, next: Self) -> Self {
        Self {
            end: self.end + next.end,
            least: self.least.min(self.end + next.least),
            end_blocks: self.end_blocks + next.end_blocks,
            least_blocks: self.least_blocks.min(self.end_blocks + next.least_blocks),
        }
    }
}

/// Leaves out `piece`, but for the ends of its lines.
fn blank(piece: &mut [u8]) {
    for byte in piece.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `text` if what holds `mistake` is left out.
    fn left(text: &str, mistake: &str) -> Vec<String> {
        let mut copy = Copy::new(text);
        assert!(copy.leave_out(text.find(mistake).unwrap()));
        let left = copy.text().unwrap();
        assert_eq!(left.len(), text.len());
        left.lines().filter(|line| !line.trim().is_empty()).map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn lines_that_close_what_they_open_are_left_out() {
        assert_eq!(left("a();\nb % ;\nc();\n", "%"), ["a();", "c();"]);
        assert_eq!(left("f() {\n a();\n % b();\n}\n", "%"), ["f() {", " a();", "}"]);
        assert_eq!(left("a();\nf(%) {\n b();\n}\nc();\n", "%"), ["a();", "c();"]);
        assert_eq!(left("a();\nf(\n b,\n) % {\n c();\n}\nd();\n", "%"), ["a();", "d();"]);
        assert_eq!(left("f() {\n a(%;\n b();\n}\n", "%"), ["f() {", " b();", "}"]);
        assert_eq!(left("é();\n} % é\né();", "%"), ["é();"]);
        assert_eq!(left("f() {\n % a(() => {\n b();", "%"), ["f() {"]);
    }

    #[test]
    fn comments_stay_and_their_brackets_open_nothing() {
        assert_eq!(left("a();\n% // (é\nb();\n", "%"), ["a();", "  // (é", "b();"]);
    }

    #[test]
    fn where_nothing_is_left_what_is_above_is_left_out() {
        let mut copy = Copy::new("a();\nb();\n\n// c\n");
        let at = "a();\nb();\n\n// c\n".len();
        assert!(copy.leave_out(at) && copy.first_gap == Some(5));
        assert!(copy.leave_out(at) && copy.first_gap == Some(0));
        assert!(!copy.leave_out(at));
        assert_eq!(copy.text().unwrap().trim(), "// c");
    }
}
