//! ApiVersions (key 18): generated from `definitions/018_api_versions.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersionsRequest {
    pub client_software_name: KafkaString,
    pub client_software_version: KafkaString,
}

impl ApiVersionsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 3 {
            it.client_software_name = input.string(flexible)?;
            it.client_software_version = input.string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 3 {
            out.string(flexible, &self.client_software_name);
            out.string(flexible, &self.client_software_version);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for ApiVersionsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    pub throttle_time_ms: i32,
    pub supported_features: Vec<SupportedFeatureKey>,
    pub finalized_features_epoch: i64,
    pub finalized_features: Vec<FinalizedFeatureKey>,
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

impl ApiVersionsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.api_keys = input.array(flexible, |input| ApiVersion::read(input, version))?;
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 3 => {
                        it.supported_features = input
                            .array(flexible, |input| SupportedFeatureKey::read(input, version))?
                    }
                    1 if version >= 3 => it.finalized_features_epoch = input.i64()?,
                    2 if version >= 3 => {
                        it.finalized_features = input
                            .array(flexible, |input| FinalizedFeatureKey::read(input, version))?
                    }
                    3 if version >= 3 => it.zk_migration_ready = input.bool()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i16(self.error_code);
        out.array(flexible, &self.api_keys, |out, it| it.write(out, version));
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        if flexible {
            let has_supported_features = version >= 3 && !self.supported_features.is_empty();
            let has_finalized_features_epoch = version >= 3 && self.finalized_features_epoch != -1;
            let has_finalized_features = version >= 3 && !self.finalized_features.is_empty();
            let has_zk_migration_ready = version >= 3 && self.zk_migration_ready;
            out.uvarint(
                u32::from(has_supported_features)
                    + u32::from(has_finalized_features_epoch)
                    + u32::from(has_finalized_features)
                    + u32::from(has_zk_migration_ready),
            );
            if has_supported_features {
                out.tag(0, |out| {
                    out.array(flexible, &self.supported_features, |out, it| {
                        it.write(out, version)
                    })
                });
            }
            if has_finalized_features_epoch {
                out.tag(1, |out| out.i64(self.finalized_features_epoch));
            }
            if has_finalized_features {
                out.tag(2, |out| {
                    out.array(flexible, &self.finalized_features, |out, it| {
                        it.write(out, version)
                    })
                });
            }
            if has_zk_migration_ready {
                out.tag(3, |out| out.bool(self.zk_migration_ready));
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

impl ApiVersion {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.api_key = input.i16()?;
        it.min_version = input.i16()?;
        it.max_version = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i16(self.api_key);
        out.i16(self.min_version);
        out.i16(self.max_version);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupportedFeatureKey {
    pub name: KafkaString,
    pub min_version: i16,
    pub max_version: i16,
}

impl SupportedFeatureKey {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.min_version = input.i16()?;
        it.max_version = input.i16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.i16(self.min_version);
        out.i16(self.max_version);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinalizedFeatureKey {
    pub name: KafkaString,
    pub max_version_level: i16,
    pub min_version_level: i16,
}

impl FinalizedFeatureKey {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.max_version_level = input.i16()?;
        it.min_version_level = input.i16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.i16(self.max_version_level);
        out.i16(self.min_version_level);
        out.uvarint(0);
    }
}

impl Message for ApiVersionsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
