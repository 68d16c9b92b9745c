//! JSON to the bytes of a request and the bytes of an answer to JSON, led by the definitions. Used by `session`.
//!
//! Bytes are hexadecimal, uuids Kafka's text, records what `batches` makes of them. A field that a request leaves out has its default;
//! one that the version lacks is not sent. What an answer holds of random values is marked, for `symbols` to name.

use anyhow::{Context, Result, bail, ensure};
use protocol::Uuid;
use serde_json::{Map, Value};

use crate::batches;
use crate::schema::{Api, Field, Shape, Type};
use crate::symbols::{Kind, Symbols, mark};

/// In place of a struct that is null; 1 goes before one that could be.
const NULL_STRUCT: u8 = 0xff;

pub const CLIENT_ID: &str = "differ";

/// A request with size and header in front.
pub fn encode_request(
    api: &Api,
    version: i16,
    correlation_id: i32,
    request: &Value,
    symbols: &Symbols,
) -> Result<Vec<u8>> {
    let flexible = api.is_flexible(version);
    let mut out = vec![0; 4];
    out.extend(api.key.to_be_bytes());
    out.extend(version.to_be_bytes());
    out.extend(correlation_id.to_be_bytes());
    out.extend((CLIENT_ID.len() as i16).to_be_bytes());
    out.extend(CLIENT_ID.as_bytes());
    if flexible {
        out.push(0);
    }
    let mut writer = Writer {
        out,
        version,
        flexible,
        symbols,
    };
    writer.fields(api.request(), request)?;
    let mut out = writer.out;
    let size = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&size.to_be_bytes());
    Ok(out)
}

/// An answer without its size; its random values still marked.
pub fn decode_response(api: &Api, version: i16, bytes: &[u8]) -> Result<(i32, Value)> {
    let flexible = api.is_flexible(version);
    let mut reader = Reader {
        bytes,
        version,
        flexible,
    };
    let correlation_id = reader.int(4)? as i32;
    // Clients must be able to read the answer before they know what the broker speaks.
    if flexible && api.name != "ApiVersions" {
        reader.tags(None, &mut Map::new())?;
    }
    let value = reader.fields(api.response())?;
    ensure!(
        reader.bytes.is_empty(),
        "{} bytes behind the answer",
        reader.bytes.len()
    );
    Ok((correlation_id, value))
}

struct Writer<'a> {
    out: Vec<u8>,
    version: i16,
    flexible: bool,
    symbols: &'a Symbols,
}

