//! The bytes of one simulated file: what reads see (live) and what a power cut is sure to leave
//! (durable). [`super::sim_state`] names files and counts operations; here is what a block may become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::sim_state::Rng;

pub(super) const BLOCK_BYTES: u64 = 4096;
type Block = [u8; BLOCK_BYTES as usize];

/// Blocks that were never written are zero and take no memory.
#[derive(Clone, Debug, Default)]
struct Image {
    len: u64,
    blocks: BTreeMap<u64, Arc<Block>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SimBytes {
    live: Image,
    durable: Image,
    /// Blocks whose live form waits for a sync. A block may differ without being here: its sync
    /// failed, and like the page cache of a real kernel the copy in memory then only looks sound.
    dirty: BTreeSet<u64>,
    /// Blocks that the medium does not give back until they are written again.
    unreadable: BTreeSet<u64>,
}

impl SimBytes {
    pub(super) fn len(&self) -> u64 {
        self.live.len
    }

    /// Reads up to the end; gives the count of bytes read.
    pub(super) fn read(&self, position: u64, into: &mut [u8]) -> usize {
        let available = self.live.len.saturating_sub(position);
        let count = usize::try_from(available).map_or(into.len(), |n| n.min(into.len()));
        for (block, within, range) in pieces(position, count) {
            match self.live.blocks.get(&block) {
                Some(bytes) => into[range.clone()].copy_from_slice(&bytes[within..][..range.len()]),
                None => into[range].fill(0),
            }
        }
        count
    }

    /// Writes, growing the file if need be. A block that was still dirty may have reached the disk
    /// before this write changes it again.
    pub(super) fn write(&mut self, position: u64, bytes: &[u8], rng: &mut Rng) {
        for (block, within, range) in pieces(position, bytes.len()) {
            if self.dirty.contains(&block) && rng.coin() {
                self.write_back(block);
            }
            let new = self.live.blocks.entry(block).or_insert_with(zero_block);
            Arc::make_mut(new)[within..][..range.len()].copy_from_slice(&bytes[range]);
            self.dirty.insert(block);
            self.unreadable.remove(&block);
        }
        self.live.len = self.live.len.max(position + bytes.len() as u64);
    }

    /// Sets the length. What is cut off reads as zero if the file grows again.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.live.len {
            let first_cut = len.div_ceil(BLOCK_BYTES);
            let cut = self.live.blocks.split_off(&first_cut);
            self.dirty.extend(cut.keys());
            if let Some(last) = self.live.blocks.get_mut(&(len / BLOCK_BYTES)) {
                Arc::make_mut(last)[(len % BLOCK_BYTES) as usize..].fill(0);
                self.dirty.insert(len / BLOCK_BYTES);
            }
        }
        self.live.len = len;
    }

    pub(super) fn sync(&mut self) {
        for block in std::mem::take(&mut self.dirty) {
            self.write_back(block);
        }
        self.durable.len = self.live.len;
        let end = self.durable.len.div_ceil(BLOCK_BYTES);
        self.durable.blocks.split_off(&end);
    }

    /// A sync that fails: some blocks made it, and nobody will try again for the others.
    pub(super) fn fail_sync(&mut self, rng: &mut Rng) {
        for block in std::mem::take(&mut self.dirty) {
            if rng.coin() {
                self.write_back(block);
            }
        }
    }

    fn write_back(&mut self, block: u64) {
        match self.live.blocks.get(&block) {
            Some(bytes) => self.durable.blocks.insert(block, Arc::clone(bytes)),
            None => self.durable.blocks.remove(&block),
        };
    }

    /// The file after a power cut: each dirty block old or new, or with `torn_blocks` part of each.
    pub(super) fn crash(&self, rng: &mut Rng, torn_blocks: bool) -> Self {
        let mut image = self.durable.clone();
        for block in &self.dirty {
            let old = image.blocks.get(block).cloned();
            let new = self.live.blocks.get(block).cloned();
            let left = match rng.below(if torn_blocks { 3 } else { 2 }) {
                0 => old,
                1 => new,
                _ => Some(tear(old, new, rng)),
            };
            match left {
                Some(bytes) => image.blocks.insert(*block, bytes),
                None => image.blocks.remove(block),
            };
        }
        if rng.coin() {
            image.len = self.live.len;
        }
        let mut bytes = Self {
            live: image.clone(),
            durable: image,
            dirty: BTreeSet::new(),
            unreadable: self.unreadable.clone(),
        };
        // Blocks behind the end that a lost growth left must not show when the file grows again.
        let len = bytes.live.len;
        bytes.live.len = u64::MAX;
        bytes.set_len(len);
        bytes.sync();
        bytes
    }

    pub(super) fn set_unreadable(&mut self, position: u64) {
        self.unreadable.insert(position / BLOCK_BYTES);
    }

    pub(super) fn is_readable(&self, position: u64, bytes: usize) -> bool {
        pieces(position, bytes).all(|(block, _, _)| !self.unreadable.contains(&block))
    }

    /// Damage on the medium: seen by reads, and there after every crash.
    pub(super) fn flip_bit(&mut self, position: u64, bit: u8) {
        for image in [&mut self.live, &mut self.durable] {
            let block = image.blocks.entry(position / BLOCK_BYTES);
            let block = Arc::make_mut(block.or_insert_with(zero_block));
            block[(position % BLOCK_BYTES) as usize] ^= 1 << bit;
        }
    }
}

/// The new block up to some sector, the old one from there on, or the other way round.
fn tear(old: Option<Arc<Block>>, new: Option<Arc<Block>>, rng: &mut Rng) -> Arc<Block> {
    let (old, new) = (
        old.unwrap_or_else(zero_block),
        new.unwrap_or_else(zero_block),
    );
    let (head, tail) = if rng.coin() { (old, new) } else { (new, old) };
    let mut torn = *head;
    let at = rng.below(BLOCK_BYTES) as usize;
    torn[at..].copy_from_slice(&tail[at..]);
    Arc::new(torn)
}

fn zero_block() -> Arc<Block> {
    Arc::new([0; BLOCK_BYTES as usize])
}

/// Cuts `count` bytes at `position` at block borders: block, offset within it, range of the bytes.
fn pieces(
    position: u64,
    count: usize,
) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = position + done as u64;
        let within = (at % BLOCK_BYTES) as usize;
        let piece = (BLOCK_BYTES as usize - within).min(count - done);
        let range = done..done + piece;
        done += piece;
        (piece > 0).then_some((at / BLOCK_BYTES, within, range))
    })
}
