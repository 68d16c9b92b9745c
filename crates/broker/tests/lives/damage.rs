//! Damage in what the broker keeps for itself.

use log::disk::Disk;
use log::disk::sim::SimDisk;

use crate::{NOW_MS, commit, left, live};

/// Flips a bit behind the first place where `text` stands in a journal file.
fn damage(disk: &SimDisk, text: &[u8]) {
    for name in disk.names().unwrap() {
        let bytes = disk.contents(&name).unwrap();
        if let Some(at) = bytes.windows(text.len()).position(|found| found == text) {
            return disk.flip_bit(&name, (at + text.len()) as u64, 0);
        }
    }
    panic!("it stands nowhere");
}

#[test]
fn damaged_offsets_cost_their_group_and_not_the_start() {
    let mut disk = SimDisk::new(1);
    live(&mut disk, NOW_MS, async |broker, _| {
        for group in ["kept", "damaged", "kept too", "the last"] {
            commit(broker, group).await;
        }
    });
    damage(&disk, b"damaged");
    live(&mut disk, NOW_MS, async |broker, clock| {
        assert_eq!(left(broker, clock).await, ["kept", "kept too", "the last"]);
        commit(broker, "damaged").await;
    });
    live(&mut disk, NOW_MS, async |broker, clock| {
        assert_eq!(left(broker, clock).await.len(), 4);
    });
}
