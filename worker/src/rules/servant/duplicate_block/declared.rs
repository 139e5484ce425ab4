//! What stands among code and says only what there is: lists of calls with fixed values, and markup.

use crate::tokens::Token;

/// Fixed values that are words.
const CONSTANTS: &[&str] = &["False", "None", "True", "false", "nil", "null", "true", "undefined"];

/// Calls from which on a window is a list of them.
const CALLS_MIN: usize = 2;

/// Whether a window has nothing but calls of members with fixed values, as programs declare their options:
/// `group.add_option("--all", help="everything")`. What another such program has is its own list.
pub(super) fn is_list_of_calls(window: &[Token<'_>]) -> bool {
    let text = |place: Option<usize>| place.and_then(|place| window.get(place)).map_or("", |token| token.text);
    // A window may begin within the values of a call.
    let first = window.iter().find(|token| matches!(token.text, "(" | ")"));
    let mut is_inside = first.is_some_and(|token| token.text == ")");
    let mut calls = 0;
    for (place, token) in window.iter().enumerate() {
        let (before, after) = (text(place.checked_sub(1)), text(Some(place + 1)));
        let fits = match token.text {
            "(" => {
                calls += 1;
                let is_member = place < 2 || text(place.checked_sub(2)) == ".";
                !std::mem::replace(&mut is_inside, true) && is_member
            }
            ")" => std::mem::replace(&mut is_inside, false),
            "=" | "," | "-" => is_inside,
            "." | ";" => true,
            _ if token.is_word() && is_inside => {
                let is_named = place == 0 || matches!(after, "=" | "") || matches!(before, "=" | ".");
                is_named || CONSTANTS.contains(&token.text)
            }
            _ if token.is_word() => place == 0 || before == "." || matches!(after, "." | ""),
            value => is_inside && value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '`')),
        };
        if !fits {
            return false;
        }
    }
    calls >= CALLS_MIN
}

/// Whether each token of a file in PHP stands between pieces of code: `?> .. <?php`.
pub(super) fn markup(tokens: &[Token<'_>]) -> Vec<bool> {
    let mut is_markup = true;
    let touch = |place: usize, (one, two): (&str, &str)| {
        let (Some(first), Some(second)) = (tokens.get(place), tokens.get(place + 1)) else { return false };
        first.text == one && second.text == two && first.at + 1 == second.at
    };
    let told = (0..tokens.len()).map(|place| {
        is_markup = if is_markup { !touch(place, ("<", "?")) } else { touch(place, ("?", ">")) };
        is_markup
    });
    told.collect()
}
