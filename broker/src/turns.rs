//! Whose turn it is: priorities share the workers by weight, and none that has work waits for ever.

use schemas::request::Priority;

/// How many priorities there are.
pub(crate) const CLASSES: usize = Priority::ALL.len();

/// How many of all turns each priority gets while all of them have work, in the order of [`Priority::ALL`]. Powers of two,
/// so that each is served twice as often as the next one down, and the last still once in 29 turns.
const WEIGHTS: [i64; CLASSES] = [16, 8, 4, 1];

/// Smooth weighted round robin: each turn every class that has work earns its weight, the richest is served, and pays what
/// all of them have earned. So the shares are exact over a round, and turns of one class are spread over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns {
    credit: [i64; CLASSES],
}

impl Turns {
    /// Whose turn it is among the classes that may have work, by index into [`Priority::ALL`]; nothing is paid yet.
    pub(crate) fn next(&self, open: [bool; CLASSES]) -> Option<usize> {
        // The first of equals: the most urgent one.
        (0..CLASSES).filter(|&class| open[class]).rev().max_by_key(|&class| self.credit[class] + WEIGHTS[class])
    }

    /// Counts a turn: `class` was served, and `open` are the classes that may have had work, itself among them.
    pub(crate) fn took(&mut self, class: usize, open: [bool; CLASSES]) {
        for other in (0..CLASSES).filter(|&other| open[other]) {
            self.credit[other] += WEIGHTS[other];
            self.credit[class] -= WEIGHTS[other];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Serves one turn and says whose it was.
    fn turn(turns: &mut Turns, open: [bool; CLASSES]) -> Option<usize> {
        let class = turns.next(open)?;
        turns.took(class, open);
        Some(class)
    }

    fn some_open() -> impl Strategy<Value = [bool; CLASSES]> {
        any::<[bool; CLASSES]>().prop_filter("one has work", |open| open.contains(&true))
    }

    fn mostly_open() -> impl Strategy<Value = [bool; CLASSES]> {
        prop::array::uniform4(prop::bool::weighted(0.95))
    }

    proptest! {
        /// After any history, whoever has work gets its share of the turns, give or take what the history left over.
        #[test]
        fn shares_are_the_weights_of_those_that_have_work(
            before in prop::collection::vec(some_open(), 0..200), open in some_open(), rounds in 10..40_usize,
        ) {
            let mut turns = Turns::default();
            for open in before {
                turn(&mut turns, open);
            }
            let total: i64 = (0..CLASSES).filter(|&class| open[class]).map(|class| WEIGHTS[class]).sum();
            let count = rounds * usize::try_from(total).unwrap();
            let mut served = [0_i64; CLASSES];
            for _ in 0..count {
                served[turn(&mut turns, open).unwrap()] += 1;
            }
            for class in 0..CLASSES {
                let share = if open[class] { WEIGHTS[class] * i64::try_from(rounds).unwrap() } else { 0 };
                prop_assert!((served[class] - share).abs() <= 4, "{served:?} of {count} turns, open {open:?}");
            }
        }

        /// However the others come and go, a class that always has work is served at least as often as beside all of them.
        #[test]
        fn nobody_starves(class in 0..CLASSES, others in prop::collection::vec(mostly_open(), 600)) {
            let mut turns = Turns::default();
            let count = i64::try_from(others.len()).unwrap();
            let mut served = 0;
            for mut open in others {
                open[class] = true;
                served += i64::from(turn(&mut turns, open) == Some(class));
            }
            let least = count * WEIGHTS[class] / WEIGHTS.iter().sum::<i64>();
            prop_assert!(served >= least - 4, "class {class} had {served} of {count} turns");
        }
    }

    #[test]
    fn beside_all_others_the_last_waits_for_28_turns() {
        let mut turns = Turns::default();
        let round: Vec<usize> = (0..29).map(|_| turn(&mut turns, [true; CLASSES]).unwrap()).collect();
        let counts = [0, 1, 2, 3].map(|class| round.iter().filter(|&&served| served == class).count());
        assert_eq!(counts, [16, 8, 4, 1], "{round:?}");
        assert_eq!(round[..4], [0, 1, 0, 2], "turns of one class are spread: {round:?}");
    }

    #[test]
    fn nobody_is_served_where_nobody_has_work() {
        assert_eq!(Turns::default().next([false; CLASSES]), None);
    }
}
