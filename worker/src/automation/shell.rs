//! Shell text as its commands: enough to see what is called, how commands are joined and what stays unquoted.

use crate::outline::Span;

/// How a command is joined to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// Not at all: a new line, `;`, `&`, or the first one.
    Next,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// A simple command.
#[derive(Debug)]
pub(crate) struct Command {
    /// How it is joined to the one before.
    pub(crate) joint: Joint,
    /// The operator that joins it; empty if there is none.
    pub(crate) operator: Span,
    /// Its words, assignments in front among them; redirections are left out. Never empty.
    pub(crate) words: Vec<Word>,
}

/// A word of a command.
#[derive(Debug)]
pub(crate) struct Word {
    /// All of it, with quotes.
    pub(crate) span: Span,
    /// Its text without quotes and escapes; expansions as they are written, and of arithmetic the first sign, `((`.
    pub(crate) text: String,
    /// Expansions outside of quotes, which are split and globbed.
    pub(crate) bare: Vec<Span>,
}

impl Command {
    /// From its first word to the end of its last.
    pub(crate) fn span(&self) -> Span {
        let ends = self.words.first().zip(self.words.last());
        ends.map_or(self.operator.clone(), |(first, last)| first.span.start..last.span.end)
    }

    /// Its words as text, without assignments in front.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        self.words.iter().map(|word| word.text.as_str()).skip_while(|word| is_assignment(word))
    }

    /// Whether one of its words is `text`.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.texts().any(|word| word == text)
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    // `a+=b`, `a[1]=b`
    let name = name.strip_suffix('+').unwrap_or(name);
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Words that only say how the commands around them are run.
const KEYWORDS: &[&str] =
    &["!", "do", "done", "elif", "else", "esac", "fi", "function", "if", "then", "time", "until", "while", "{", "}"];

/// How deep parentheses of arithmetic may be in each other: whoever opens more of them is not read again and again.
const ARITHMETIC_DEPTH_MAX: usize = 16;

/// The commands in the part `span` of `text`. In folded text a line feed is a space, as in a folded scalar of YAML.
/// What stands in `$(…)` is part of a word.
pub(crate) fn commands(text: &str, span: Span, is_folded: bool) -> Vec<Command> {
    let end = span.end.min(text.len());
    let Some(text) = text.get(..end) else { return Vec::new() };
    let mut lexer = Lexer { text, at: span.start.min(end), is_folded, ..Lexer::default() };
    while lexer.at < end {
        lexer.step();
    }
    lexer.end_command();
    lexer.commands
}

#[derive(Default)]
struct Lexer<'t> {
    text: &'t str,
    at: usize,
    is_folded: bool,
    joint: Option<(Joint, Span)>,
    words: Vec<Word>,
    /// Whether the next word is where a redirection goes.
    is_target: bool,
    /// Ends of here documents that begin at the next line.
    heredocs: Vec<String>,
    /// How many `case` are open.
    cases: usize,
    commands: Vec<Command>,
}

