//! The cluster's metadata: what topics and options there are. A state machine replayed from the metadata log: `decide` turns commands
//! into records, `image` is the state they make, `controller` (beside this folder) does the I/O.

pub mod decide;
pub mod image;
pub mod option_change;
pub mod record;
pub mod refusal;
pub mod snapshot;
pub mod topic_name;

pub use decide::NewTopic;
pub use image::{Image, LogOpener, Topic};
pub use record::MetadataRecord;
pub use refusal::Refusal;
