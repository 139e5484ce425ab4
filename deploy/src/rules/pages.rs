//! The rules' documentation as pages: one for each rule, and a table of all.

use std::path::PathBuf;

use schemas::catalogue::{Catalogue, Reading, RuleMeta, ThresholdMeta};

/// Where the pages are, from the root of the source tree.
pub(crate) const FOLDER: &str = "worker/docs/rules";

/// What stands under every generated page and in its place nowhere else.
const MARK: &str = "<!-- Made from the rule's own documentation by `elder generate`. -->\n";

/// Every page with its path from the root of the source tree: the table, the rules, and all of it as JSON.
///
/// # Errors
/// If the catalogue cannot be written as JSON.
pub(crate) fn all(catalogue: &Catalogue) -> serde_json::Result<Vec<(PathBuf, String)>> {
    let folder = PathBuf::from(FOLDER);
    let mut pages = vec![
        (folder.join("README.md"), table(catalogue)),
        (folder.join("catalogue.json"), format!("{}\n", serde_json::to_string_pretty(catalogue)?)),
    ];
    pages.extend(catalogue.rules.iter().map(|rule| (folder.join(format!("{}.md", rule.id)), page(rule) + "\n" + MARK)));
    Ok(pages)
}

/// One rule, with what its documentation says, what may be chosen and how to allow what it finds.
pub(crate) fn page(rule: &RuleMeta) -> String {
    let RuleMeta { id, magic, version, severity, off_by_default, reading, thresholds, doc, .. } = rule;
    let off = if *off_by_default { " Off unless `.elder.toml` switches it on." } else { "" };
    let choice = |threshold: &ThresholdMeta| {
        let ThresholdMeta { name, default, min, max, doc } = threshold;
        format!("| `{name}` | {default} | {min} to {max} | {doc} |\n")
    };
    let choices: String = thresholds.iter().map(choice).collect();
    let head = "\n## What may be chosen\n\n| name | default | range | what it is |\n|---|---|---|---|\n";
    let choices = if choices.is_empty() { choices } else { format!("{head}{choices}") };
    format!(
        "# {id}\n\nMagic: {magic}. Worst severity: {severity}. Version {version}.{off}\n\n{}\n{}{choices}\n## How to allow\n\
         Where it is meant to be so, say it in a comment on the line or on the line before, with the reason:\n\n\
         ```text\nelder:allow({id}) reason: why it is fine here until: YYYY-MM-DD\n```\n\n\
         `until:` may be left out. For whole folders, or to switch the rule off, see `.elder.toml` in README.\n",
        doc.trim_end(),
        reading.map(how_often).unwrap_or_default(),
    )
}

/// How often the rule was right.
fn how_often(Reading { right, read }: Reading) -> String {
    format!(
        "\n## How often it is right\n\nOf {read} findings that people read in projects it was not written on, {right} were right \
         (see [precision](../../precision.md)). Where fewer than 80 of 100 are, no finding is surer than that or worse \
         than medium, and where fewer than half are, none is worse than low.\n"
    )
}

/// The first sentence of a rule's documentation, on one line.
pub(crate) fn summary(doc: &str) -> String {
    let lines = doc.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with('#'));
    let paragraph = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let end = paragraph.find(". ").or_else(|| paragraph.find(':')).unwrap_or(paragraph.len());
    paragraph[..end].trim_end_matches(['.', ':']).to_owned()
}

fn table(catalogue: &Catalogue) -> String {
    let row = |rule: &RuleMeta| {
        let RuleMeta { id, severity, doc, .. } = rule;
        let severity = if rule.off_by_default { format!("{severity}, off") } else { severity.to_string() };
        format!("| [{id}]({id}.md) | {severity} | {} |\n", summary(doc).replace('|', "\\|"))
    };
    let rows: Vec<String> = catalogue.rules.iter().map(row).collect();
    format!("# Rules\n\n| rule | worst severity | what it finds |\n|---|---|---|\n{}\n{MARK}", rows.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence_and_knows_dots_that_end_none() {
        assert_eq!(summary("## What it finds\nA call of `os.system`.\nMore."), "A call of `os.system`");
        assert_eq!(summary("## What it finds\nThree marks. And more."), "Three marks");
        assert_eq!(summary("## What it finds\nWords like these: a, b\n"), "Words like these");
    }

    #[test]
    fn every_rule_has_a_page_that_says_how_to_fix_it() {
        let catalogue = crate::roles::catalogue();
        let pages = all(&catalogue).unwrap();
        for rule in &catalogue.rules {
            let path = PathBuf::from(format!("{FOLDER}/{}.md", rule.id));
            let (_, text) = pages.iter().find(|(page, _)| *page == path).unwrap();
            let head = format!("# {}\n", rule.id);
            assert!(text.starts_with(&head) && text.contains("## How to fix"), "{}", rule.id);
        }
    }
}
