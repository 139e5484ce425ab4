//! What a worker answers: one magic's results over one shard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;
use crate::item::ItemResult;
use crate::retry::ErrorClass;

/// One magic's results over one shard. Two partial results with the same [`crate::task::TaskKey`] are the same result:
/// the first one counts, whatever order and however often they arrive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartialResult {
    /// The rule set under which its items are kept for later audits; absent if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<Digest>,
    /// What each file or commit contributed.
    #[serde(default)]
    pub items: Vec<ItemResult>,
    /// Why the shard could not be examined, if it could not; then `items` is empty and the audit ends partial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What kind of failure it was; decides whether the shard is split to find the item that causes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// Items too many for one message, in the object store instead, as a JSON list by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_object: Option<Digest>,
}

impl PartialResult {
    /// The result of a shard that no worker could examine.
    pub fn failed(class: ErrorClass, reason: impl Into<String>) -> Self {
        Self { failure: Some(reason.into()), class: Some(class), ..Self::default() }
    }

    /// The result of a task that asks for what does not exist: no part of its shard would fare better.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self { failure: Some(reason.into()), ..Self::default() }
    }

    /// The digest of what was found, for noticing two different answers to one question.
    pub fn digest(&self) -> Digest {
        let text = serde_json::to_vec(&(&self.items, &self.failure)).unwrap_or_default();
        Digest::of(&text)
    }
}
