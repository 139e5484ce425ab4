//! Metrics in Prometheus' text format.

mod exposition;
mod queue;

use broker::error::chain;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use warp::http::HeaderMap;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::reply::Response;

use self::exposition::Format;
use self::queue::QueueMetrics;
use super::reply::ApiError;
use super::state::Shared;

/// Labels of a series; all values are words of ours or slugs of a few projects, so their number is bounded.
type Labels = Vec<(&'static str, String)>;

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    deliveries: Family<Labels, Counter>,
    audits: Family<Labels, Gauge>,
    outbox: Gauge,
    in_flight: Gauge,
    dead_letters: Gauge,
    queue: QueueMetrics,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("elder");
        let (deliveries, audits) = (Family::<Labels, Counter>::default(), Family::<Labels, Gauge>::default());
        let (outbox, in_flight, dead_letters) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("webhook_deliveries", "Webhook deliveries by outcome", deliveries.clone());
        registry.register("audits_open", "Audits that have not ended, by state", audits.clone());
        registry.register("outbox_messages", "Messages waiting to be published", outbox.clone());
        registry.register("tasks_in_flight", "Tasks in the queue or running", in_flight.clone());
        registry.register(
            "dead_letters",
            "Messages that nobody could use and nobody has dealt with",
            dead_letters.clone(),
        );
        let queue = QueueMetrics::new(&mut registry);
        Self { registry, deliveries, audits, outbox, in_flight, dead_letters, queue }
    }

    /// Counts a webhook delivery.
    pub(super) fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }
}

/// `GET /metrics`
pub(super) async fn expose(shared: Shared, headers: HeaderMap) -> Result<Response, ApiError> {
    let metrics = &shared.metrics;
    let audits = shared.store.open_audits().await?;
    for state in ["queued", "running"] {
        let count = audits.iter().find(|(name, _)| name == state).map_or(0, |(_, count)| *count);
        metrics.audits.get_or_create(&vec![("state", state.to_owned())]).set(count);
    }
    metrics.outbox.set(shared.store.outbox_depth().await?);
    metrics.in_flight.set(shared.store.tasks_in_flight().await?);
    metrics.dead_letters.set(shared.store.dead_letter_count().await?);
    metrics.queue.set(&crate::queue::report(&shared.store, &shared.bus).await?);
    match shared.bus.stream_depths().await {
        Ok(depths) => metrics.queue.set_streams(&depths),
        Err(error) => tracing::warn!(error = %chain(&error), "cannot tell how full the streams are"),
    }
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &metrics.registry) {
        tracing::error!(%error, "metrics could not be encoded");
        return Err(ApiError::Internal);
    }
    let format = Format::asked_for(&headers);
    let mut response = Response::new(format.of(text).into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    Ok(response)
}
