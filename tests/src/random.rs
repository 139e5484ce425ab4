//! Chance that can be repeated: a seeded generator, which shows its seed when the test that uses it fails.

/// SplitMix64; dropped while the test is failing it prints the seed.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// The next number.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a usize has 64 bits here");
        usize::try_from(self.draw() % end).expect("it is below a usize")
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.draw() % (most - least + 1)
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.draw() % 1_000 < permille
    }

    /// Any order of `items`, each as likely as the others.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

impl Drop for Random {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the test that failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the seed was {}", self.seed);
        }
    }
}
