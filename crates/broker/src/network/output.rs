//! What a connection still has to send: small answers gathered in one buffer, record bytes passed on without a copy, from memory or
//! from their file, in order.
//! Owned by `Connection`.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use protocol::Chunk;
use protocol::wire::Encoder;

use super::stream::Stream;
use crate::budget::Reservation;

/// Slices given to one vectored write: more gain nothing.
const SLICES_MAX: usize = 64;

#[derive(Default)]
pub struct Output {
    queue: VecDeque<Chunk>,
    /// Answers that were encoded behind the queue's last piece.
    tail: BytesMut,
    queued_bytes: usize,
    /// All that was ever sent.
    sent: u64,
    /// Each is given back when so much is sent.
    reservations: VecDeque<(u64, Reservation)>,
}

impl Output {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.tail.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.queued_bytes + self.tail.len()
    }

    /// Writes one answer, without its size, right behind what waits already.
    pub(crate) fn encode(&mut self, write: impl FnOnce(&mut Encoder)) {
        let start = self.tail.len();
        let mut out = Encoder::behind(std::mem::take(&mut self.tail));
        out.i32(0);
        write(&mut out);
        let (pieces, tail) = out.into_parts();
        debug_assert!(pieces.is_empty(), "answers with records are encoded apart");
        self.tail = tail;
        let size = u32::try_from(self.tail.len() - start - 4).unwrap_or(u32::MAX);
        self.tail[start..start + 4].copy_from_slice(&size.to_be_bytes());
    }

    /// Puts small bytes behind what is there.
    pub(crate) fn put(&mut self, bytes: BytesMut) {
        if self.tail.is_empty() {
            self.tail = bytes
        } else {
            self.tail.extend_from_slice(&bytes)
        }
    }

    /// Puts record bytes behind what is in the tail.
    pub(crate) fn push(&mut self, piece: Chunk) {
        self.seal_tail();
        self.queued_bytes += piece.len();
        self.queue.push_back(piece);
    }

    /// For what was put last.
    pub(crate) fn hold(&mut self, reservation: Option<Reservation>) {
        let end = self.sent + self.bytes() as u64;
        self.reservations
            .extend(reservation.map(|reservation| (end, reservation)));
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether what waits to be sent holds memory that others need.
    pub(crate) fn is_in_the_way(&self) -> bool {
        let mut held = self.reservations.iter();
        held.any(|(_, reservation)| reservation.is_wanted())
    }

    pub(crate) fn holds(&self) -> bool {
        !self.reservations.is_empty()
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            let piece = self.tail.split().freeze();
            self.queued_bytes += piece.len();
            self.queue.push_back(Chunk::Bytes(piece));
        }
    }

    /// Sends as much as the stream takes; ready when all is sent.
    pub(crate) fn poll_send<S: Stream>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let sent = match self.queue.front() {
                None => ready!(Pin::new(&mut *stream).poll_write(cx, &self.tail))?,
                Some(Chunk::File(range)) => ready!(stream.poll_send_range(range, cx))?,
                Some(Chunk::Bytes(_)) => {
                    let slices = self.slices();
                    ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &slices))?
                }
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent as u64;
            self.advance(sent);
            let is_sent = |(end, _): &mut (u64, Reservation)| *end <= self.sent;
            while self.reservations.pop_front_if(is_sent).is_some() {}
        }
        Poll::Ready(Ok(()))
    }

    /// What lies in memory up to the next stretch of a file.
    fn slices(&self) -> Vec<IoSlice<'_>> {
        let pieces = self.queue.iter().take(SLICES_MAX);
        let in_memory = pieces.map_while(|piece| match piece {
            Chunk::Bytes(bytes) => Some(IoSlice::new(bytes)),
            Chunk::File(_) => None,
        });
        in_memory.collect()
    }

    fn advance(&mut self, mut sent: usize) {
        if self.queue.is_empty() {
            self.tail.advance(sent);
            return;
        }
        self.queued_bytes -= sent;
        while let Some(first) = self.queue.front_mut() {
            if first.len() > sent {
                match first {
                    Chunk::Bytes(bytes) => bytes.advance(sent),
                    Chunk::File(range) => range.advance(sent),
                }
                return;
            }
            sent -= first.len();
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;
    use crate::budget::Budget;

    /// Takes at most `room` bytes a call, and `left` in all.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
        left: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room).min(self.left);
            self.taken.extend_from_slice(&bytes[..taken]);
            self.left -= taken;
            match taken {
                0 => Poll::Pending,
                taken => Poll::Ready(Ok(taken)),
            }
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Narrow {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Stream for Narrow {}

    #[test]
    fn pieces_leave_in_order_whatever_the_stream_takes() {
        for room in 1..20 {
            let mut output = Output::default();
            output.put(BytesMut::from(&b"one "[..]));
            output.push(Chunk::Bytes("two ".into()));
            output.push(Chunk::Bytes("three ".into()));
            output.put(BytesMut::from(&b"four"[..]));
            assert_eq!(output.bytes(), 18);
            let mut stream = Narrow {
                taken: Vec::new(),
                room,
                left: usize::MAX,
            };
            let sent = output.poll_send(&mut stream, &mut Context::from_waker(Waker::noop()));
            assert!(matches!(sent, Poll::Ready(Ok(()))));
            assert_eq!(stream.taken, b"one two three four");
            assert_eq!((output.bytes(), output.sent()), (0, 18));
        }
    }

    /// A client that always has the next answer coming gives back what the last one held.
    #[test]
    fn each_answer_gives_back_what_it_held_when_it_is_sent() {
        let budget = Budget::new(100);
        let mut output = Output::default();
        let mut stream = Narrow {
            taken: Vec::new(),
            room: 10,
            left: 0,
        };
        for held in [30, 40] {
            output.push(Chunk::Bytes("ten bytes.".into()));
            output.hold(Some(budget.take(held)));
        }
        assert!(output.holds());
        for expected in [40, 0] {
            stream.left = 10;
            let sent = output.poll_send(&mut stream, &mut Context::from_waker(Waker::noop()));
            assert_eq!(sent.is_ready(), expected == 0);
            assert_eq!(budget.used_bytes(), expected);
        }
        assert!(!output.holds());
    }
}