impl Lexer<'_> {
    fn starts_with(&self, what: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(what.as_bytes())
    }

    fn step(&mut self) {
        let byte = self.text.as_bytes()[self.at];
        match byte {
            b'\n' if !self.is_folded || self.starts_with("\n\n") => self.end_line(),
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'\\' if self.starts_with("\\\n") => self.at += 2,
            b'\\' if self.starts_with("\\\r\n") => self.at += 3,
            b'#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
            b'&' | b'|' | b';' | b'(' | b')' => self.operator(),
            b'<' | b'>' if !self.starts_with("<(") && !self.starts_with(">(") => self.redirection(),
            _ => self.word(),
        }
    }

    fn end_line(&mut self) {
        self.end_command();
        self.at += 1;
        for mark in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let rest = &self.text[self.at..];
                let line = rest.split('\n').next().unwrap_or(rest);
                self.at = (self.at + line.len() + 1).min(self.text.len());
                // Inside a pipeline the whole script is indented, the end of the document with it.
                if line.trim() == mark {
                    break;
                }
            }
        }
    }

    /// Reads an operator, or arithmetic, whose signs are none.
    fn operator(&mut self) {
        if self.words.iter().all(|word| word.text == "for")
            && let Some(end) = arithmetic_end(self.text, self.at)
        {
            self.words.push(Word { span: self.at..end, text: "((".to_owned(), bare: Vec::new() });
            self.at = end;
            return;
        }
        let known = [("&&", Joint::And), ("||", Joint::Or), ("|&", Joint::Pipe), ("|", Joint::Pipe)];
        if self.starts_with("&>") {
            return self.redirection();
        }
        self.end_command();
        if self.cases > 0 && (self.starts_with(";;") || self.starts_with(";&")) {
            self.at += self.text.as_bytes()[self.at..].iter().take_while(|byte| b";&".contains(byte)).count();
            return self.skip_pattern();
        }
        let found = known.into_iter().find(|(mark, _)| self.starts_with(mark));
        let length = found.map_or(1, |(mark, _)| mark.len());
        if let Some((_, joint)) = found {
            self.joint = Some((joint, self.at..self.at + length));
        }
        self.at += length;
    }

    fn redirection(&mut self) {
        // `2` of `2>&1` was read as a word.
        let is_number = |word: &Word| word.span.end == self.at && word.text.bytes().all(|byte| byte.is_ascii_digit());
        if self.words.last().is_some_and(is_number) {
            self.words.pop();
        }
        let is_heredoc = self.starts_with("<<") && !self.starts_with("<<<");
        let marks = self.text.as_bytes()[self.at..].iter().take_while(|byte| b"<>&|-".contains(byte)).count();
        self.at += marks;
        self.is_target = true;
        if is_heredoc {
            while self.text.as_bytes().get(self.at).is_some_and(|byte| b" \t".contains(byte)) {
                self.at += 1;
            }
            let (word, end) = read_word(self.text, self.at);
            self.heredocs.extend((!word.text.is_empty()).then_some(word.text));
            (self.at, self.is_target) = (end, false);
        }
    }

    fn word(&mut self) {
        let (word, end) = read_word(self.text, self.at);
        self.at = end.max(self.at + 1);
        if std::mem::take(&mut self.is_target) {
            return;
        }
        let text = self.text.get(word.span.clone()).unwrap_or_default();
        let is_keyword = self.words.is_empty() && KEYWORDS.contains(&text);
        if is_keyword && text == "esac" {
            self.cases = self.cases.saturating_sub(1);
        }
        if !is_keyword {
            self.words.push(word);
        }
        if let [case, _, within] = self.words.as_slice()
            && (case.text.as_str(), within.text.as_str()) == ("case", "in")
        {
            self.words.clear();
            self.cases += 1;
            self.skip_pattern();
        }
    }

    /// Goes behind the `)` of the patterns that begin here; what divides them is no pipe.
    fn skip_pattern(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                b')' => {
                    self.at += 1;
                    return;
                }
                byte if byte.is_ascii_whitespace() || b"|(;&<>".contains(byte) => self.at += 1,
                _ if self.starts_with("esac") => return,
                _ => self.at = read_word(self.text, self.at).1.max(self.at + 1),
            }
        }
    }

    fn end_command(&mut self) {
        self.is_target = false;
        if self.words.is_empty() {
            return;
        }
        let words = std::mem::take(&mut self.words);
        let start = words[0].span.start;
        let (joint, operator) = self.joint.take().unwrap_or((Joint::Next, start..start));
        self.commands.push(Command { joint, operator, words });
    }
}

