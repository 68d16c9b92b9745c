//! What is kept of Kafka's answers: one line of JSON for each sequence, compressed together. Written by `record`, read by `replay`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::session::Step;

/// Kafka's answers, beside this package's code.
pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kafka-4.3.1.zst");
/// Those of sequences in which a difference is not judged yet.
pub const OPEN_PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/open.zst");

/// Slow and small: written seldom, kept for good.
const COMPRESSION_LEVEL: i32 = 19;

/// The steps of one seed.
#[derive(Clone)]
pub struct Sequence {
    pub seed: u64,
    pub steps: Vec<Step>,
}

pub fn read(path: &Path) -> Result<Vec<Sequence>> {
    let packed = fs::read(path).with_context(|| path.display().to_string())?;
    let text = String::from_utf8(zstd::decode_all(packed.as_slice())?)?;
    text.lines()
        .map(|line| read_sequence(&serde_json::from_str(line)?).context("not a sequence"))
        .collect()
}

pub fn write(path: &Path, sequences: &[Sequence]) -> Result<()> {
    let mut text = String::new();
    for sequence in sequences {
        text.push_str(&line(sequence).to_string());
        text.push('\n');
    }
    fs::write(path, zstd::encode_all(text.as_bytes(), COMPRESSION_LEVEL)?)?;
    Ok(())
}

fn line(sequence: &Sequence) -> Value {
    let steps = sequence.steps.iter();
    let steps: Vec<Value> = steps
        .map(|step| {
            json!([
                step.connection,
                step.api,
                step.version,
                step.request,
                step.answer
            ])
        })
        .collect();
    json!([sequence.seed, steps])
}

fn read_sequence(line: &Value) -> Option<Sequence> {
    let steps = line[1].as_array()?.iter();
    let steps = steps.map(|step| {
        Some(Step {
            connection: usize::try_from(step[0].as_u64()?).ok()?,
            api: step[1].as_str()?.to_owned(),
            version: i16::try_from(step[2].as_i64()?).ok()?,
            request: step[3].clone(),
            answer: step[4].clone(),
        })
    });
    Some(Sequence {
        seed: line[0].as_u64()?,
        steps: steps.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_read_as_it_was_written() {
        let step = Step {
            connection: 1,
            api: "Metadata".to_owned(),
            version: 9,
            request: json!({"topics": null}),
            answer: json!({"topics": [{"name": "seq1-a"}]}),
        };
        let sequence = Sequence {
            seed: 1,
            steps: vec![step.clone()],
        };
        let found = read_sequence(&line(&sequence)).unwrap();
        assert_eq!((found.seed, found.steps), (1, vec![step]));
    }
}
