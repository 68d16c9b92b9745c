//! DescribeCluster (key 60): generated from `definitions/060_describe_cluster.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    pub endpoint_type: i8,
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
        }
    }
}

impl DescribeClusterRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.include_cluster_authorized_operations = input.bool()?;
        if version >= 1 {
            it.endpoint_type = input.i8()?;
        }
        if version >= 2 {
            it.include_fenced_brokers = input.bool()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        out.bool(self.include_cluster_authorized_operations);
        if version >= 1 {
            out.i8(self.endpoint_type);
        }
        if version >= 2 {
            out.bool(self.include_fenced_brokers);
        }
        out.uvarint(0);
    }
}

impl Message for DescribeClusterRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    type Response = DescribeClusterResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub endpoint_type: i8,
    pub cluster_id: KafkaString,
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: KafkaString::default(),
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: -2147483648,
        }
    }
}

impl DescribeClusterResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        if version >= 1 {
            it.endpoint_type = input.i8()?;
        }
        it.cluster_id = input.string(flexible)?;
        it.controller_id = input.i32()?;
        it.brokers = input.array(flexible, |input| {
            DescribeClusterBroker::read(input, version)
        })?;
        it.cluster_authorized_operations = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        if version >= 1 {
            out.i8(self.endpoint_type);
        }
        out.string(flexible, &self.cluster_id);
        out.i32(self.controller_id);
        out.array(flexible, &self.brokers, |out, it| it.write(out, version));
        out.i32(self.cluster_authorized_operations);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub rack: Option<KafkaString>,
    pub is_fenced: bool,
}

impl DescribeClusterBroker {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.broker_id = input.i32()?;
        it.host = input.string(flexible)?;
        it.port = input.i32()?;
        it.rack = input.nullable_string(flexible)?;
        if version >= 2 {
            it.is_fenced = input.bool()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.broker_id);
        out.string(flexible, &self.host);
        out.i32(self.port);
        out.nullable_string(flexible, self.rack.as_deref());
        if version >= 2 {
            out.bool(self.is_fenced);
        }
        out.uvarint(0);
    }
}

impl Message for DescribeClusterResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
