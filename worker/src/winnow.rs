//! Winnowing: a few windows of a sequence, chosen so that equal stretches of two sequences have equal windows.
//!
//! Every window of [`WINDOW`] tokens has a hash; of each [`GUARANTEE`] windows in a row the one with the least hash is chosen.
//! The choice depends on nothing but what is inside, so what two sequences have in common is chosen in both.

use schemas::packed::WINDOW_HASH_BITS;

/// Tokens in a window: fewer are alike by chance, in any two programs.
pub(crate) const WINDOW: usize = 50;

/// Windows in a row of which one is chosen: equal stretches of `WINDOW + GUARANTEE - 1` tokens are found for sure, shorter ones often.
pub(crate) const GUARANTEE: usize = 50;

/// Odd, so that no token loses its bits on the way through a window.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hash and first token of each chosen window, in order.
pub(crate) fn winnow(tokens: &[u64]) -> Vec<(u64, usize)> {
    let hashes = window_hashes(tokens);
    let mut chosen: Vec<(u64, usize)> = Vec::new();
    let reach = GUARANTEE.min(hashes.len());
    // The last of the least windows in reach.
    let mut least = 0;
    for (place, hash) in hashes.iter().enumerate() {
        if *hash <= hashes[least] {
            least = place;
        } else if least + reach <= place {
            let first = place + 1 - reach;
            let in_reach = hashes[first..=place].iter().enumerate();
            least = in_reach.rev().min_by_key(|(_, hash)| **hash).map_or(place, |(steps, _)| first + steps);
        }
        // Of equal ones the last that was chosen stays as long as it is in reach: else code that repeats would choose every window.
        let stays = |(hash, last): &(u64, usize)| *hash == hashes[least] && last + reach > place;
        if place + 1 >= reach && !chosen.last().is_some_and(stays) {
            chosen.push((hashes[least], least));
        }
    }
    chosen
}

/// The hash of each window, each made from the one before in constant time.
fn window_hashes(tokens: &[u64]) -> Vec<u64> {
    if tokens.len() < WINDOW {
        return Vec::new();
    }
    let oldest = (1..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut sum = tokens[..WINDOW].iter().fold(0_u64, |sum, token| sum.wrapping_mul(BASE).wrapping_add(*token));
    let mut hashes = vec![mixed(sum)];
    for (gone, new) in tokens.iter().zip(&tokens[WINDOW..]) {
        sum = sum.wrapping_sub(gone.wrapping_mul(oldest)).wrapping_mul(BASE).wrapping_add(*new);
        hashes.push(mixed(sum));
    }
    hashes
}

/// Spreads what the sum has in its high bits only, and keeps as many bits as are kept.
fn mixed(sum: u64) -> u64 {
    let sum = (sum ^ (sum >> 32)).wrapping_mul(BASE);
    (sum ^ (sum >> 29)) >> (u64::BITS - WINDOW_HASH_BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_stretch_that_two_sequences_share_has_a_window_in_both(
            shared in prop::collection::vec(any::<u64>(), WINDOW + GUARANTEE - 1),
            around in prop::collection::vec(any::<u64>(), 0..300),
            cut in 0..300_usize,
        ) {
            let (before, after) = around.split_at(cut.min(around.len()));
            let one: BTreeSet<u64> = winnow(&[before, &shared, after].concat()).into_iter().map(|(hash, _)| hash).collect();
            let other: BTreeSet<u64> = winnow(&[after, &shared, before].concat()).into_iter().map(|(hash, _)| hash).collect();
            prop_assert!(one.intersection(&other).next().is_some());
        }

        #[test]
        fn chosen_windows_are_in_order_and_at_most_so_far_apart(tokens in prop::collection::vec(0..5_u64, 0..400)) {
            let chosen = winnow(&tokens);
            prop_assert_eq!(chosen.is_empty(), tokens.len() < WINDOW);
            prop_assert!(chosen.iter().all(|(hash, first)| first + WINDOW <= tokens.len() && *hash < 1 << WINDOW_HASH_BITS));
            prop_assert!(chosen.windows(2).all(|pair| pair[0].1 < pair[1].1 && pair[1].1 - pair[0].1 <= GUARANTEE));
        }
    }

    #[test]
    fn what_repeats_is_chosen_no_more_often_than_anything_else() {
        for period in [1, 2, 3, 49, 50, 51, 400] {
            let tokens: Vec<u64> = (0..200_000).map(|place| place % period).collect();
            let chosen = winnow(&tokens).len();
            assert!((tokens.len() / GUARANTEE - 1..tokens.len() / 10).contains(&chosen), "{period}: {chosen}");
        }
    }

    #[test]
    fn sequences_that_have_nothing_in_common_have_no_window_in_common() {
        let one: BTreeSet<u64> = winnow(&(0..5_000).collect::<Vec<_>>()).into_iter().map(|(hash, _)| hash).collect();
        let other = winnow(&(5_000..10_000).collect::<Vec<_>>());
        assert!(one.len() > 100 && other.iter().all(|(hash, _)| !one.contains(hash)));
    }
}
