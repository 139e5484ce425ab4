//! `elder rules`: what this build looks for.

use std::io::Write as _;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::roles::catalogue;

/// Options of `elder rules`.
#[derive(Debug, Clone, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: Option<RulesCommand>,
}

#[derive(Debug, Clone, Subcommand)]
enum RulesCommand {
    /// List all rules (the default)
    List,
    /// Explain one rule
    Explain {
        /// The rule, e.g. `integrity/todo-marker`
        rule: String,
    },
}

/// Prints the rules, or one with its documentation.
pub fn run(args: RulesArgs) -> Result<()> {
    let rules = catalogue().rules;
    let mut out = std::io::stdout().lock();
    match args.command.unwrap_or(RulesCommand::List) {
        RulesCommand::List => {
            for rule in rules {
                writeln!(out, "{:<32}  {:<8}  {}", rule.id.as_str(), rule.severity, summary(&rule.doc))?;
            }
        }
        RulesCommand::Explain { rule: id } => {
            let Some(rule) = rules.iter().find(|rule| rule.id.as_str() == id) else {
                bail!("there is no rule `{id}`; `elder rules` lists them all");
            };
            writeln!(
                out,
                "# {}\n\nWorst severity: {}. Version {}.\n\n{}",
                rule.id, rule.severity, rule.version, rule.doc
            )?;
        }
    }
    Ok(())
}

/// The first sentence under the first heading, on one line.
fn summary(doc: &str) -> String {
    let lines = doc.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with('#'));
    let paragraph = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let end = paragraph.find(['.', ':']).unwrap_or(paragraph.len());
    paragraph[..end].to_owned()
}
