//! A raw client: a request goes out, an answer comes in, or any other bytes. It pipelines and misbehaves as it is told; each wait is
//! bounded.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use protocol::header::{decode_response_header, frame_request};
use protocol::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData,
};
use protocol::wire::Decoder;
use protocol::{KafkaString, Message, Records, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::running::PATIENCE;

pub(crate) const PRODUCE_VERSION: i16 = 9;
pub(crate) const FETCH_VERSION: i16 = 12;

pub(crate) struct Client {
    stream: TcpStream,
}

/// The broker closed the connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Closed;

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
        let stream = stream.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// False if the broker has closed already.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> bool {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .unwrap()
            .is_ok()
    }

    /// Writes what the system's buffers take, and no more.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> usize {
        match self.stream.try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send<R: Request>(&mut self, request: &R, version: i16) {
        let frame = frame_request(request, version, 7, Some(KafkaString::from("test")));
        self.write(&frame).await;
    }

    /// The next frame that comes in.
    pub(crate) async fn receive_bytes(&mut self) -> Result<Bytes, Closed> {
        let read = async {
            let length = self.stream.read_i32().await?;
            let mut frame = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut frame).await?;
            Ok::<_, io::Error>(Bytes::from(frame))
        };
        let read = timeout(PATIENCE, read).await.expect("an answer or an end");
        read.map_err(|_| Closed)
    }

    pub(crate) async fn receive<R: Request>(
        &mut self,
        version: i16,
    ) -> Result<R::Response, Closed> {
        let mut input = Decoder::new(self.receive_bytes().await?);
        decode_response_header(&mut input, R::KEY, version).unwrap();
        let response = R::Response::decode(&mut input, version).unwrap();
        input.finish().unwrap();
        Ok(response)
    }

    pub(crate) async fn ask<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        self.send(request, version).await;
        self.receive::<R>(version).await.expect("an answer")
    }

    pub(crate) async fn is_closed(&mut self) -> bool {
        self.receive_bytes().await.is_err()
    }

    /// The offset the batch got in partition 0, or the whole refusal.
    pub(crate) async fn produce(
        &mut self,
        topic: &str,
        batch: &[u8],
    ) -> Result<i64, PartitionProduceResponse> {
        let answer = self.ask(&produce(topic, batch), PRODUCE_VERSION).await;
        let answer = only_partition(answer);
        match answer.error_code {
            0 => Ok(answer.base_offset),
            _ => Err(answer),
        }
    }

    /// Partition 0 from `offset`, waiting for a byte.
    pub(crate) async fn fetch_from(&mut self, topic: &str, offset: i64) -> PartitionData {
        let request = fetch(topic, &[partition(0, offset)]);
        only_fetched(self.ask(&request, FETCH_VERSION).await)
    }
}

pub(crate) fn only_partition(mut answer: ProduceResponse) -> PartitionProduceResponse {
    answer.responses.remove(0).partition_responses.remove(0)
}

pub(crate) fn only_fetched(mut answer: FetchResponse) -> PartitionData {
    assert_eq!(answer.error_code, 0);
    answer.responses.remove(0).partitions.remove(0)
}

pub(crate) fn produce(topic: &str, batch: &[u8]) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 1000,
        topic_data: vec![TopicProduceData {
            name: KafkaString::from(topic.to_owned()),
            partition_data: vec![PartitionProduceData {
                index: 0,
                records: Some(Records::from(Bytes::copy_from_slice(batch))),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) fn partition(index: i32, fetch_offset: i64) -> FetchPartition {
    FetchPartition {
        partition: index,
        fetch_offset,
        partition_max_bytes: 1024 * 1024,
        ..Default::default()
    }
}

/// Waits for a byte, up to ten seconds; asks without a session.
pub(crate) fn fetch(topic: &str, partitions: &[FetchPartition]) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 10_000,
        min_bytes: 1,
        max_bytes: 50 * 1024 * 1024,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: KafkaString::from(topic.to_owned()),
            partitions: partitions.to_vec(),
            ..Default::default()
        }],
        ..Default::default()
    }
}
