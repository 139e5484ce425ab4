//! `elder rules`: what this build looks for.

pub(crate) mod pages;

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
    List {
        /// Print the catalogue as JSON, documentation included
        #[arg(long)]
        json: bool,
    },
    /// Explain one rule
    Explain {
        /// The rule, e.g. `integrity/todo-marker`
        rule: String,
    },
}

/// Prints the rules, or one with its documentation.
pub fn run(args: RulesArgs) -> Result<()> {
    let catalogue = catalogue();
    let mut out = std::io::stdout().lock();
    match args.command.unwrap_or(RulesCommand::List { json: false }) {
        RulesCommand::List { json: true } => writeln!(out, "{}", serde_json::to_string_pretty(&catalogue)?)?,
        RulesCommand::List { json: false } => {
            for rule in catalogue.rules {
                let state = if rule.off_by_default { "off".to_owned() } else { rule.severity.to_string() };
                writeln!(out, "{:<32}  {state:<8}  {}", rule.id.as_str(), pages::summary(&rule.doc))?;
            }
        }
        RulesCommand::Explain { rule: id } => {
            let Some(rule) = catalogue.rules.iter().find(|rule| rule.id.as_str() == id) else {
                bail!("there is no rule `{id}`; `elder rules` lists them all");
            };
            write!(out, "{}", pages::page(rule))?;
        }
    }
    Ok(())
}
