//! Letters on a screen: what came from outside is escaped, so that it cannot write elsewhere on it.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::Result;
use broker::Store;
use broker::moment::Moment;
use broker::store::dead_letters::{Letter, LetterFilter, LetterId};
use schemas::fingerprint::fingerprint;
use time::OffsetDateTime;

use super::find;

/// Letters read at once.
const PAGE: i64 = 500;

/// Letters that are grouped at most, newest first: more than anybody deals with, and no more than a second's reading.
const GROUPED_MAX: usize = 100_000;

/// Most characters of a reason on a line.
const REASON_CHARS_MAX: usize = 100;

/// Characters of an id on a line; enough to find it again.
const ID_CHARS: usize = 12;

pub(super) async fn list(store: &Store, filter: &LetterFilter, limit: u32) -> Result<()> {
    let total = store.count_dead_letters(filter).await?;
    let letters = store.dead_letters(filter, None, i64::from(limit)).await?;
    let mut out = std::io::stdout().lock();
    for letter in &letters {
        writeln!(out, "{}", line(letter))?;
    }
    writeln!(out, "{} of {total} letters", letters.len())?;
    Ok(())
}

fn line(letter: &Letter) -> String {
    let Letter { id, received_at, state, origin, cause, class, project_id, magic, item, attempts, .. } = letter;
    let about: Vec<&str> = [project_id, magic, item].into_iter().flatten().map(String::as_str).collect();
    let class = class.as_deref().unwrap_or("-");
    let about = if about.is_empty() { "-".to_owned() } else { escaped(&about.join(" ")) };
    let (id, at) = (&id[..ID_CHARS.min(id.len())], Moment(*received_at));
    format!(
        "{id}  {at}  {state:<9}  {origin:<7}  {cause:<11}  {class:<10}  {attempts:>2}x  {about}: {}",
        clipped(&letter.reason)
    )
}

fn clipped(text: &str) -> String {
    let shown: String = text.chars().take(REASON_CHARS_MAX).collect();
    let ellipsis = if shown.len() < text.len() { "…" } else { "" };
    escaped(&shown) + ellipsis
}

/// Without the characters that steer a terminal.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_control() { escaped.extend(c.escape_debug()) } else { escaped.push(c) }
    }
    escaped
}

pub(super) async fn one(store: &Store, id: &LetterId) -> Result<()> {
    let letter = find(store, id).await?;
    let body = store.dead_letter_body(&letter.id).await?.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    for (name, value) in fields(&letter) {
        writeln!(out, "{name:<12}{}", escaped(&value))?;
    }
    writeln!(out, "\n{}", body.lines().map(escaped).collect::<Vec<_>>().join("\n"))?;
    Ok(())
}

/// What is known of a letter, by name.
fn fields(letter: &Letter) -> Vec<(&'static str, String)> {
    let text = |at: OffsetDateTime| Moment(at).to_string();
    let fields = [
        ("id", Some(letter.id.clone())),
        ("received", Some(text(letter.received_at))),
        ("state", Some(letter.state.clone())),
        ("handled", letter.handled_at.map(text)),
        ("became", letter.became.clone()),
        ("origin", Some(letter.origin.clone())),
        ("subject", Some(letter.subject.clone())),
        ("cause", Some(letter.cause.clone())),
        ("class", letter.class.clone()),
        ("reason", Some(letter.reason.clone())),
        ("attempts", Some(letter.attempts.to_string())),
        ("project", letter.project_id.clone()),
        ("audit", letter.audit_id.map(|audit| audit.to_string())),
        ("magic", letter.magic.clone()),
        ("shard", letter.shard.map(|shard| shard.to_string())),
        ("item", letter.item.clone()),
        ("worker", letter.worker.clone()),
        ("noticed by", Some(letter.noticed_by.clone())),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Letters that are alike.
struct Group {
    count: u64,
    newest: OffsetDateTime,
    oldest: OffsetDateTime,
    /// The newest of them.
    example: String,
}

pub(super) async fn groups(store: &Store, filter: &LetterFilter, limit: u32) -> Result<()> {
    let mut groups: HashMap<(String, String), Group> = HashMap::new();
    let (mut read, mut after) = (0, None::<String>);
    while read < GROUPED_MAX {
        let page = store.dead_letters(filter, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        read += page.len();
        for Letter { id, cause, reason, received_at, .. } in page {
            let group = groups.entry((cause, fingerprint(&reason))).or_insert(Group {
                count: 0,
                newest: received_at,
                oldest: received_at,
                example: id,
            });
            group.count += 1;
            group.oldest = group.oldest.min(received_at);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(one, a), (other, b)| b.count.cmp(&a.count).then_with(|| one.cmp(other)));
    let mut out = std::io::stdout().lock();
    for ((cause, shape), group) in groups.iter().take(usize::try_from(limit)?) {
        let Group { count, newest, oldest, example } = group;
        let (oldest, newest) = (Moment(*oldest), Moment(*newest));
        let example = &example[..ID_CHARS.min(example.len())];
        writeln!(out, "{count:>7}  {oldest} to {newest}  {cause:<11}  e.g. {example}  {}", clipped(shape))?;
    }
    let cut = if read < GROUPED_MAX { "" } else { ", the newest; older ones were not looked at" };
    writeln!(out, "{} reasons of {read} letters{cut}", groups.len())?;
    Ok(())
}
