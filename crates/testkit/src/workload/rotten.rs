//! Everything there is after bits have rotted: read around the damage, and a record appended behind it.

use std::ops::AddAssign;

use log::Clock;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::error::ErrorCode;

use super::consume::fetch;
use super::{Context, PARTITIONS, Stop, check, produce};
use crate::history::{Place, Value, Violation};

/// How many records were served, and how many told to be damaged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rotten {
    pub served: u64,
    pub damaged: u64,
}

impl AddAssign for Rotten {
    fn add_assign(&mut self, other: Self) {
        self.served += other.served;
        self.damaged += other.damaged;
    }
}

pub(super) async fn verify(context: &mut Context) -> Result<Rotten, Stop> {
    let history = context.history.clone();
    let topics: Vec<String> = {
        let history = history.lock();
        history.topics().map(|(name, _)| name.clone()).collect()
    };
    let mut rotten = Rotten::default();
    for topic in topics {
        context.find_topic(&topic).await?;
        for partition in 0..PARTITIONS {
            rotten += verify_place(context, &(topic.clone(), partition)).await?;
        }
    }
    Ok(rotten)
}

async fn verify_place(context: &mut Context, place: &Place) -> Result<Rotten, Stop> {
    let mut rotten = Rotten::default();
    let shown = context.history.lock().high_watermark(place);
    let mut next = 0;
    while next < shown {
        // That each record is the known one `fetch` sees to.
        match fetch(context, place, next, 0).await {
            Ok((records, high_watermark)) => {
                if high_watermark < shown {
                    let what = format!("{place:?} ended at {shown} and ends at {high_watermark}");
                    return Err(Violation(what).into());
                }
                for (offset, _) in &records {
                    if *offset != next {
                        let what = format!("{place:?} has {offset} instead of {next}, untold");
                        return Err(Violation(what).into());
                    }
                    next += 1;
                    rotten.served += 1;
                }
                if records.is_empty() {
                    return Err(Violation(format!("{place:?} has nothing at {next}")).into());
                }
            }
            Err(Stop::Refused {
                code: Some(ErrorCode::CorruptMessage),
                ..
            }) => {
                // Offsets may have jumped far ahead behind it.
                let known = context.history.lock().next_record(place, next + 1);
                next = known.unwrap_or(shown);
                rotten.damaged += 1;
            }
            Err(stop) => return Err(stop),
        }
    }
    append(context, place, shown).await?;
    Ok(rotten)
}

/// No offset that was shown is given again.
async fn append(context: &mut Context, place: &Place, shown: i64) -> Result<(), Stop> {
    let value = Value {
        producer: "after-rot".to_owned(),
        number: shown.unsigned_abs(),
    };
    let text = format!("{} {}", value.producer, value.number);
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let record = NewRecord {
        timestamp: context.life.clock.wall_ms(),
        key: None,
        value: Some(text.as_bytes()),
        headers: &[],
    };
    let appended = builder.append(&record);
    assert!(appended.is_ok(), "a small record fits");
    let request = produce::request(place, builder.build().unwrap_or_default());
    let response = context.ask(&request, produce::VERSION).await?;
    let answers = response.responses.iter();
    for answer in answers.flat_map(|topic| &topic.partition_responses) {
        check("a batch behind the damage", answer.error_code)?;
        if answer.base_offset < shown {
            let what = format!("{place:?} gave offset {} again", answer.base_offset);
            return Err(Violation(what).into());
        }
        let mut history = context.history.lock();
        history.saw_record(place, answer.base_offset, &value)?;
    }
    Ok(())
}
