//! Comments and strings of Python, as the tokens have them.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::Ranged;

use super::super::draft::Place;
use crate::outline::Outline;

/// Notes the comments and strings among `tokens`. A string with values in it is one string, whatever stands in those.
pub(super) fn note(outline: &mut Outline, tokens: &Tokens) {
    // Where the outermost string with values in it began, and how many are open.
    let (mut start, mut open) = (0, 0usize);
    for token in tokens {
        let Some(kind) = Kind::of(token.kind()) else { continue };
        let place = token.range().place();
        match (kind, open) {
            (Kind::Comment, 0) => outline.comments.push(place),
            (Kind::Text, 0) => outline.strings.push(place),
            (Kind::Start, 0) => (start, open) = (place.start, 1),
            (Kind::Start, _) => open += 1,
            (Kind::End, 1) => {
                open = 0;
                outline.strings.push(start..place.end);
            }
            (Kind::End, 2..) => open -= 1,
            // One that never ends goes no further than its statement.
            (Kind::Line, 1..) => {
                open = 0;
                outline.strings.push(start..place.start);
            }
            _ => {}
        }
    }
}

/// What a token means to comments and strings.
#[derive(Clone, Copy)]
enum Kind {
    Comment,
    Text,
    Start,
    End,
    Line,
}

impl Kind {
    fn of(kind: TokenKind) -> Option<Self> {
        Some(match kind {
            TokenKind::Comment => Self::Comment,
            TokenKind::String => Self::Text,
            TokenKind::FStringStart | TokenKind::TStringStart => Self::Start,
            TokenKind::FStringEnd | TokenKind::TStringEnd => Self::End,
            TokenKind::Newline | TokenKind::EndOfFile => Self::Line,
            _ => return None,
        })
    }
}
