//! The HTTP door: every route of the product on one page.

mod audits;
mod auth;
mod body;
mod dead_letters;
mod health;
mod limits;
mod metrics;
mod policies;
mod pressure;
mod projects;
mod queue;
mod reply;
mod rules;
mod schedules;
mod state;
mod stops;
mod webhook;

use std::convert::Infallible;
use std::future::Future;

use anyhow::Context as _;
use broker::store::dead_letters::Act;
use broker::{Bus, Store, parts};
use schemas::catalogue::Catalogue;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use self::pressure::Pressure;
use self::reply::{ApiError, answer};
use self::state::Shared;
use crate::config::ServeArgs;
use crate::repository_url::Access;
use crate::supersede;

/// Takes the address to serve on, after checking what can be wrong with the options.
///
/// # Errors
/// If the token can be guessed, or the address is taken or not ours.
pub async fn bind(args: &ServeArgs) -> anyhow::Result<TcpListener> {
    auth::check_strength(&args.api_token)?;
    let listen = args.listen;
    TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}; choose another with --listen"))
}

/// Serves until `stop` is cancelled, then finishes the requests under way.
///
/// # Errors
/// If what runs beside it panicked.
pub async fn run(
    listener: TcpListener,
    args: &ServeArgs,
    store: Store,
    bus: Bus,
    catalogue: Catalogue,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let ServeArgs { listen: _, api_token, waiting_audits_max, access } = args;
    let address = listener.local_addr()?;
    let access = Access { allow_local: access.allow_local };
    let pressure = Pressure::new(*waiting_audits_max);
    let (shared, branches) = Shared::new(store.clone(), bus.clone(), catalogue, api_token.clone(), access, pressure);
    let mut parts = JoinSet::new();
    parts.spawn(supersede::run(store.clone(), branches, stop.clone()));
    parts.spawn(broker::relay::run(store, bus, stop.clone()));
    tracing::info!(%address, "listening");
    let server = warp::serve(routes(shared)).incoming(listener).graceful(async move { stop.cancelled().await });
    parts::while_whole(server.run(), &mut parts).await?;
    Ok(parts::all(parts).await?)
}

/// Every route. `/webhooks` answers to signatures, `/api` and `/metrics` to the token, `/health` to anyone.
pub(crate) fn routes(shared: Shared) -> BoxedFilter<(Response,)> {
    let webhooks = warp::path!("webhooks" / "github" / String)
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .and(with(&shared))
        .then(|project, headers, body, shared| answer(webhook::github(project, headers, body, shared)));
    let create = warp::path!("api" / "v1" / "projects")
        .and(warp::post())
        .and(with(&shared))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|shared, headers, body| guarded(shared, headers, async |shared, _| projects::create(shared, body).await));
    let list = warp::path!("api" / "v1" / "projects")
        .and(warp::get())
        .and(with(&shared))
        .and(warp::header::headers_cloned())
        .and(query())
        .then(|shared, headers, query| guarded(shared, headers, async |shared, _| projects::list(shared, query).await));
    let trigger = warp::path!("api" / "v1" / "projects" / String / "audit" / "trigger")
        .and(warp::post())
        .and(with(&shared))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|project, shared, headers, body| {
            guarded(shared, headers, async |shared, headers| audits::trigger(shared, headers, project, body).await)
        });
    let results = warp::path!("api" / "v1" / "projects" / String / "audit-results")
        .and(warp::get())
        .and(with(&shared))
        .and(warp::header::headers_cloned())
        .and(query())
        .then(|project, shared, headers, query| {
            guarded(shared, headers, async |shared, _| audits::results(shared, project, query).await)
        });
    let audit = warp::path!("api" / "v1" / "audits" / String)
        .and(warp::get())
        .and(with(&shared))
        .and(warp::header::headers_cloned())
        .and(query())
        .then(|audit, shared, headers, query| {
            guarded(shared, headers, async |shared, _| audits::one(shared, audit, query).await)
        });
    let open = create.or(list).unify().or(trigger).unify().or(results).unify().or(audit).unify();
    webhooks
        .or(open)
        .unify()
        .or(queue_routes(&shared))
        .unify()
        .or(letters(&shared))
        .unify()
        .or(changes(&shared))
        .unify()
        .or(timetable(&shared))
        .unify()
        .or(operations(&shared))
        .unify()
        .or(rule_routes(&shared))
        .unify()
        .recover(reply::unmatched)
        .unify()
        .boxed()
}

/// What is looked for.
fn rule_routes(shared: &Shared) -> BoxedFilter<(Response,)> {
    let list = warp::path!("api" / "v1" / "rules")
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|shared, headers| guarded(shared, headers, async |shared: Shared, _| Ok(rules::list(&shared))));
    let one = warp::path!("api" / "v1" / "rules" / String / String)
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|magic: String, name: String, shared, headers| {
            guarded(shared, headers, async move |shared, _| rules::one(&shared, &magic, &name))
        });
    list.or(one).unify().boxed()
}

