//! Every message in every version: against the crate `kafka-protocol` (`oracle`), against bytes that Kafka itself wrote (`golden`),
//! and in the hands of somebody hostile or careless (`hostile`).
#![cfg(test)]

#[expect(
    clippy::field_reassign_with_default,
    reason = "generated: one shape for all messages, whatever their fields"
)]
mod arbitrary;
mod counting;
mod golden;
mod hostile;
mod kind;
mod oracle;
mod random;
