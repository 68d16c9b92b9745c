//! Committed offsets over power cuts under clocks that are set: no snapshot is there, and what each batch carries must tell its age.

use log::disk::sim::SimDisk;

use crate::{DAY_MS, NOW_MS, commit, left, live};

#[test]
fn ages_go_on_over_power_cuts_and_jumps() {
    let mut disk = SimDisk::new(1);
    live(&mut disk, 0, async |broker, clock| {
        commit(broker, "in 1970").await;
        clock.set_wall_ms(NOW_MS);
        assert_eq!(left(broker, clock).await, ["in 1970"]);
    });
    live(&mut disk, NOW_MS, async |broker, clock| {
        assert_eq!(left(broker, clock).await, ["in 1970"]);
        clock.advance_ms(3 * DAY_MS);
        commit(broker, "now").await;
    });
    let stopped_ms = NOW_MS + 7 * DAY_MS as i64;
    live(&mut disk, stopped_ms, async |broker, clock| {
        // Three days of running, then four without power.
        assert_eq!(left(broker, clock).await, ["now"]);
        clock.set_wall_ms(0);
        assert_eq!(left(broker, clock).await, ["now"]);
        clock.advance_ms(2 * DAY_MS);
        commit(broker, "back in 1970").await;
    });
    live(&mut disk, 0, async |broker, clock| {
        assert_eq!(left(broker, clock).await, ["back in 1970", "now"]);
        clock.advance_ms(DAY_MS);
        assert_eq!(left(broker, clock).await, ["back in 1970"]);
        clock.advance_ms(6 * DAY_MS);
        assert_eq!(left(broker, clock).await, [""; 0]);
    });
}
