//! Dead letters over HTTP: the same as `elder dead-letter`, for dashboards and other machines.

use broker::moment::Moment;
use broker::store::dead_letters::{Act, Handling, Letter, LetterFilter, LetterId, LetterState, ReasonText};
use futures::Stream;
use schemas::dead_letter::Cause;
use schemas::ids::{AuditId, ProjectSlug};
use schemas::magic::Magic;
use schemas::retry::ErrorClass;
use serde::{Deserialize, Serialize};
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::body;
use super::projects::{PAGE_MAX, check_page};
use super::reply::{ApiError, json};
use super::state::Shared;

/// Letters that one request deals with at most: each is a transaction, and what they bring back should not come all at once.
const HANDLED_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    project: Option<ProjectSlug>,
    magic: Option<Magic>,
    cause: Option<Cause>,
    class: Option<ErrorClass>,
    audit: Option<AuditId>,
    since: Option<Moment>,
    before: Option<Moment>,
    #[serde(rename = "match")]
    text: Option<ReasonText>,
    #[serde(default)]
    state: LetterState,
    /// The last letter of the page before.
    after: Option<LetterId>,
    #[serde(default = "page_max")]
    limit: i64,
}

fn page_max() -> i64 {
    PAGE_MAX
}

#[derive(Serialize)]
struct Page {
    letters: Vec<Letter>,
    /// What to give as `after` for the next page; absent on the last one.
    next: Option<String>,
}

/// `GET /api/v1/dead-letters`: newest first.
pub(super) async fn list(shared: Shared, query: String) -> Result<Response, ApiError> {
    let ListQuery { project, magic, cause, class, audit, since, before, text, state, after, limit } =
        body::query(&query)?;
    check_page(limit, 0)?;
    let filter = LetterFilter { project, magic, cause, class, audit, since, before, text, state };
    let after = match after {
        Some(id) => Some(find(&shared, &id).await?.id),
        None => None,
    };
    // One more than asked for tells whether there is a next page.
    let mut letters = shared.store.dead_letters(&filter, after.as_deref(), limit + 1).await?;
    let has_more = i64::try_from(letters.len()).is_ok_and(|count| count > limit);
    if has_more {
        letters.pop();
    }
    let next = letters.last().filter(|_| has_more).map(|letter| letter.id.clone());
    Ok(json(StatusCode::OK, &Page { letters, next }))
}

#[derive(Serialize)]
struct WithBody {
    #[serde(flatten)]
    letter: Letter,
    body: String,
}

/// `GET /api/v1/dead-letters/{id}`: one letter with the message that died.
pub(super) async fn one(shared: Shared, id: String) -> Result<Response, ApiError> {
    let letter = find(&shared, &parse(&id)?).await?;
    let body = shared.store.dead_letter_body(&letter.id).await?.unwrap_or_default();
    Ok(json(StatusCode::OK, &WithBody { letter, body }))
}

fn parse(id: &str) -> Result<LetterId, ApiError> {
    id.parse::<LetterId>().map_err(|error| ApiError::BadRequest(error.to_string()))
}

/// The one letter that an id stands for.
async fn find(shared: &Shared, id: &LetterId) -> Result<Letter, ApiError> {
    let mut found = shared.store.find_dead_letter(id).await?;
    match (found.pop(), found.is_empty()) {
        (Some(letter), true) => Ok(letter),
        (Some(_), false) => {
            Err(ApiError::BadRequest(format!("several letters begin with `{id}`; give more of the id")))
        }
        (None, _) => Err(ApiError::NotFound(format!("there is no letter `{id}`"))),
    }
}

/// Either ids, or a filter that is not empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    #[serde(default)]
    ids: Vec<LetterId>,
    filter: Option<LetterFilter>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Outcome {
    dry_run: bool,
    /// Letters that were meant.
    letters: usize,
    /// Letters that pass the filter too, and come with the next request.
    left: usize,
    #[serde(flatten)]
    handling: Handling,
}

/// `POST /api/v1/dead-letters/requeue` and `/discard`
pub(super) async fn act<B: Buf>(
    shared: Shared,
    act: Act,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let Selection { ids, filter, dry_run } = body::json(body, &shared).await?;
    let (selected, left) = select(&shared, &ids, filter.as_ref()).await?;
    let mut handling = Handling::default();
    for id in &selected {
        let handled = shared.store.handle_dead_letter(id, act, dry_run).await?;
        handling.add(id, handled);
    }
    tracing::info!(?act, dry_run, letters = selected.len(), left, "dead letters dealt with");
    Ok(json(StatusCode::OK, &Outcome { dry_run, letters: selected.len(), left, handling }))
}

async fn select(
    shared: &Shared,
    ids: &[LetterId],
    filter: Option<&LetterFilter>,
) -> Result<(Vec<String>, usize), ApiError> {
    let refused = |reason: String| Err(ApiError::BadRequest(reason));
    if ids.len() > HANDLED_MAX {
        return refused(format!("at most {HANDLED_MAX} letters are dealt with at once"));
    }
    match (ids.is_empty(), filter.filter(|filter| !filter.is_empty())) {
        (true, None) => refused("say which letters: `ids`, or a `filter` that says more than the state".to_owned()),
        (false, Some(_)) => refused("give either `ids` or a `filter`, not both".to_owned()),
        (false, None) => {
            let mut selected = Vec::new();
            for id in ids {
                selected.push(find(shared, id).await?.id);
            }
            Ok((selected, 0))
        }
        (true, Some(filter)) => {
            let limit = i64::try_from(HANDLED_MAX).unwrap_or(i64::MAX);
            let letters = shared.store.dead_letters(filter, None, limit).await?;
            let all = usize::try_from(shared.store.count_dead_letters(filter).await?).unwrap_or_default();
            let selected: Vec<String> = letters.into_iter().map(|letter| letter.id).collect();
            let left = all.saturating_sub(selected.len());
            Ok((selected, left))
        }
    }
}
