//! The events of the manifest (log 0), one per record value. The journal appends and replays them;
//! `manifest` says what they do to the files. Bytes: docs/formats.md, "Manifest records".

use crate::fields::{Fields, Truncated};
use crate::file_id::FileId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    LogStartMoved {
        log_id: u64,
        start_offset: i64,
    },
    LogDeleted {
        log_id: u64,
    },
    /// Merged segment `merged` takes the place of the files in `replaced`.
    MergedInstalled {
        merged: u64,
        replaced: Vec<FileId>,
    },
    FileDeleted {
        file: FileId,
    },
    HoleAccepted(Hole),
}

/// Frames of a journal file that are lost for good and known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    pub file: FileId,
    pub first_sequence: u64,
    pub last_sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("kind {kind} is not known to this version")]
    UnknownKind { kind: u8 },
    #[error("{count} bytes follow the event")]
    BytesBehind { count: usize },
    #[error(transparent)]
    Truncated(#[from] Truncated),
}

// Stored: never reuse a number.
const LOG_START_MOVED: u8 = 1;
const LOG_DELETED: u8 = 2;
const MERGED_INSTALLED: u8 = 3;
const FILE_DELETED: u8 = 4;
const HOLE_ACCEPTED: u8 = 5;

impl Event {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::LogStartMoved {
                log_id,
                start_offset,
            } => {
                out.push(LOG_START_MOVED);
                out.extend(log_id.to_le_bytes());
                out.extend(start_offset.to_le_bytes());
            }
            Self::LogDeleted { log_id } => {
                out.push(LOG_DELETED);
                out.extend(log_id.to_le_bytes());
            }
            Self::MergedInstalled { merged, replaced } => {
                out.push(MERGED_INSTALLED);
                out.extend(merged.to_le_bytes());
                out.extend((replaced.len() as u32).to_le_bytes());
                for file in replaced {
                    out.extend(file.to_bits().to_le_bytes());
                }
            }
            Self::FileDeleted { file } => {
                out.push(FILE_DELETED);
                out.extend(file.to_bits().to_le_bytes());
            }
            Self::HoleAccepted(hole) => {
                out.push(HOLE_ACCEPTED);
                hole.encode(&mut out);
            }
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        let mut fields = Fields::new(bytes);
        let event = match fields.u8("kind")? {
            LOG_START_MOVED => Self::LogStartMoved {
                log_id: fields.u64("log id")?,
                start_offset: fields.i64("start offset")?,
            },
            LOG_DELETED => Self::LogDeleted {
                log_id: fields.u64("log id")?,
            },
            MERGED_INSTALLED => {
                let merged = merged_number(&mut fields)?;
                let count = fields.count_u32(8, "replaced files")?;
                let replaced = (0..count)
                    .map(|_| Ok(FileId::from_bits(fields.u64("replaced file")?)))
                    .collect::<Result<_, Truncated>>()?;
                Self::MergedInstalled { merged, replaced }
            }
            FILE_DELETED => Self::FileDeleted {
                file: FileId::from_bits(fields.u64("file")?),
            },
            HOLE_ACCEPTED => Self::HoleAccepted(Hole::decode(&mut fields)?),
            kind => return Err(EventError::UnknownKind { kind }),
        };
        match fields.rest().len() {
            0 => Ok(event),
            count => Err(EventError::BytesBehind { count }),
        }
    }
}

/// A merged segment's number as it stands alone, without the bit that tells it from a journal file's.
pub(crate) fn merged_number(fields: &mut Fields<'_>) -> Result<u64, Truncated> {
    let field = "merged number";
    match fields.u64(field)? {
        number if number >> 63 == 0 => Ok(number),
        _ => Err(Truncated { field }),
    }
}

impl Hole {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.file.to_bits().to_le_bytes());
        out.extend(self.first_sequence.to_le_bytes());
        out.extend(self.last_sequence.to_le_bytes());
    }

    pub(crate) fn decode(fields: &mut Fields<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            file: FileId::from_bits(fields.u64("hole file")?),
            first_sequence: fields.u64("hole sequence")?,
            last_sequence: fields.u64("hole sequence")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_keep_their_bytes() {
        let j = FileId::journal;
        for (event, hex) in [
            (
                Event::LogStartMoved {
                    log_id: 258,
                    start_offset: 5,
                },
                "01 0201000000000000 0500000000000000",
            ),
            (Event::LogDeleted { log_id: 9 }, "02 0900000000000000"),
            (
                Event::MergedInstalled {
                    merged: 4,
                    replaced: vec![j(1), FileId::merged(3)],
                },
                "03 0400000000000000 02000000 0100000000000000 0300000000000080",
            ),
            (Event::FileDeleted { file: j(7) }, "04 0700000000000000"),
            (
                Event::HoleAccepted(Hole {
                    file: j(1),
                    first_sequence: 2,
                    last_sequence: 3,
                }),
                "05 0100000000000000 0200000000000000 0300000000000000",
            ),
        ] {
            let bytes = event.encode();
            let written: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(written, hex.replace(' ', ""));
            assert_eq!(Event::decode(&bytes), Ok(event));
            for cut in 0..bytes.len() {
                assert!(Event::decode(&bytes[..cut]).is_err());
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(
                Event::decode(&longer),
                Err(EventError::BytesBehind { count: 1 })
            );
        }
        assert_eq!(
            Event::decode(&[6]),
            Err(EventError::UnknownKind { kind: 6 })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_event_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(event) = Event::decode(&bytes) {
                prop_assert_eq!(event.encode(), bytes);
            }
        }
    }
}
