//! What a push says: OpenTelemetry's `MetricsData` in Protocol Buffers (opentelemetry-proto v1). Only sums of what happened since the
//! last push are taken: they add up over clients and time. Gauges of single clients, cumulative sums and histograms are passed over.

/// Protocol Buffers that end early or say what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no metrics in OpenTelemetry's form: {0}")]
pub(super) struct Malformed(&'static str);

/// Field numbers on the way from `MetricsData` to a data point.
const RESOURCE_METRICS: u64 = 1;
const SCOPE_METRICS: u64 = 2;
const METRICS: u64 = 2;
const METRIC_NAME: u64 = 1;
const METRIC_SUM: u64 = 7;
const SUM_DATA_POINTS: u64 = 1;
const SUM_TEMPORALITY: u64 = 2;
const SUM_IS_MONOTONIC: u64 = 3;
const POINT_AS_DOUBLE: u64 = 4;
const POINT_AS_INT: u64 = 6;

/// Since the last report.
const DELTA: u64 = 1;

/// The metrics' names with what is to be added to each.
pub(super) fn sums(bytes: &[u8]) -> Result<Vec<(&str, f64)>, Malformed> {
    let mut sums = Vec::new();
    for resource in messages(bytes, RESOURCE_METRICS) {
        for scope in messages(resource?, SCOPE_METRICS) {
            for metric in messages(scope?, METRICS) {
                sums.extend(sum_of(metric?)?);
            }
        }
    }
    Ok(sums)
}

fn sum_of(metric: &[u8]) -> Result<Option<(&str, f64)>, Malformed> {
    let (mut name, mut total) = ("", None);
    for field in Fields(metric) {
        match field? {
            (METRIC_NAME, Value::Bytes(bytes)) => {
                name = std::str::from_utf8(bytes).map_err(|_| Malformed("a name is not UTF-8"))?;
            }
            (METRIC_SUM, Value::Bytes(sum)) => total = increase(sum)?,
            _ => {}
        }
    }
    Ok(total.map(|total| (name, total)))
}

/// The sum of the data points, if they tell what happened since the last push.
fn increase(sum: &[u8]) -> Result<Option<f64>, Malformed> {
    let (mut is_delta, mut is_monotonic, mut total) = (false, false, 0.0);
    for field in Fields(sum) {
        match field? {
            (SUM_DATA_POINTS, Value::Bytes(point)) => total += value(point)?,
            (SUM_TEMPORALITY, Value::Number(temporality)) => is_delta = temporality == DELTA,
            (SUM_IS_MONOTONIC, Value::Number(flag)) => is_monotonic = flag != 0,
            _ => {}
        }
    }
    let counts = is_delta && is_monotonic && total >= 0.0 && f64::is_finite(total);
    Ok(counts.then_some(total))
}

fn value(point: &[u8]) -> Result<f64, Malformed> {
    let mut value = 0.0;
    for field in Fields(point) {
        match field? {
            (POINT_AS_DOUBLE, Value::Number(bits)) => value = f64::from_bits(bits),
            (POINT_AS_INT, Value::Number(bits)) => value = bits.cast_signed() as f64,
            _ => {}
        }
    }
    Ok(value)
}

/// The messages of field `number`.
fn messages(bytes: &[u8], number: u64) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    Fields(bytes).filter_map(move |field| match field {
        Ok((found, Value::Bytes(message))) if found == number => Some(Ok(message)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

enum Value<'a> {
    /// A varint, or the bits of what has a fixed size.
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message; ends behind the first that is malformed.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let cut = self.0.split_at_checked(length);
                let (bytes, rest) = cut.ok_or(Malformed("a field ends early"))?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Number(u64::from(u32::from_le_bytes(self.fixed()?))),
            _ => return Err(Malformed("a field of no known type")),
        };
        Ok((tag >> 3, value))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.fixed()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("a number of more than ten bytes"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(Malformed("a field ends early"))?;
        self.0 = rest;
        Ok(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field `number` with a message of less than 128 bytes.
    fn message(number: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        out.extend(content);
        out
    }

    fn double(value: f64) -> Vec<u8> {
        let mut point = vec![4 << 3 | 1];
        point.extend(value.to_le_bytes());
        message(1, &point)
    }

    fn int(value: i64) -> Vec<u8> {
        let mut point = vec![6 << 3 | 1];
        point.extend(value.to_le_bytes());
        message(1, &point)
    }

    /// Points, temporality, monotonic or not.
    fn sum(points: &[Vec<u8>], temporality: u8, monotonic: u8) -> Vec<u8> {
        let mut sum = points.concat();
        sum.extend([2 << 3, temporality, 3 << 3, monotonic]);
        message(7, &sum)
    }

    fn metric(name: &str, kind: &[u8]) -> Vec<u8> {
        let mut metric = message(1, name.as_bytes());
        metric.extend(message(2, b"a description"));
        metric.extend(kind);
        message(2, &metric)
    }

    fn data(metrics: &[Vec<u8>]) -> Vec<u8> {
        let mut scope = message(1, b"");
        scope.extend(metrics.concat());
        message(1, &message(2, &scope))
    }

    #[test]
    fn what_happened_since_the_last_push_is_taken_and_the_rest_passed_over() {
        let gauge = message(5, &double(9.0));
        let pushed = data(&[
            metric("a", &sum(&[double(1.5), int(2)], 1, 1)),
            metric("b", &sum(&[double(7.0)], 2, 1)),
            metric("c", &sum(&[double(7.0)], 1, 0)),
        ]);
        let more = data(&[
            metric("d", &gauge),
            metric("e", &sum(&[double(-1.0)], 1, 1)),
        ]);
        assert_eq!(sums(&[pushed, more].concat()), Ok(vec![("a", 3.5)]));
        assert_eq!(sums(b""), Ok(Vec::new()));
    }

    #[test]
    fn any_cut_is_told_or_leaves_whole_messages() {
        let pushed = data(&[metric("a", &sum(&[double(1.0)], 1, 1))]);
        for end in 1..pushed.len() {
            assert!(sums(&pushed[..end]).is_err(), "{end}");
        }
        for malformed in [
            &[0xff; 11][..],
            &[0x0f],
            &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
        ] {
            assert!(sums(malformed).is_err());
        }
        let no_text = data(&[message(2, &message(1, &[0xff]))]);
        assert!(sums(&no_text).is_err());
    }
}
