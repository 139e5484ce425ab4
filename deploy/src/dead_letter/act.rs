//! Dealing with many letters: one after another, no faster than asked for, each said aloud, and a sum at the end.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};
use broker::Store;
use broker::store::dead_letters::{Act, Handled, Handling, LetterFilter};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::show::escaped;
use super::{SelectionArgs, find};

/// Letters read at once.
const PAGE: i64 = 500;

/// Most refusals that a summary lists; the rest is counted.
const REFUSALS_SHOWN_MAX: usize = 20;

pub(super) async fn run(store: &Store, act: Act, selection: SelectionArgs, stop: &CancellationToken) -> Result<()> {
    let SelectionArgs { ids, filter, limit, dry_run, per_second } = selection;
    let filter = filter.filter();
    let (selected, left) = match (ids.is_empty(), filter.is_empty()) {
        (true, true) => bail!("say which letters: give ids, or a filter such as --project or --since"),
        (false, false) => bail!("give either ids or filters, not both"),
        (false, true) => {
            let mut selected = Vec::new();
            for id in &ids {
                selected.push(find(store, id).await?.id);
            }
            (selected, 0)
        }
        (true, false) => select(store, &filter, usize::try_from(limit)?).await?,
    };
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (count, mut done, mut handling) = (selected.len(), 0, Handling::default());
    for id in &selected {
        // Nothing changes in a dry run, so there is nobody to spare.
        if !dry_run && stop.run_until_cancelled(ticks.tick()).await.is_none() {
            break;
        }
        let handled = store.handle_dead_letter(id, act, dry_run).await?;
        done += 1;
        if !dry_run {
            writeln!(std::io::stdout().lock(), "{done}/{count}  {}  {}", &id[..12.min(id.len())], said(&handled))?;
        }
        handling.add(id, handled);
    }
    summarize(&handling, dry_run, count, left + count - done)
}

/// The ids of the letters that pass the filter, and how many more do.
async fn select(store: &Store, filter: &LetterFilter, limit: usize) -> Result<(Vec<String>, usize)> {
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < limit {
        let room = i64::try_from(limit - ids.len())?;
        let page = store.dead_letters(filter, ids.last().map(String::as_str), room.min(PAGE)).await?;
        if page.is_empty() {
            break;
        }
        ids.extend(page.into_iter().map(|letter| letter.id));
    }
    let all = usize::try_from(store.count_dead_letters(filter).await?)?;
    let left = all.saturating_sub(ids.len());
    Ok((ids, left))
}

fn said(handled: &Handled) -> String {
    match handled {
        Handled::Published(message) => format!("published again as {message}"),
        Handled::Asked(audit) => format!("asked for again as audit {audit}"),
        Handled::Discarded => "discarded".to_owned(),
        Handled::NotOpen(state) => format!("is {state} already"),
        Handled::Refused(reason) => format!("cannot be requeued: {}", escaped(reason)),
        Handled::Missing => "is gone".to_owned(),
    }
}

fn summarize(handling: &Handling, is_dry_run: bool, count: usize, left: usize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let Handling { published, asked, audits, discarded, not_open, refused } = handling;
    let would = if is_dry_run { "would be " } else { "" };
    writeln!(out, "{count} letters")?;
    let lines = [(*published, "published again"), (*asked, "asked for again"), (*discarded, "discarded")];
    for (number, what) in lines.into_iter().filter(|(number, _)| *number > 0) {
        writeln!(out, "  {number} {would}{what}")?;
        if what == "asked for again" {
            writeln!(out, "    as {} audits", audits.len())?;
        }
    }
    for (number, what) in [(*not_open, "dealt with before"), (refused.len(), "cannot be requeued")] {
        if number > 0 {
            writeln!(out, "  {number} {what}")?;
        }
    }
    if is_dry_run {
        for refusal in refused.iter().take(REFUSALS_SHOWN_MAX) {
            writeln!(out, "    {}: {}", &refusal.id[..12.min(refusal.id.len())], escaped(&refusal.reason))?;
        }
        writeln!(out, "Nothing was changed.")?;
    }
    if left > 0 {
        writeln!(out, "{left} more letters are left")?;
    }
    Ok(())
}
