//! Many connections on one thread, by epoll: a hundred threads would take the broker's CPU for switching among themselves.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::fs::Timespec;

use crate::connection::{Connection, SILENCE_MAX, Tally};

/// Drives all connections to their end.
pub(crate) fn drive(mut connections: Vec<Connection>) -> Result<Vec<Tally>> {
    let poller = Poller::new(&connections)?;
    for (index, connection) in connections.iter_mut().enumerate() {
        connection.fill()?;
        poller.update(index, connection)?;
    }
    let mut ready = Vec::new();
    let mut last_event = Instant::now();
    while !connections.iter().all(Connection::is_finished) {
        // Events come by the thousand between two looks at whether all is done.
        for _ in 0..256 {
            poller.wait(Duration::from_millis(20), &mut ready)?;
            if ready.is_empty() {
                break;
            }
            last_event = Instant::now();
            for &index in &ready {
                let was_blocked = connections[index].is_blocked();
                connections[index].drain()?;
                connections[index].fill()?;
                if was_blocked || connections[index].is_blocked() {
                    poller.update(index, &connections[index])?;
                }
            }
        }
        ensure!(
            last_event.elapsed() < SILENCE_MAX,
            "no answer within {SILENCE_MAX:?}"
        );
    }
    Ok(connections
        .into_iter()
        .map(Connection::into_tally)
        .collect())
}

/// An epoll instance; events carry the connection's index.
pub(crate) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub(crate) fn new(connections: &[Connection]) -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        for (index, connection) in connections.iter().enumerate() {
            connection.socket.set_nonblocking(true)?;
            let data = EventData::new_u64(index as u64);
            epoll::add(&epoll, &connection.socket, data, EventFlags::IN)?;
        }
        Ok(Self { epoll })
    }

    /// Asks for writability only while something waits to be written.
    pub(crate) fn update(&self, index: usize, connection: &Connection) -> Result<()> {
        let mut interest = EventFlags::IN;
        if connection.is_blocked() {
            interest |= EventFlags::OUT;
        }
        let data = EventData::new_u64(index as u64);
        Ok(epoll::modify(
            &self.epoll,
            &connection.socket,
            data,
            interest,
        )?)
    }

    /// The connections that can be read or written now.
    pub(crate) fn wait(&self, timeout: Duration, ready: &mut Vec<usize>) -> Result<()> {
        let mut events = [const { MaybeUninit::uninit() }; 256];
        let timeout = Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        ready.clear();
        let (events, _) = match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => return Ok(()),
            waited => waited?,
        };
        ready.extend(events.iter().map(|event| event.data.u64() as usize));
        Ok(())
    }
}
