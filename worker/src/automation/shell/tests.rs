//! Text of shells and the commands in it.

use super::*;

fn words(text: &str) -> Vec<Vec<String>> {
    let found = commands(text, 0..text.len(), false);
    found.into_iter().map(|command| command.words.into_iter().map(|word| word.text).collect()).collect()
}

fn joints(text: &str) -> Vec<Joint> {
    commands(text, 0..text.len(), false).into_iter().map(|command| command.joint).collect()
}

#[test]
fn commands_end_where_the_shell_ends_them() {
    assert_eq!(words("a b; c & d\ne \\\n f # g\n"), [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e", "f"]]);
    assert_eq!(joints("a && b || c | d\n e"), [Joint::Next, Joint::And, Joint::Or, Joint::Pipe, Joint::Next]);
    assert_eq!(words("if a; then\n b\nfi\n(c; d)"), [["a"], ["b"], ["c"], ["d"]]);
    assert_eq!(joints("a ||\n  b"), [Joint::Next, Joint::Or]);
}

#[test]
fn arithmetic_is_one_word() {
    let text = "for ((a=0;a<9;a++)); do b; done; ((c+=(d)*2)) && e || ((f > 1)); ((g; h) | i)";
    let [a, b, c, d, e, f] = ["((", "b", "e", "g", "h", "i"];
    assert_eq!(words(text), [vec!["for", a], vec![b], vec![a], vec![c], vec![a], vec![d], vec![e], vec![f]]);
    let span = commands(text, 0..text.len(), false)[2].span();
    assert_eq!(&text[span], "((c+=(d)*2))");
    assert_eq!(words("((a\nb"), [["a"], ["b"]]);
}

#[test]
fn patterns_are_no_commands() {
    let text =
        "case \"$1\" in\n  -h | --help ) a | b ;;\n  # c | d\n  (*.exe|\"x )\"|y) e; f ;;&\n  *) ;;\nesac\ng | h\n";
    assert_eq!(words(text), [["a"], ["b"], ["e"], ["f"], ["g"], ["h"]]);
    assert_eq!(joints("case $a in b|c) d;; esac | e"), [Joint::Next, Joint::Pipe]);
    assert_eq!(words("case $a in b) case $c in d) e;; esac;; f) g;; esac; h"), [["e"], ["g"], ["h"]]);
    assert_eq!(words("case $a in b"), [[""; 0]; 0]);
    assert_eq!(words("a;;b"), [["a"], ["b"]]);
}

#[test]
fn quotes_are_taken_off_and_expansions_kept() {
    assert_eq!(words(r#"a "b c" 'd $e' f\ g "h \"i\"" #j"#), [["a", "b c", "d $e", "f g", "h \"i\""]]);
    assert_eq!(words(r#"a "$(b "c; d" | e)" ${{ f && g }}"#), [["a", "$(b \"c; d\" | e)", "${{ f && g }}"]]);
    assert_eq!(words("a#b don't"), [["a#b", "dont"]]);
    assert_eq!(words("bash <(curl x) é\\"), [["bash", "<(curl x)", "é\\"]]);
}

#[test]
fn only_expansions_outside_of_quotes_are_bare() {
    let text = r#"rm $a "$b" '$c' ${d}/e $(f "g") `h` "${i}"$j"#;
    let words = commands(text, 0..text.len(), false).remove(0).words;
    let bare: Vec<&str> = words.iter().flat_map(|word| &word.bare).map(|span| &text[span.clone()]).collect();
    assert_eq!(bare, ["$a", "${d}", "$(f \"g\")", "`h`", "$j"]);
}

#[test]
fn redirections_and_here_documents_are_no_words() {
    assert_eq!(words("a >b 2>&1 c 2> d &>e f"), [["a", "c", "f"]]);
    assert_eq!(words("a <<EOF b\nc || true\n  EOF\nd <<-'X'\ne\nX\nf <<<g"), [vec!["a", "b"], vec!["d"], vec!["f"]]);
    assert_eq!(words("cat <<EOF\nnever closed"), [["cat"]]);
}

#[test]
fn in_folded_text_only_an_empty_line_ends_a_command() {
    let text = "a\n  b ||\n c\n\nd";
    let found = commands(text, 0..text.len(), true);
    assert_eq!(found.iter().map(|command| command.words.len()).collect::<Vec<_>>(), [2, 1, 1]);
}

#[test]
fn only_the_asked_part_is_read() {
    let text = "é: a b\nc";
    assert_eq!(commands(text, 4..7, false)[0].words.len(), 2);
    assert!(commands(text, 900..901, false).is_empty());
}

#[test]
fn assignments_in_front_are_not_the_command() {
    let text = "A=1 B_2='c d' C+=e D[0]=f make E=f";
    assert_eq!(commands(text, 0..text.len(), false)[0].texts().collect::<Vec<_>>(), ["make", "E=f"]);
    let list = "A=(b\n 'c d' (e) $(f))\ng=() h\n";
    assert_eq!(words(list), [vec!["A=(b\n 'c d' (e) $(f))"], vec!["g=()", "h"]]);
}
