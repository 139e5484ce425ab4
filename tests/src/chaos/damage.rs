//! Damage to the store of a nats-server: what a bad disk or a torn write leaves, and a disk that takes no more.

use std::fs;
use std::path::Path;

use crate::disk::limit_files;
use crate::files;
use crate::random::Random;
use crate::stack::Stack;

/// Bytes that each file of a nats-server may have while it "cannot write": the server gets an error from each write
/// beyond that, just as from a full disk, and an ordinary user can have it so.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Files damaged at once.
const DAMAGED_MAX: usize = 3;

/// Flips bits in some files of messages or cuts off their ends; half the time the indexes are gone too, so that the
/// server must believe what it reads. It must not run.
pub(super) fn spoil(store: &Path, random: &mut Random) {
    let blocks = files::below(store, &[], |path| {
        path.extension().is_some_and(|extension| extension == "blk")
            && fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
    });
    if blocks.is_empty() {
        return;
    }
    for _ in 0..=random.below(DAMAGED_MAX) {
        let block = &blocks[random.below(blocks.len())];
        let mut bytes = fs::read(block).expect("the store is ours");
        let at = random.below(bytes.len().max(1));
        if random.below(2) == 0 && !bytes.is_empty() {
            bytes[at] ^= 1 << random.below(8);
        } else {
            bytes.truncate(at);
        }
        fs::write(block, bytes).expect("the store is ours");
    }
    if random.below(2) == 0 {
        for index in files::below(store, &[], |path| path.file_name().is_some_and(|name| name == "index.db")) {
            fs::remove_file(index).expect("the store is ours");
        }
    }
}

/// From now on the nats-server gets an error from nearly every write, until it is started again.
pub(super) fn forbid_writes(stack: &Stack) {
    let Some(pid) = stack.nats.pid() else { return };
    let status = limit_files(pid, &FILE_BYTES_MAX.to_string());
    assert!(status.success(), "prlimit ended with {status}");
}
