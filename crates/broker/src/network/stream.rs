//! What a connection talks over: bytes both ways, and stretches of files, which a plain socket sends without bringing them into this
//! process. Used by `Output`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use protocol::FileRange;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

/// Copied at once where a stream cannot take them from the file.
const COPY_BYTES: usize = 64 * 1024;

pub trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Sends what it takes of the range, as `AsyncWrite::poll_write`.
    fn poll_send_range(
        &mut self,
        range: &FileRange,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        poll_copy(self, range, cx)
    }
}

fn poll_copy<S: AsyncWrite + Unpin + ?Sized>(
    stream: &mut S,
    range: &FileRange,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut bytes = vec![0; range.len().min(COPY_BYTES)];
    match rustix::io::pread(range.fd(), &mut bytes, range.position())? {
        0 => Poll::Ready(Err(ended())),
        read => Pin::new(stream).poll_write(cx, &bytes[..read]),
    }
}

/// Of a simulated network.
impl Stream for DuplexStream {}

impl Stream for TcpStream {
    #[cfg(target_os = "linux")]
    fn poll_send_range(
        &mut self,
        range: &FileRange,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            let mut position = range.position();
            let sent = self.try_io(tokio::io::Interest::WRITABLE, || {
                let sent =
                    rustix::fs::sendfile(&*self, range.fd(), Some(&mut position), range.len());
                Ok(sent?)
            });
            match sent {
                Ok(0) => return Poll::Ready(Err(ended())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Of a file system that only reads and writes.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return poll_copy(self, range, cx);
                }
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// The client was promised more: nothing but the connection's end can tell it.
fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "a journal file is shorter than its index says",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use log::disk::real::RealDisk;
    use log::disk::{Disk, DiskFile};
    use protocol::Chunk;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::network::output::Output;

    const BYTES: usize = 3_000_000;

    fn content() -> Vec<u8> {
        (0..BYTES).map(|i| (i * 7 % 251) as u8).collect()
    }

    /// Without a name as soon as it is there.
    fn file(test: &str) -> Arc<dyn DiskFile> {
        let name = format!("ottla-stream-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let file = RealDisk::open(&folder).unwrap().create("file").unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        file.write_all_at(&content(), 0).unwrap();
        file
    }

    fn range(file: &Arc<dyn DiskFile>, from: usize, to: usize) -> Chunk {
        let range = file.clone().range(from as u64, to - from);
        Chunk::File(range.expect("a file of the machine's"))
    }

    /// Pieces of memory and of files, in order, whatever the stream takes at once.
    async fn sends_all(
        file: &Arc<dyn DiskFile>,
        mut ours: impl Stream,
        mut theirs: impl AsyncRead + Unpin,
    ) {
        let mut output = Output::default();
        output.push(Chunk::Bytes("head".into()));
        output.push(range(file, 1, BYTES));
        output.push(range(file, 0, 10));
        output.put(b"tail"[..].into());
        assert_eq!(output.bytes(), 4 + BYTES - 1 + 10 + 4);
        let sending = async {
            std::future::poll_fn(|cx| output.poll_send(&mut ours, cx))
                .await
                .unwrap();
            ours.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, read) = tokio::join!(sending, theirs.read_to_end(&mut received));
        read.unwrap();
        let content = content();
        let expected = [b"head", &content[1..], &content[..10], b"tail"].concat();
        assert!(received == expected, "{} bytes", received.len());
        assert_eq!((output.bytes(), output.sent()), (0, expected.len() as u64));
    }

    async fn sockets() -> (TcpStream, TcpStream) {
        let bound = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = bound.local_addr().unwrap();
        let (theirs, ours) = tokio::join!(TcpStream::connect(address), bound.accept());
        (ours.unwrap().0, theirs.unwrap())
    }

    #[tokio::test]
    async fn a_socket_sends_from_a_file() {
        let (ours, theirs) = sockets().await;
        sends_all(&file("socket"), ours, theirs).await;
    }

    #[tokio::test]
    async fn a_stream_that_cannot_gets_copies() {
        let (ours, theirs) = tokio::io::duplex(10_000);
        sends_all(&file("copies"), ours, theirs).await;
    }

    #[tokio::test]
    async fn a_file_that_ends_too_early_ends_the_connection() {
        let file = file("short");
        let (ours, _theirs) = sockets().await;
        let (duplex, _other) = tokio::io::duplex(10_000);
        fails(ours, &file).await;
        fails(duplex, &file).await;
    }

    async fn fails(mut stream: impl Stream, file: &Arc<dyn DiskFile>) {
        let mut output = Output::default();
        output.push(range(file, BYTES, BYTES + 1));
        let sent = std::future::poll_fn(|cx| output.poll_send(&mut stream, cx)).await;
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
