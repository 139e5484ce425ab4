//! Packing of facts, as `producer/src/dispatcher/trees.rs` does it: by the counters of the record alone, again and again until
//! nothing waits.

use super::{Event, World, numbers};

/// How long until what waits is looked for again.
const PERIOD_MS: u64 = 2_000;

impl World {
    /// Has the facts of an audit packed if all that is left of it waits for that.
    pub(super) fn stir_packer(&mut self, audit: usize) {
        if !self.record.waiting_trees(audit).is_empty() {
            let after_ms = self.random.between(1, PERIOD_MS);
            self.agenda.add(self.now_ms + after_ms, Event::Pack(audit));
        }
    }

    pub(super) fn pack(&mut self, audit: usize) {
        for task in self.record.waiting_trees(audit) {
            if self.fails(self.scenario.faults.dispatcher_dies) {
                self.see("whoever packs facts died before the record knew of them");
                self.agenda.add(self.now_ms + PERIOD_MS, Event::Pack(audit));
                break;
            }
            // Another process may have been at it, too: only one of them changes anything.
            assert!(self.record.open_tree(task) && !self.record.open_tree(task), "{task:?} was opened once");
            self.see("a whole tree was judged once everything else was done");
            self.note("open", &numbers(task));
        }
        self.laws.check(&self.record, &[audit]);
        self.wake_dispatcher();
    }
}
