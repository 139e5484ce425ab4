//! What JetStream does with a work queue, as far as anything here depends on it: a pure model.
//!
//! A message stays until it is acknowledged, comes again after the ack wait, and is delivered to one holder at a time. The
//! server remembers ids for a while and takes each of them once. What is acknowledged is named by its sequence alone: an
//! acknowledgement of the first delivery ends the second one, and, after the store was lost, whatever has that sequence now.

use std::collections::BTreeMap;

use super::record::TaskRef;

/// How a stream is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) ack_wait_ms: u64,
    pub(super) duplicate_window_ms: u64,
    /// Whether a subject holds one message at most.
    pub(super) is_one_per_subject: bool,
}

/// A subject: the class that a task is published in, which results do not have, and the task.
pub(super) type SubjectOf = (usize, TaskRef);

/// A message id: the task, and what makes two messages about it differ.
pub(super) type MessageId = (TaskRef, u64);

/// What the server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    Stored,
    /// Its id is known.
    Duplicate,
    /// Its subject holds a message already.
    Taken,
}

/// A message in the hands of a receiver.
#[derive(Debug, Clone)]
pub(super) struct Delivered<B> {
    pub(super) sequence: u64,
    /// This delivery included.
    pub(super) deliveries: u64,
    pub(super) published_ms: u64,
    pub(super) body: B,
}

#[derive(Debug)]
struct Message<B> {
    subject: SubjectOf,
    body: B,
    published_ms: u64,
    deliveries: u64,
    /// When it may be delivered next.
    due_ms: u64,
    /// When the server drops it.
    expires_ms: u64,
}

/// A stream with its one consumer.
#[derive(Debug)]
pub(super) struct Stream<B> {
    settings: Settings,
    messages: BTreeMap<u64, Message<B>>,
    subjects: BTreeMap<SubjectOf, u64>,
    /// Ids that are remembered, until when.
    ids: BTreeMap<MessageId, u64>,
    last_sequence: u64,
}

impl<B: Clone> Stream<B> {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, messages: BTreeMap::new(), subjects: BTreeMap::new(), ids: BTreeMap::new(), last_sequence: 0 }
    }

    /// `expires_ms` is when the server drops it, `u64::MAX` for never.
    pub(super) fn publish(
        &mut self,
        now_ms: u64,
        subject: SubjectOf,
        id: MessageId,
        body: B,
        expires_ms: u64,
    ) -> Published {
        self.expire(now_ms);
        if self.ids.get(&id).is_some_and(|until| *until > now_ms) {
            return Published::Duplicate;
        }
        if self.settings.is_one_per_subject && self.subjects.contains_key(&subject) {
            return Published::Taken;
        }
        self.last_sequence += 1;
        self.ids.insert(id, now_ms + self.settings.duplicate_window_ms);
        self.subjects.insert(subject, self.last_sequence);
        let message = Message { subject, body, published_ms: now_ms, deliveries: 0, due_ms: now_ms, expires_ms };
        self.messages.insert(self.last_sequence, message);
        Published::Stored
    }

    /// At most `most` messages that nobody holds, in the order of their sequence.
    pub(super) fn fetch(&mut self, now_ms: u64, most: usize) -> Vec<Delivered<B>> {
        self.expire(now_ms);
        let ack_wait_ms = self.settings.ack_wait_ms;
        let due = self.messages.iter_mut().filter(|(_, message)| message.due_ms <= now_ms).take(most);
        due.map(|(sequence, message)| {
            message.deliveries += 1;
            message.due_ms = now_ms + ack_wait_ms;
            Delivered {
                sequence: *sequence,
                deliveries: message.deliveries,
                published_ms: message.published_ms,
                body: message.body.clone(),
            }
        })
        .collect()
    }

    /// When something may be fetched, if nothing changes until then.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.messages.values().map(|message| message.due_ms).min()
    }

    /// The holder says that it is at work until `until_ms`: its heartbeats, taken together.
    pub(super) fn keep_alive(&mut self, sequence: u64, until_ms: u64) {
        if let Some(message) = self.messages.get_mut(&sequence) {
            message.due_ms = message.due_ms.max(until_ms + self.settings.ack_wait_ms);
        }
    }

    /// Ends a message that was delivered, whoever holds it now; returns its subject and how often it was delivered.
    pub(super) fn ack(&mut self, sequence: u64) -> Option<(SubjectOf, u64)> {
        let message = self.messages.get(&sequence).filter(|message| message.deliveries > 0)?;
        let ended = (message.subject, message.deliveries);
        self.remove(sequence);
        Some(ended)
    }

    /// Has a message come again at `at_ms`.
    pub(super) fn retry(&mut self, sequence: u64, at_ms: u64) {
        if let Some(message) = self.messages.get_mut(&sequence).filter(|message| message.deliveries > 0) {
            message.due_ms = at_ms;
        }
    }

    /// Removes what is there of a task, whoever holds it.
    pub(super) fn purge(&mut self, is_meant: impl Fn(TaskRef) -> bool) {
        let meant = self.messages.iter().filter(|(_, message)| is_meant(message.subject.1));
        for sequence in meant.map(|(sequence, _)| *sequence).collect::<Vec<_>>() {
            self.remove(sequence);
        }
    }

    /// The store is lost: messages, ids and the count of sequences.
    pub(super) fn wipe(&mut self) {
        *self = Self::new(self.settings);
    }

    fn expire(&mut self, now_ms: u64) {
        let expired = self.messages.iter().filter(|(_, message)| message.expires_ms <= now_ms);
        for sequence in expired.map(|(sequence, _)| *sequence).collect::<Vec<_>>() {
            self.remove(sequence);
        }
    }

    fn remove(&mut self, sequence: u64) {
        if let Some(message) = self.messages.remove(&sequence) {
            // Where a subject may hold several, nobody asks.
            self.subjects.remove(&message.subject);
        }
    }
}
