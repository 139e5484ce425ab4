//! Long runs of bytes of one kind, found without a look at most bytes.

use crate::outline::Span;

/// The runs of at least `length_min` bytes of `bytes` that all pass `holds`, in order, each as long as it goes.
pub(crate) fn runs(bytes: &[u8], length_min: usize, holds: impl Fn(u8) -> bool) -> Vec<Span> {
    let (mut found, mut start) = (Vec::new(), 0);
    while let Some(window) = bytes.get(start..start + length_min) {
        // From the end: what does not pass there rules out all runs that begin in front of it.
        if let Some(last) = window.iter().rposition(|byte| !holds(*byte)) {
            start += last + 1;
            continue;
        }
        let rest = &bytes[start + length_min..];
        let end = start + length_min + rest.iter().position(|byte| !holds(*byte)).unwrap_or(rest.len());
        found.push(start..end);
        start = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by a look at every byte.
    fn runs_slowly(bytes: &[u8], length_min: usize) -> Vec<Span> {
        let mut at = 0;
        let chunks = bytes.chunk_by(|a, b| (*a == b'a') == (*b == b'a')).map(|chunk| {
            at += chunk.len();
            (at - chunk.len()..at, chunk[0] == b'a')
        });
        chunks.filter(|(span, is_kind)| *is_kind && span.len() >= length_min).map(|(span, _)| span).collect()
    }

    proptest! {
        #[test]
        fn no_run_is_missed_and_none_made_up(text in "a{0,6}(ba{0,6}){0,12}", length_min in 1..6_usize) {
            prop_assert_eq!(runs(text.as_bytes(), length_min, |byte| byte == b'a'), runs_slowly(text.as_bytes(), length_min));
        }
    }
}
