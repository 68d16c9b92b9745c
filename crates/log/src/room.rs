//! Whether a batch still has room on the disk, asked before it gets offsets: in the active file, else
//! in the next one if that is ready. Pure; part of the queue. A full disk is found here, not while
//! writing.

use crate::options::LogClass;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes that frames and their index may still take in the active file.
    left: u64,
    /// What a fresh file takes.
    file_room: u64,
    next: Option<NextFile>,
    /// The active file is the reserve: it is there for the broker's own logs.
    on_reserve: bool,
    /// The disk had no room for the next file.
    full: bool,
    /// The disk had no room for a frame although its file was there.
    write_refused: bool,
}

/// The file behind the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextFile {
    Spare,
    Reserve,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The next file is being made.
    Wait,
    Full,
}

impl Room {
    pub(crate) fn new(left: u64, file_room: u64) -> Self {
        Self {
            left,
            file_room,
            next: None,
            on_reserve: false,
            full: false,
            write_refused: false,
        }
    }

    /// Whether a frame that comes to so many bytes can be written for a log of this class.
    pub(crate) fn check(&self, frame_bytes: u64, class: LogClass) -> Result<(), NoRoom> {
        let is_user = class == LogClass::User;
        if is_user && (self.write_refused || (self.full && self.on_reserve)) {
            return Err(NoRoom::Full);
        }
        let next = match self.next {
            Some(NextFile::Spare) => true,
            Some(NextFile::Reserve) => !is_user,
            None => false,
        };
        if frame_bytes <= self.left || (next && frame_bytes <= self.file_room) {
            return Ok(());
        }
        match self.full {
            true => Err(NoRoom::Full),
            false => Err(NoRoom::Wait),
        }
    }

    /// Takes the room of a frame that is about to be written. True if it goes to the next file.
    pub(crate) fn take(&mut self, frame_bytes: u64) -> bool {
        let rolls = frame_bytes > self.left;
        if rolls {
            self.left = self.file_room;
            self.on_reserve = self.next == Some(NextFile::Reserve);
            self.next = None;
        }
        self.left = self.left.saturating_sub(frame_bytes);
        rolls
    }

    /// The frame is written; so much is really left.
    pub(crate) fn set_left(&mut self, left: u64) {
        self.left = left;
    }

    /// The next file is taken.
    pub(crate) fn clear_next(&mut self) {
        self.next = None;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full || self.write_refused
    }

    pub(crate) fn set_write_refused(&mut self, refused: bool) {
        self.write_refused = refused;
    }

    pub(crate) fn set_next(&mut self, next: NextFile) {
        self.next = Some(next);
        self.full = next == NextFile::Reserve;
    }

    pub(crate) fn set_full(&mut self) {
        self.full = true;
    }

    /// Whether much more may come before the next file must be there.
    pub(crate) fn is_wide(&self) -> bool {
        self.full || self.next.is_some() || self.left > self.file_room / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LogClass::{Internal, Metadata, User};
    use NextFile::{Reserve, Spare};
    use NoRoom::{Full, Wait};

    #[test]
    fn who_gets_what_room() {
        // Left in the active file, the next one, full, frame, class, verdict.
        for (left, next, full, frame, class, expected) in [
            (10, None, false, 10, User, Ok(())),
            (10, None, false, 11, User, Err(Wait)),
            (10, None, true, 11, User, Err(Full)),
            (10, Some(Spare), false, 100, User, Ok(())),
            (10, Some(Spare), false, 101, User, Err(Wait)),
            (10, Some(Reserve), true, 11, User, Err(Full)),
            (10, Some(Reserve), true, 10, User, Ok(())),
            (10, Some(Reserve), true, 11, Internal, Ok(())),
            (10, Some(Reserve), true, 11, Metadata, Ok(())),
            (10, None, true, 11, Metadata, Err(Full)),
        ] {
            let mut room = Room::new(left, 100);
            if let Some(next) = next {
                room.set_next(next);
            }
            if full {
                room.set_full();
            }
            assert_eq!(
                room.check(frame, class),
                expected,
                "{left} {next:?} {full} {frame}"
            );
        }
    }

    #[test]
    fn on_the_reserve_users_wait_until_there_is_a_spare() {
        let mut room = Room::new(10, 100);
        room.set_next(Reserve);
        assert!(!room.take(10));
        assert!(room.take(20));
        assert_eq!((room.left, room.next), (80, None));
        assert_eq!(room.check(5, User), Err(Full));
        assert_eq!(room.check(5, Internal), Ok(()));
        room.set_next(Spare);
        assert_eq!(room.check(5, User), Ok(()));
    }
}
