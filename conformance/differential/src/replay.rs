//! Runs sequences against a broker, several at a time: to record its answers, or to compare them with those recorded. Called by the
//! binary and by the replay in the root's tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::compare::{Difference, differences};
use crate::fixture::Sequence;
use crate::generate;
use crate::rules::{RULES, without_keys};
use crate::session::{Session, Step};
use crate::settle::{self, Settler};

/// A step whose answers differ in a way nobody meant.
pub struct Mismatch {
    pub seed: u64,
    /// Which step of its sequence.
    pub at: usize,
    pub step: Step,
    pub differences: Vec<Difference>,
}

/// What came of a comparison.
#[derive(Default)]
pub struct Report {
    pub sequences: usize,
    pub requests: usize,
    /// At most one of a sequence: what comes behind it may follow from it.
    pub mismatches: Vec<Mismatch>,
    /// How often each rule was needed, in their order.
    pub uses: Vec<usize>,
}

/// What the broker answers to the sequences of these seeds; `settles` if its changes become visible only after their answer.
pub fn record(
    address: &str,
    seeds: &[u64],
    threads: usize,
    settles: bool,
) -> Result<Vec<Sequence>> {
    settle::await_groups(address)?;
    let next = AtomicUsize::new(0);
    let worker = |number: usize| -> Result<Vec<Sequence>> {
        let mut settler = match settles {
            true => Some(Settler::new(address, number)?),
            false => None,
        };
        let mut done = Vec::new();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut session = Session::new(address, *seed, settler);
            generate::run(&mut session, *seed).with_context(|| format!("seed {seed}"))?;
            let (steps, kept) = session.finish()?;
            settler = kept;
            if !steps.iter().any(is_not_ready) {
                done.push(Sequence { seed: *seed, steps });
            }
        }
        Ok(done)
    };
    let mut all = in_threads(threads, worker)?.concat();
    all.sort_by_key(|sequence| sequence.seed);
    Ok(all)
}

/// "Ask again" is no answer to keep: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
fn is_not_ready(step: &Step) -> bool {
    let answer = step.answer.to_string();
    [14, 15, 16]
        .iter()
        .any(|code| answer.contains(&format!("\"error_code\":{code},")))
}

/// Sends the same requests and compares the answers.
pub fn compare(address: &str, sequences: &[Sequence], threads: usize) -> Result<Report> {
    settle::await_groups(address)?;
    let next = AtomicUsize::new(0);
    let worker = |_: usize| -> Result<Report> {
        let mut report = Report::new();
        while let Some(sequence) = sequences.get(next.fetch_add(1, Ordering::Relaxed)) {
            let compared = compare_one(address, sequence, &mut report);
            compared.with_context(|| format!("seed {}", sequence.seed))?;
        }
        Ok(report)
    };
    let mut all = Report::new();
    for part in in_threads(threads, worker)? {
        all.sequences += part.sequences;
        all.requests += part.requests;
        all.mismatches.extend(part.mismatches);
        for (sum, uses) in all.uses.iter_mut().zip(part.uses) {
            *sum += uses;
        }
    }
    all.mismatches.sort_by_key(|mismatch| mismatch.seed);
    Ok(all)
}

fn in_threads<T: Send>(threads: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        started
            .into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a thread panicked"))?)
            .collect()
    })
}

fn compare_one(address: &str, sequence: &Sequence, report: &mut Report) -> Result<()> {
    let mut session = Session::new(address, sequence.seed, None);
    report.sequences += 1;
    for (at, step) in sequence.steps.iter().enumerate() {
        report.requests += 1;
        let answer = session.repeat(step)?;
        let mut found = differences(&step.answer, &answer);
        let mut ends = false;
        found.retain(|difference| {
            let rule = RULES.iter().position(|rule| rule.allows(step, difference));
            if let Some(rule) = rule {
                report.uses[rule] += 1;
                ends |= RULES[rule].ends;
            }
            rule.is_none()
        });
        // What is behind may follow from it.
        if !found.is_empty() {
            report.mismatches.push(Mismatch {
                seed: sequence.seed,
                at,
                step: step.clone(),
                differences: found,
            });
            break;
        }
        if ends {
            break;
        }
    }
    session.finish()?;
    Ok(())
}

impl Report {
    fn new() -> Self {
        Self {
            uses: vec![0; RULES.len()],
            ..Self::default()
        }
    }

    /// The names of rules that no difference needed.
    pub fn unused_rules(&self) -> Vec<&'static str> {
        let unused = RULES.iter().zip(&self.uses).filter(|(_, uses)| **uses == 0);
        unused.map(|(rule, _)| rule.name).collect()
    }

    /// Mismatches of one kind together, the most frequent first, with an example.
    pub fn summary(&self) -> String {
        let mut kinds: BTreeMap<String, Vec<&Mismatch>> = BTreeMap::new();
        for mismatch in &self.mismatches {
            let Some(first) = mismatch.differences.first() else {
                continue;
            };
            let short =
                |value: &serde_json::Value| value.to_string().chars().take(60).collect::<String>();
            let kind = format!(
                "{} {}: kafka {} ottla {}",
                mismatch.step.api,
                without_keys(&first.path),
                short(&first.kafka),
                short(&first.ottla)
            );
            kinds.entry(kind).or_default().push(mismatch);
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, mismatches)| usize::MAX - mismatches.len());
        let mut text = String::new();
        for (kind, mismatches) in kinds {
            let Some(example) = mismatches.first() else {
                continue;
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} x {kind}", mismatches.len());
            let _ = writeln!(
                text,
                "    seed {} step {}: {} v{} {}",
                example.seed,
                example.at,
                example.step.api,
                example.step.version,
                example.step.request
            );
            for difference in example.differences.iter().take(6) {
                let _ = writeln!(text, "    {difference}");
            }
        }
        text
    }
}
