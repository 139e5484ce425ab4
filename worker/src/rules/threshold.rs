//! A number of a rule that a repository may choose.

use schemas::catalogue::ThresholdMeta;

/// A number of a rule that a repository may choose in `.elder.toml`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    /// Its name there.
    pub(crate) name: &'static str,
    /// What it is without a choice.
    pub(crate) default: u64,
    /// Least that may be chosen.
    pub(crate) min: u64,
    /// Most that may be chosen.
    pub(crate) max: u64,
    /// What it limits.
    pub(crate) doc: &'static str,
}

impl Threshold {
    /// The same for other parts of the program.
    pub(crate) fn meta(&self) -> ThresholdMeta {
        let Self { name, default, min, max, doc } = *self;
        ThresholdMeta { name: name.to_owned(), default, min, max, doc: doc.to_owned() }
    }
}

#[cfg(test)]
#[path = "threshold/tests.rs"]
mod tests;