/// Where the arithmetic at byte `start` ends, as `((a + b))` does; nothing if the parentheses hold commands.
fn arithmetic_end(text: &str, start: usize) -> Option<usize> {
    let inside = text.get(start..)?.strip_prefix("((")?;
    let mut depth = 2_usize;
    let close = inside.bytes().position(|byte| {
        depth += usize::from(byte == b'(');
        depth -= usize::from(byte == b')');
        !(2..=ARITHMETIC_DEPTH_MAX).contains(&depth)
    })?;
    inside[close..].starts_with("))").then_some(start + "((".len() + close + "))".len())
}

/// What stands at one place of a word.
#[derive(PartialEq, Eq)]
enum Piece {
    /// The beginning of what ends with this byte: quotes, or an expansion.
    Open(u8),
    /// The end of what was opened last.
    Close,
    /// A character behind a backslash.
    Escaped,
    /// `$name`
    Name,
    /// Anything else.
    Plain,
}

/// The word at byte `start`, and where it ends. One loop over the bytes; what is open is kept in a list.
fn read_word(text: &str, start: usize) -> (Word, usize) {
    let bytes = text.as_bytes();
    let (mut at, mut open, mut plain, mut bare) = (start, Vec::new(), Vec::new(), Vec::<Span>::new());
    while let Some(&byte) = bytes.get(at) {
        let is_process = matches!(bytes.get(at..at + 2), Some(b"<(" | b">("));
        let is_list = open.is_empty() && byte == b'(' && at > start && bytes[at - 1] == b'=';
        if open.is_empty() && b" \t\r\n;&|()<>".contains(&byte) && !is_process && !is_list {
            break;
        }
        let (piece, length) = if is_list { (Piece::Open(b')'), 1) } else { piece(bytes, at, open.last().copied()) };
        let was_outside = open.is_empty();
        match piece {
            Piece::Open(close) => {
                if was_outside && matches!(byte, b'$' | b'`') {
                    bare.push(at..at);
                }
                open.push(close);
            }
            Piece::Close => drop(open.pop()),
            Piece::Name if was_outside => bare.push(at..at + length),
            Piece::Name | Piece::Escaped | Piece::Plain => {}
        }
        let is_edge = was_outside || open.is_empty();
        let is_quote = matches!(piece, Piece::Open(_) | Piece::Close) && matches!(byte, b'"' | b'\'');
        let skipped = if piece == Piece::Escaped || (is_edge && is_quote) { 1 } else { 0 };
        plain.extend(&bytes[at + skipped..at + length]);
        at += length;
        if let Some(last) = bare.last_mut().filter(|last| open.is_empty() && last.start == last.end) {
            last.end = at;
        }
    }
    (Word { span: start..at, text: String::from_utf8_lossy(&plain).into_owned(), bare }, at)
}

/// What stands at byte `at` and how long it is, inside of what ends with `inside`.
fn piece(bytes: &[u8], at: usize, inside: Option<u8>) -> (Piece, usize) {
    let next = bytes.get(at + 1).copied();
    match (bytes[at], inside) {
        (byte, Some(close)) if byte == close => (Piece::Close, 1),
        (_, Some(b'\'')) => (Piece::Plain, 1),
        (b'\\', _) if next.is_some() => (Piece::Escaped, 2),
        (b'$', _) if next == Some(b'(') => (Piece::Open(b')'), 2),
        (b'$', _) if next == Some(b'{') => (Piece::Open(b'}'), 2),
        (b'$', _) if next.is_some_and(is_name) => {
            (Piece::Name, 1 + bytes[at + 1..].iter().take_while(|byte| is_name(**byte)).count())
        }
        (b'<' | b'>', None) => (Piece::Open(b')'), 2),
        (b'(', Some(b')')) => (Piece::Open(b')'), 1),
        (b'{', Some(b'}')) => (Piece::Open(b'}'), 1),
        (b'`', _) => (Piece::Open(b'`'), 1),
        (b'"', _) => (Piece::Open(b'"'), 1),
        (b'\'', None | Some(b')' | b'}' | b'`')) => (Piece::Open(b'\''), 1),
        _ => (Piece::Plain, 1),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@*".contains(&byte)
}

#[cfg(test)]
mod tests;
