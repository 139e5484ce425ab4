//! Messages that come again: copies of what the queue holds now, and of what it held long ago, in any order.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, stream::StorageType};
use bytes::Bytes;
use tokio::time::timeout;

use crate::nats;
use crate::random::Random;
use crate::stack::Stack;

/// The queues whose messages are repeated.
const STREAMS: [&str; 3] = ["AUDIT_REQ", "AUDIT_TASKS", "AUDIT_RESULTS"];

/// Where copies are kept until they are old; not one of the product's streams, which must not see it.
const MEMORY: &str = "TESTS_MEMORY";
const MEMORY_SUBJECT: &str = "tests.memory";

/// Messages looked at in each queue.
const COPIED_MAX: usize = 40;

/// Header with the subject that a kept copy had.
const SUBJECT: &str = "Tests-Subject";

/// How long all of this may take: the server may be away, and then there is nothing to repeat.
const WITHIN: Duration = Duration::from_secs(3);

/// Headers that would make the server see through it.
const IDENTITIES: [&str; 2] = ["Nats-Msg-Id", "Nats-TTL"];

struct Copy {
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

/// Publishes copies, and keeps some to be published another time.
pub(super) async fn repeat(stack: &Stack, random: &mut Random) {
    let url = stack.nats_url();
    // Whatever of it does not work is no fault of the product.
    drop(timeout(WITHIN, try_repeat(&url, random)).await);
}

async fn try_repeat(url: &str, random: &mut Random) -> Option<()> {
    let context = jetstream::new(nats::try_connect(url).await?);
    let memory = jetstream::stream::Config {
        name: MEMORY.to_owned(),
        subjects: vec![MEMORY_SUBJECT.to_owned()],
        storage: StorageType::Memory,
        max_messages: 1_000,
        ..jetstream::stream::Config::default()
    };
    context.get_or_create_stream(memory).await.ok()?;
    let mut copies = Vec::new();
    for stream in STREAMS {
        copies.extend(some_of(&context, stream, random).await.unwrap_or_default());
    }
    for copy in &copies {
        let mut headers = copy.headers.clone();
        headers.insert(SUBJECT, copy.subject.as_str());
        context.publish_with_headers(MEMORY_SUBJECT, headers, copy.payload.clone()).await.ok()?.await.ok()?;
    }
    copies.extend(some_of(&context, MEMORY, random).await.unwrap_or_default());
    random.shuffle(&mut copies);
    for copy in copies {
        // A queue may refuse a copy of what it still holds.
        drop(context.publish_with_headers(copy.subject, copy.headers, copy.payload).await.ok()?.await);
    }
    Some(())
}

async fn some_of(context: &jetstream::Context, stream: &str, random: &mut Random) -> Option<Vec<Copy>> {
    let stream = context.get_stream(stream).await.ok()?;
    let state = stream.cached_info().state.clone();
    let span = usize::try_from(state.last_sequence.saturating_sub(state.first_sequence) + 1).ok()?;
    let mut copies = Vec::new();
    if state.messages == 0 {
        return Some(copies);
    }
    for _ in 0..COPIED_MAX {
        let sequence = state.first_sequence + random.below(span) as u64;
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        let subject = message.headers.get(SUBJECT).map_or(message.subject.as_str(), |value| value.as_str()).to_owned();
        let kept = message.headers.iter().filter(|(name, _)| {
            let name: &str = name.as_ref();
            name != SUBJECT && !IDENTITIES.contains(&name)
        });
        let mut headers = HeaderMap::new();
        for (name, values) in kept {
            values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
        }
        copies.push(Copy { subject, headers, payload: message.payload.clone() });
    }
    Some(copies)
}
