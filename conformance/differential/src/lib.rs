//! Differential test: the same requests to Apache Kafka and to Ottla, answers compared field by field. The binary records what Kafka
//! answers and compares brokers; a test of the root's workspace replays the recordings.
//!
//! In reading order: `schema` (the protocol's definitions at run time), `codec` and `batches` (JSON to bytes and back), `symbols` (what
//! legitimately differs), `session` (one sequence's connections), `generate` (seed to sequence), `settle` (waits out Kafka's
//! asynchrony), `fixture` (what is kept), `compare` and `rules` (what counts as a difference), `replay` (all of it together).

/// Options of both brokers, so that what a sequence meets does not depend on when it runs.
pub const OPTIONS: &str = "\
node.id=1
num.partitions=4
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
offsets.topic.num.partitions=4
";

pub mod batches;
pub mod codec;
pub mod compare;
pub mod fixture;
pub mod generate;
pub mod replay;
pub mod rules;
pub mod schema;
pub mod session;
pub mod settle;
pub mod symbols;