/// The queue and its limits.
fn queue_routes(shared: &Shared) -> BoxedFilter<(Response,)> {
    let report = warp::path!("api" / "v1" / "queue")
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|shared, headers| guarded(shared, headers, async |shared, _| queue::report(shared).await));
    let explain = warp::path!("api" / "v1" / "audits" / String / "explain")
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|audit, shared, headers| guarded(shared, headers, async |shared, _| queue::explain(shared, audit).await));
    let list = warp::path!("api" / "v1" / "limits")
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|shared, headers| guarded(shared, headers, async |shared, _| limits::list(shared).await));
    let set = warp::path!("api" / "v1" / "limits" / String / String)
        .and(warp::put())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|scope, name, shared, headers, body| {
            guarded(shared, headers, async |shared, _| limits::set(shared, scope, name, body).await)
        });
    let remove = warp::path!("api" / "v1" / "limits" / String / String)
        .and(warp::delete())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|scope, name, shared, headers| {
            guarded(shared, headers, async |shared, _| limits::remove(shared, scope, name).await)
        });
    report.or(explain).unify().or(list).unify().or(set).unify().or(remove).unify().boxed()
}

/// Messages that nobody could use.
fn letters(shared: &Shared) -> BoxedFilter<(Response,)> {
    let list = warp::path!("api" / "v1" / "dead-letters")
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .and(query())
        .then(|shared, headers, query| {
            guarded(shared, headers, async |shared, _| dead_letters::list(shared, query).await)
        });
    let one = warp::path!("api" / "v1" / "dead-letters" / String)
        .and(warp::get())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .then(|id, shared, headers| guarded(shared, headers, async |shared, _| dead_letters::one(shared, id).await));
    let requeue = warp::path!("api" / "v1" / "dead-letters" / "requeue").map(|| Act::Requeue);
    let discard = warp::path!("api" / "v1" / "dead-letters" / "discard").map(|| Act::Discard);
    let act = requeue
        .or(discard)
        .unify()
        .and(warp::post())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|act, shared, headers, body| {
            guarded(shared, headers, async move |shared, _| dead_letters::act(shared, act, body).await)
        });
    list.or(one).unify().or(act).unify().boxed()
}

/// What stops audits, and what pushes mean.
fn changes(shared: &Shared) -> BoxedFilter<(Response,)> {
    let cancel = warp::path!("api" / "v1" / "audits" / String / "cancel")
        .and(warp::post())
        .and(with(shared))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|audit, shared, headers, body| {
            guarded(shared, headers, async |shared, _| stops::cancel(shared, audit, body).await)
        });
    let policies = warp::path!("api" / "v1" / "projects" / String / "push-policies");
    let show = policies.and(warp::get()).and(with(shared)).and(warp::header::headers_cloned()).then(
        |project, shared, headers| guarded(shared, headers, async |shared, _| policies::show(shared, project).await),
    );
    let replace =
        policies.and(warp::put()).and(with(shared)).and(warp::header::headers_cloned()).and(warp::body::stream()).then(
            |project, shared, headers, body| {
                guarded(shared, headers, async |shared, _| policies::replace(shared, project, body).await)
            },
        );
    cancel.or(show).unify().or(replace).unify().boxed()
}

/// What is audited without anybody asking.
fn timetable(shared: &Shared) -> BoxedFilter<(Response,)> {
    let schedules = warp::path!("api" / "v1" / "projects" / String / "schedules" / ..);
    let asked = with(shared).and(warp::header::headers_cloned());
    let list = schedules.and(warp::path::end()).and(warp::get()).and(asked.clone()).then(|project, shared, headers| {
        guarded(shared, headers, async |shared, _| schedules::list(shared, project).await)
    });
    let one = schedules.and(warp::path!(String));
    let show = one.and(warp::get()).and(asked.clone()).then(|project, name, shared, headers| {
        guarded(shared, headers, async |shared, _| schedules::show(shared, project, name).await)
    });
    let set = one.and(warp::put()).and(asked.clone()).and(warp::body::stream()).then(
        |project, name, shared, headers, body| {
            guarded(shared, headers, async |shared, _| schedules::set(shared, project, name, body).await)
        },
    );
    let remove = one.and(warp::delete()).and(asked.clone()).then(|project, name, shared, headers| {
        guarded(shared, headers, async |shared, _| schedules::remove(shared, project, name).await)
    });
    let run = schedules.and(warp::path!(String / "run")).and(warp::post()).and(asked).then(
        |project, name, shared, headers| {
            guarded(shared, headers, async |shared, _| schedules::run(shared, project, name).await)
        },
    );
    list.or(show).unify().or(set).unify().or(remove).unify().or(run).unify().boxed()
}

/// Health and metrics.
fn operations(shared: &Shared) -> BoxedFilter<(Response,)> {
    let live = warp::path!("health" / "live").and(warp::get()).then(|| answer(health::live()));
    let ready =
        warp::path!("health" / "ready").and(warp::get()).and(with(shared)).then(|shared| answer(health::ready(shared)));
    let metrics = warp::path!("metrics").and(warp::get()).and(with(shared)).and(warp::header::headers_cloned()).then(
        |shared, headers| guarded(shared, headers, async |shared, headers| metrics::expose(shared, headers).await),
    );
    live.or(ready).unify().or(metrics).unify().boxed()
}

fn with(shared: &Shared) -> impl Filter<Extract = (Shared,), Error = Infallible> + Clone + use<> {
    let shared = shared.clone();
    warp::any().map(move || shared.clone())
}

/// The query string as it came; handlers parse it, so that a wrong parameter is named instead of "not found".
fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

/// Runs a handler only for who carries the token.
async fn guarded<F, R>(shared: Shared, headers: warp::http::HeaderMap, handler: F) -> Response
where
    F: FnOnce(Shared, warp::http::HeaderMap) -> R,
    R: Future<Output = Result<Response, ApiError>>,
{
    match auth::check(&shared, &headers) {
        Ok(()) => answer(handler(shared, headers)).await,
        Err(error) => answer(async { Err(error) }).await,
    }
}
