//! Recipes of container images: stages of instructions.

use crate::outline::Span;

/// A recipe.
#[derive(Debug)]
pub(crate) struct Image {
    /// Arguments before the first stage.
    pub(crate) head: Vec<Instruction>,
    /// Its stages, each with the instructions after its `FROM`.
    pub(crate) stages: Vec<Stage>,
}

/// A stage.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The image that it begins with.
    pub(crate) base: Span,
    /// What later stages call it, lower case.
    pub(crate) name: Option<String>,
    /// What is done to it.
    pub(crate) instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// Its name, upper case.
    pub(crate) name: String,
    /// Its words, options among them.
    pub(crate) words: Vec<Span>,
}

/// Reads a recipe; nothing if it has no stage.
pub(super) fn read(text: &str) -> Option<Image> {
    let escape = if has_backtick_escape(text) { b'`' } else { b'\\' };
    let mut image = Image { head: Vec::new(), stages: Vec::new() };
    let mut at = 0;
    while at < text.len() {
        let (words, end) = instruction(text, at, escape);
        at = end;
        let Some((name, words)) = words.split_first() else { continue };
        let instruction = Instruction { name: text[name.clone()].to_ascii_uppercase(), words: words.to_vec() };
        match (instruction.name.as_str(), image.stages.last_mut()) {
            ("FROM", _) => image.stages.extend(stage(text, &instruction.words)),
            (_, Some(stage)) => stage.instructions.push(instruction),
            (_, None) => image.head.push(instruction),
        }
    }
    (!image.stages.is_empty()).then_some(image)
}

fn has_backtick_escape(text: &str) -> bool {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    comments.map(|line| line.replace(' ', "").to_lowercase()).any(|line| line == "#escape=`")
}

fn stage(text: &str, words: &[Span]) -> Option<Stage> {
    let mut words = words.iter().filter(|word| !text[(*word).clone()].starts_with("--"));
    let base = words.next()?.clone();
    let is_named = words.next().is_some_and(|word| text[word.clone()].eq_ignore_ascii_case("as"));
    let name = words.next().filter(|_| is_named).map(|name| text[name.clone()].to_lowercase());
    Some(Stage { base, name, instructions: Vec::new() })
}

/// The words of the instruction that begins at `start`, and where the next one does.
fn instruction(text: &str, start: usize, escape: u8) -> (Vec<Span>, usize) {
    let (mut at, mut words) = (start, Vec::new());
    loop {
        let end = at + text[at..].find('\n').map_or(text.len() - at, |length| length + 1);
        let line = text[at..end].trim_end();
        let is_comment = line.trim_start().starts_with('#') || line.is_empty();
        let continues = line.as_bytes().last() == Some(&escape);
        let body = at..at + line.len() - usize::from(continues && !is_comment);
        at = end;
        if is_comment && words.is_empty() {
            return (words, at);
        }
        if !is_comment {
            split(text, body, &mut words);
        }
        // Between the lines of one instruction comments and empty lines do not count.
        if at >= text.len() || !(continues || is_comment) {
            break;
        }
    }
    for mark in words.iter().filter_map(|word| heredoc(&text[word.clone()])) {
        while at < text.len() {
            let line = text[at..].split('\n').next().unwrap_or_default();
            at = (at + line.len() + 1).min(text.len());
            if line.trim() == mark {
                break;
            }
        }
    }
    (words, at)
}

/// `EOF` of `<<EOF`, `<<-EOF` or `<<"EOF"`.
fn heredoc(word: &str) -> Option<&str> {
    let mark = word.strip_prefix("<<")?.trim_start_matches('-').trim_matches(['"', '\'']);
    (!mark.is_empty() && !mark.starts_with('<')).then_some(mark)
}

/// Adds the words of `span`: parts between spaces that are outside of quotes.
fn split(text: &str, span: Span, words: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let (mut begun, mut quote) = (None, None);
    for at in span.clone() {
        let byte = bytes[at];
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte.is_ascii_whitespace() => words.extend(begun.take().map(|start| start..at)),
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {}
        }
        if begun.is_none() && !byte.is_ascii_whitespace() {
            begun = Some(at);
        }
    }
    words.extend(begun.map(|start| start..span.end));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(&str, Vec<String>)> {
        let show = |one: &Instruction| {
            let words: Vec<&str> = one.words.iter().map(|word| &text[word.clone()]).collect();
            format!("{} {}", one.name, words.join("|"))
        };
        let stages = read(text).unwrap().stages;
        stages.into_iter().map(|stage| (&text[stage.base], stage.instructions.iter().map(show).collect())).collect()
    }

    #[test]
    fn stages_hold_their_instructions() {
        let text =
            "ARG A=1\nFROM --platform=x a:1 AS b\nrun c \\\n # d\n\n  && e\n# f\nFROM b\nENV X=\"y z\" W=v\nUSER g";
        let expected = vec![
            ("a:1", vec!["RUN c|&&|e".to_owned()]),
            ("b", vec!["ENV X=\"y z\"|W=v".to_owned(), "USER g".to_owned()]),
        ];
        assert_eq!(shown(text), expected);
        assert_eq!(read(text).unwrap().stages[0].name.as_deref(), Some("b"));
        assert_eq!(read(text).unwrap().head.len(), 1);
    }

    #[test]
    fn here_documents_are_no_instructions() {
        let text = "FROM a\nRUN <<EOF\nUSER root\nEOF\nCOPY <<-\"X\" b\nFROM c\nX\nUSER d\n";
        assert_eq!(
            shown(text),
            [("a", vec!["RUN <<EOF".to_owned(), "COPY <<-\"X\"|b".to_owned(), "USER d".to_owned()])]
        );
    }

    #[test]
    fn the_escape_may_be_another_one() {
        let text = "# escape=`\r\nFROM a\r\nRUN b `\r\n  c:\\\r\nUSER d\r\n";
        assert_eq!(shown(text), [("a", vec!["RUN b|c:\\".to_owned(), "USER d".to_owned()])]);
    }

    #[test]
    fn what_has_no_stage_is_no_recipe() {
        assert!(read("").is_none() && read("ARG A=1\nFROM").is_none() && read("hello \\").is_none());
    }
}
