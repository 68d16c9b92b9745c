//! A connection to a broker, Ottla's or Apache Kafka's, for one question at a time: blocking, with a timeout on everything. Used by the
//! verbs that talk to a broker.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use bytes::Bytes;
use protocol::api::ApiKey;
use protocol::header;
use protocol::messages::api_versions::{ApiVersion, ApiVersionsRequest};
use protocol::wire::{DecodeError, Decoder};
use protocol::{KafkaString, Message, Request};

const CLIENT_ID: KafkaString = KafkaString::from_static("ottla");
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a broker is given to do what it is asked, as requests say it.
pub(crate) const REQUEST_TIMEOUT_MS: i32 = 30_000;
/// How long the answer may take on the way beyond that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// Larger answers are not Kafka's: a port of something else gives any number.
const ANSWER_BYTES_MAX: u32 = 100 * 1024 * 1024;

/// Why a broker could not be asked: what happened and what to try.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error(
        "cannot connect to {address}: {reason}. Is the broker running? --bootstrap-server names another address"
    )]
    Unreachable { address: String, reason: io::Error },
    #[error("{address} did not answer within {} s. Look at the broker's log", ANSWER_TIMEOUT.as_secs())]
    Silent { address: String },
    #[error(
        "{address} closed the connection. Is it a Kafka listener without TLS and SASL? The broker's log may say more"
    )]
    Closed { address: String },
    #[error(
        "{address} answers in something other than Kafka's protocol ({reason}). Is it a Kafka listener without TLS and SASL?"
    )]
    NotKafka { address: String, reason: String },
    #[error(
        "{address} serves {} {}, and this needs versions {oldest} to {newest}. Use a newer broker or a newer ottla",
        api.name(),
        served_words(*.served)
    )]
    NotServed {
        address: String,
        api: ApiKey,
        served: Option<(i16, i16)>,
        oldest: i16,
        newest: i16,
    },
}

fn served_words(served: Option<(i16, i16)>) -> String {
    served.map_or("in no version".to_owned(), |(first, last)| {
        format!("in versions {first} to {last}")
    })
}

pub(crate) struct Connection {
    stream: TcpStream,
    address: String,
    served: Vec<ApiVersion>,
    correlation_id: i32,
}

impl Connection {
    /// Connects to `address` (HOST:PORT) and asks what is served there.
    pub(crate) fn open(address: &str) -> Result<Self, WireError> {
        let stream = connect(address).map_err(|reason| WireError::Unreachable {
            address: address.to_owned(),
            reason,
        })?;
        let mut connection = Self {
            stream,
            address: address.to_owned(),
            served: Vec::new(),
            correlation_id: 0,
        };
        // Version 0 is the one that every broker understands.
        let answer = connection.exchange(&ApiVersionsRequest::default(), 0)?;
        connection.served = answer.api_keys;
        Ok(connection)
    }

    /// Asks in the newest version that both sides speak, which is not below `oldest`.
    pub(crate) fn ask<R: Request>(
        &mut self,
        request: &R,
        oldest: i16,
    ) -> Result<R::Response, WireError> {
        let served = self.served.iter().find(|api| api.api_key == R::KEY as i16);
        let served = served.map(|api| (api.min_version, api.max_version));
        let (oldest, newest) = (oldest.max(R::VERSIONS.first), R::VERSIONS.last);
        match served {
            Some((first, last)) if first <= newest && oldest <= last => {
                self.exchange(request, newest.min(last))
            }
            _ => Err(WireError::NotServed {
                address: self.address.clone(),
                api: R::KEY,
                served,
                oldest,
                newest,
            }),
        }
    }

    fn exchange<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, WireError> {
        self.correlation_id += 1;
        let frame = header::frame_request(request, version, self.correlation_id, Some(CLIENT_ID));
        self.stream
            .write_all(&frame)
            .map_err(|error| self.failed(&error))?;
        let mut answer = Decoder::new(self.receive()?);
        let not_kafka = |reason: String| WireError::NotKafka {
            address: self.address.clone(),
            reason,
        };
        let damaged = |error: DecodeError| not_kafka(error.to_string());
        let correlation_id =
            header::decode_response_header(&mut answer, R::KEY, version).map_err(damaged)?;
        if correlation_id != self.correlation_id {
            return Err(not_kafka(format!(
                "answer {correlation_id} to request {}",
                self.correlation_id
            )));
        }
        let message = R::Response::decode(&mut answer, version).map_err(damaged)?;
        answer.finish().map_err(damaged)?;
        Ok(message)
    }

    fn receive(&mut self) -> Result<Bytes, WireError> {
        let mut size = [0; 4];
        self.stream
            .read_exact(&mut size)
            .map_err(|error| self.failed(&error))?;
        let size = u32::from_be_bytes(size);
        if size > ANSWER_BYTES_MAX {
            return Err(WireError::NotKafka {
                address: self.address.clone(),
                reason: format!("an answer of {size} bytes"),
            });
        }
        // Memory grows with what arrives, not with what was announced.
        let mut answer = Vec::new();
        let read = (&self.stream)
            .take(u64::from(size))
            .read_to_end(&mut answer)
            .map_err(|error| self.failed(&error))?;
        match read == size as usize {
            true => Ok(answer.into()),
            false => Err(WireError::Closed {
                address: self.address.clone(),
            }),
        }
    }

    fn failed(&self, error: &io::Error) -> WireError {
        let address = self.address.clone();
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => WireError::Silent { address },
            _ => WireError::Closed { address },
        }
    }
}

/// The first of the host's addresses that answers.
fn connect(address: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for candidate in address.to_socket_addrs()? {
        match connect_one(candidate) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn connect_one(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use protocol::messages::create_topics::CreateTopicsRequest;

    use super::*;

    /// What `open` makes of a server that takes one request and sends `answer`.
    fn open_against(answer: &[u8]) -> Result<Connection, WireError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut size = [0; 4];
                stream.read_exact(&mut size).unwrap();
                let mut request = vec![0; u32::from_be_bytes(size) as usize];
                stream.read_exact(&mut request).unwrap();
                stream.write_all(answer).unwrap();
            });
            Connection::open(&address)
        })
    }

    #[test]
    fn an_answer_that_is_not_kafkas_is_named_as_that() {
        for (answer, expected) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
                "something other than Kafka's protocol",
            ),
            (b"", "closed the connection"),
            (b"\0\0\0\x20\0\0", "closed the connection"),
            (
                b"\0\0\0\x06\0\0\0\x01\0\0",
                "something other than Kafka's protocol",
            ),
            (b"\0\0\0\x0a\0\0\0\x09\0\0\0\0\0\0", "answer 9 to request 1"),
        ] {
            let error = open_against(answer)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(expected), "{answer:?}: {error}");
        }
    }

    #[test]
    fn an_api_that_the_broker_does_not_serve_is_not_asked_for() {
        // CreateTopics in versions 0 to 1, which nobody sends any more.
        let answer = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x13\0\0\0\x01";
        let mut connection = open_against(answer).unwrap();
        let error = connection
            .ask(&CreateTopicsRequest::default(), 4)
            .unwrap_err()
            .to_string();
        assert!(
            error
                .contains("serves CreateTopics in versions 0 to 1, and this needs versions 4 to 7"),
            "{error}"
        );
    }

    #[test]
    fn an_address_where_nobody_listens_is_told_with_the_way_out() {
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let error = Connection::open(&address)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.contains(&address) && error.contains("--bootstrap-server"),
            "{error}"
        );
    }
}