impl Writer<'_> {
    fn fields(&mut self, shape: Shape<'_>, value: &Value) -> Result<()> {
        let given = value.as_object().context("a struct is an object")?;
        for name in given.keys() {
            let is_known = shape.fields.iter().any(|field| field.name == *name);
            ensure!(is_known, "no field is named {name}");
        }
        let mut tagged = Vec::new();
        for field in shape.fields {
            if !holds(field.versions, self.version) {
                continue;
            }
            let value = given.get(&field.name);
            match (field.tag, value) {
                (Some(_), None) => {}
                (Some(tag), Some(value)) => tagged.push((tag, field, value)),
                (None, value) => {
                    let value = value.cloned().unwrap_or_else(|| default_of(field));
                    self.field(shape, field, &value)
                        .with_context(|| field.name.clone())?;
                }
            }
        }
        if self.flexible {
            self.uvarint(tagged.len() as u64);
            for (tag, field, value) in tagged {
                let outer = std::mem::take(&mut self.out);
                self.field(shape, field, value)?;
                let inner = std::mem::replace(&mut self.out, outer);
                self.uvarint(u64::from(tag));
                self.uvarint(inner.len() as u64);
                self.out.extend(inner);
            }
        }
        Ok(())
    }

    fn field(&mut self, shape: Shape<'_>, field: &Field, value: &Value) -> Result<()> {
        let outer = self.flexible;
        self.flexible &= !field.inflexible;
        let is_nullable = field.nullable.is_some_and(|null| holds(null, self.version));
        let value = match value {
            Value::Null if !is_nullable => &default_of_type(&field.ty),
            value => value,
        };
        let written = self.value(shape, &field.ty, value, is_nullable);
        self.flexible = outer;
        written
    }

    fn value(
        &mut self,
        shape: Shape<'_>,
        ty: &Type,
        value: &Value,
        is_nullable: bool,
    ) -> Result<()> {
        match ty {
            Type::Bool => self.out.push(u8::from(value.as_bool().context("bool")?)),
            Type::Int8 => self.int(value, 1)?,
            Type::Int16 | Type::Uint16 => self.int(value, 2)?,
            Type::Int32 => self.int(value, 4)?,
            Type::Int64 => self.int(value, 8)?,
            Type::Float64 => self
                .out
                .extend(value.as_f64().context("number")?.to_be_bytes()),
            Type::Uuid => {
                let text = self.symbols.resolve_text(value.as_str().context("uuid")?);
                let id: Uuid = text.parse().unwrap_or(Uuid::ZERO);
                self.out.extend(id.as_bytes());
            }
            Type::String => match value.as_str() {
                Some(text) => {
                    let text = self.symbols.resolve_text(text);
                    self.length(Some(text.len()), 2);
                    self.out.extend(text.as_bytes());
                }
                None => self.length(None, 2),
            },
            Type::Bytes => match value.as_str() {
                Some(text) => self.bytes(&from_hex(text)?),
                None => self.length(None, 4),
            },
            Type::Records => match value {
                Value::Null => self.length(None, 4),
                value => self.bytes(&batches::encode(value, self.symbols)?),
            },
            Type::Struct(name) => match value {
                Value::Null => self.out.push(NULL_STRUCT),
                value => {
                    if is_nullable {
                        self.out.push(1);
                    }
                    self.fields(shape.inner(name)?, value)?;
                }
            },
            Type::Array(element) => match value.as_array() {
                Some(values) => {
                    self.length(Some(values.len()), 4);
                    for value in values {
                        self.value(shape, element, value, false)?;
                    }
                }
                None => self.length(None, 4),
            },
        }
        Ok(())
    }

    fn int(&mut self, value: &Value, bytes: usize) -> Result<()> {
        let number = match value {
            Value::String(symbol) => self.symbols.resolve_number(symbol),
            value => value
                .as_i64()
                .with_context(|| format!("{value}: no number"))?,
        };
        self.out.extend(&number.to_be_bytes()[8 - bytes..]);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(Some(bytes.len()), 4);
        self.out.extend(bytes);
    }

    /// Of a string, bytes or an array; `None` is null.
    fn length(&mut self, length: Option<usize>, bytes: usize) {
        if self.flexible {
            return self.uvarint(length.map_or(0, |length| length as u64 + 1));
        }
        let length = length.map_or(-1, |length| length as i64);
        self.out.extend(&length.to_be_bytes()[8 - bytes..]);
    }

    fn uvarint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }
}

fn holds(versions: crate::schema::Versions, version: i16) -> bool {
    (versions.first..=versions.last).contains(&version)
}

fn default_of(field: &Field) -> Value {
    match (field.default.as_deref(), &field.ty) {
        (Some("null"), _) => Value::Null,
        (Some("true"), _) => true.into(),
        (Some(text), Type::String) => text.trim_matches('"').into(),
        (Some(text), _) => text
            .parse::<i64>()
            .map_or_else(|_| default_of_type(&field.ty), Value::from),
        (None, ty) => default_of_type(ty),
    }
}

