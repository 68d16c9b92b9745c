//! The floor under every broker: receive a produce request, check its CRC, make it durable with a group commit, acknowledge it.
//! No partitions to look after, no offsets to index, no fetch. What a broker needs beyond this is what a broker costs.
//!
//! ```text
//! reading task ──► journal's shared buffer ──► journal thread: write, fdatasync ──► wakes ──► writing task
//! (per connection)                                                                            (per connection)
//! ```
//!
//! In reading order: `connection`, `journal`; `answers` and `topics` are what the driver needs around them.

mod answers;
mod connection;
mod journal;
mod topics;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::net::TcpListener;

use crate::connection::Floor;
use crate::journal::{Blocks, Journal};
use crate::topics::Topics;

#[derive(Parser)]
#[command(about = "The least that acknowledges a produce request durably")]
struct Cli {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    address: SocketAddr,
    /// The journal's file; overwritten.
    #[arg(long)]
    file: PathBuf,
    /// Size of the journal's file.
    #[arg(long, default_value_t = 1 << 30)]
    file_bytes: u64,
    /// What the file consists of before the journal writes to it.
    #[arg(long, default_value = "written")]
    blocks: Blocks,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let journal = Journal::start(&cli.file, cli.file_bytes, cli.blocks)
        .with_context(|| format!("journal {}", cli.file.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cli.workers)
        .enable_io()
        .build()?;
    // On the worker itself: the main thread would be one thread more.
    runtime.block_on(async move { tokio::spawn(serve(cli.address, journal)).await? })
}

async fn serve(address: SocketAddr, journal: Arc<Journal>) -> Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address}"))?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let floor = Arc::new(Floor {
        address,
        topics: Topics::default(),
        journal,
    });
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(connection::serve(socket, Arc::clone(&floor)));
    }
}
