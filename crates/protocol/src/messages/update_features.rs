//! UpdateFeatures (key 57): generated from `definitions/057_update_features.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            feature_updates: Vec::new(),
            validate_only: false,
        }
    }
}

impl UpdateFeaturesRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.timeout_ms = input.i32()?;
        it.feature_updates =
            input.array(flexible, |input| FeatureUpdateKey::read(input, version))?;
        if version >= 1 {
            it.validate_only = input.bool()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.timeout_ms);
        out.array(flexible, &self.feature_updates, |out, it| {
            it.write(out, version)
        });
        if version >= 1 {
            out.bool(self.validate_only);
        }
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    pub feature: KafkaString,
    pub max_version_level: i16,
    pub allow_downgrade: bool,
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: KafkaString::default(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
        }
    }
}

impl FeatureUpdateKey {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.feature = input.string(flexible)?;
        it.max_version_level = input.i16()?;
        if version <= 0 {
            it.allow_downgrade = input.bool()?;
        }
        if version >= 1 {
            it.upgrade_type = input.i8()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.feature);
        out.i16(self.max_version_level);
        if version <= 0 {
            out.bool(self.allow_downgrade);
        }
        if version >= 1 {
            out.i8(self.upgrade_type);
        }
        out.uvarint(0);
    }
}

impl Message for UpdateFeaturesRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    type Response = UpdateFeaturesResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Default::default()),
            results: Vec::new(),
        }
    }
}

impl UpdateFeaturesResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        if version <= 1 {
            it.results = input.array(flexible, |input| {
                UpdatableFeatureResult::read(input, version)
            })?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        if version <= 1 {
            out.array(flexible, &self.results, |out, it| it.write(out, version));
        }
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct UpdatableFeatureResult {
    pub feature: KafkaString,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self {
            feature: KafkaString::default(),
            error_code: 0,
            error_message: Some(Default::default()),
        }
    }
}

impl UpdatableFeatureResult {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.feature = input.string(flexible)?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.feature);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.uvarint(0);
    }
}

impl Message for UpdateFeaturesResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