fn default_of_type(ty: &Type) -> Value {
    match ty {
        Type::Bool => false.into(),
        Type::String | Type::Bytes => "".into(),
        Type::Uuid => Uuid::ZERO.to_string().into(),
        Type::Records | Type::Array(_) => Value::Array(Vec::new()),
        Type::Struct(_) => Value::Object(Map::new()),
        Type::Int8 | Type::Int16 | Type::Uint16 | Type::Int32 | Type::Int64 | Type::Float64 => {
            0.into()
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    version: i16,
    flexible: bool,
}

impl<'a> Reader<'a> {
    fn fields(&mut self, shape: Shape<'_>) -> Result<Value> {
        let mut found = Map::new();
        for field in shape.fields {
            if field.tag.is_none() && holds(field.versions, self.version) {
                let value = self
                    .field(shape, field)
                    .with_context(|| field.name.clone())?;
                found.insert(field.name.clone(), value);
            }
        }
        if self.flexible {
            self.tags(Some(shape), &mut found)?;
        }
        Ok(Value::Object(found))
    }

    fn field(&mut self, shape: Shape<'_>, field: &Field) -> Result<Value> {
        let outer = self.flexible;
        self.flexible &= !field.inflexible;
        let is_nullable = field.nullable.is_some_and(|null| holds(null, self.version));
        let value = self.value(shape, field, &field.ty, is_nullable);
        self.flexible = outer;
        value
    }

    fn tags(&mut self, shape: Option<Shape<'_>>, found: &mut Map<String, Value>) -> Result<()> {
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let length = self.uvarint()? as usize;
            let bytes = self.take(length)?;
            let Some(shape) = shape else { continue };
            let field = shape
                .fields
                .iter()
                .find(|field| field.tag.map(u64::from) == Some(tag))
                .with_context(|| format!("no field has tag {tag}"))?;
            let mut inner = Reader {
                bytes,
                version: self.version,
                flexible: self.flexible,
            };
            found.insert(field.name.clone(), inner.field(shape, field)?);
        }
        Ok(())
    }

    fn value(
        &mut self,
        shape: Shape<'_>,
        field: &Field,
        ty: &Type,
        is_nullable: bool,
    ) -> Result<Value> {
        Ok(match ty {
            Type::Bool => (self.int(1)? != 0).into(),
            Type::Int8 => self.int(1)?.into(),
            Type::Int16 => self.int(2)?.into(),
            Type::Uint16 => (self.int(2)? as u16).into(),
            Type::Int32 => number(field, self.int(4)?),
            Type::Int64 => number(field, self.int(8)?),
            Type::Float64 => f64::from_bits(self.int(8)? as u64).into(),
            Type::Uuid => {
                let id: [u8; 16] = self.take(16)?.try_into()?;
                let id = Uuid::from_bytes(id);
                match id == Uuid::ZERO {
                    true => id.to_string().into(),
                    false => mark(Kind::Uuid, &id.to_string()),
                }
            }
            Type::String => match self.length(2)? {
                None => Value::Null,
                Some(length) => std::str::from_utf8(self.take(length)?)?.into(),
            },
            Type::Bytes => match self.length(4)? {
                None => Value::Null,
                Some(length) => to_hex(self.take(length)?).into(),
            },
            Type::Records => match self.length(4)? {
                None => Value::Null,
                Some(length) => batches::decode(self.take(length)?)?,
            },
            Type::Struct(name) => {
                if is_nullable && self.int(1)? as u8 == NULL_STRUCT {
                    return Ok(Value::Null);
                }
                self.fields(shape.inner(name)?)?
            }
            Type::Array(element) => match self.length(4)? {
                None => Value::Null,
                Some(length) => {
                    let mut values = Vec::new();
                    for _ in 0..length {
                        values.push(self.value(shape, field, element, false)?);
                    }
                    Value::Array(values)
                }
            },
        })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        match self.bytes.split_at_checked(length) {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(taken)
            }
            None => bail!("{length} bytes wanted, {} left", self.bytes.len()),
        }
    }

    fn int(&mut self, bytes: usize) -> Result<i64> {
        let taken = self.take(bytes)?;
        let mut wide = [if taken[0] & 0x80 == 0 { 0 } else { 0xff }; 8];
        wide[8 - bytes..].copy_from_slice(taken);
        Ok(i64::from_be_bytes(wide))
    }

    fn length(&mut self, bytes: usize) -> Result<Option<usize>> {
        let length = match self.flexible {
            true => self.uvarint()? as i64 - 1,
            false => self.int(bytes)?,
        };
        Ok(usize::try_from(length).ok())
    }

    fn uvarint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.int(1)? as u8;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        bail!("a varint without end")
    }
}

/// A number that each broker chooses for itself is marked.
fn number(field: &Field, number: i64) -> Value {
    match field.name.as_str() {
        "producer_id" if number >= 0 => mark(Kind::Producer, &number.to_string()),
        "session_id" if number != 0 => mark(Kind::Session, &number.to_string()),
        _ => number.into(),
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| {
            Ok(u8::from_str_radix(
                text.get(at..at + 2).context("odd")?,
                16,
            )?)
        })
        .collect()
}
