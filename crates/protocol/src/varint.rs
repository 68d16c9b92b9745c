//! Zig-zag varints as records use them: small numbers of either sign take few bytes.
//! Readers give the value and the bytes after it, or `None` if the bytes end or exceed the type.

/// The longest encodings: 32 and 64 bits in groups of seven.
const I32_BYTES_MAX: usize = 5;
const I64_BYTES_MAX: usize = 10;

/// Reads a varint from the front of `bytes`.
#[inline]
pub fn read_i32(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (raw, rest) = read_raw(bytes, I32_BYTES_MAX)?;
    let raw = u32::try_from(raw).ok()?;
    Some(((raw >> 1) as i32 ^ -((raw & 1) as i32), rest))
}

/// Reads a varlong from the front of `bytes`.
#[inline]
pub fn read_i64(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (raw, rest) = read_raw(bytes, I64_BYTES_MAX)?;
    Some(((raw >> 1) as i64 ^ -((raw & 1) as i64), rest))
}

/// Appends `value` as a varint.
#[inline]
pub fn write_i32(out: &mut Vec<u8>, value: i32) {
    write_i64(out, i64::from(value));
}

/// Appends `value` as a varlong; one that fits 32 bits has the same bytes as a varint.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    let mut raw = zig_zag(value);
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// The number of bytes that [`write_i64`] (and [`write_i32`]) appends for `value`.
#[inline]
pub fn len(value: i64) -> usize {
    let bits = 64 - (zig_zag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn zig_zag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn read_raw(bytes: &[u8], bytes_max: usize) -> Option<(u64, &[u8])> {
    // Nearly every varint of a record has one byte, the lengths often two.
    match bytes {
        [a, rest @ ..] if *a < 0x80 => Some((u64::from(*a), rest)),
        [a, b, rest @ ..] if *b < 0x80 => Some((u64::from(a & 0x7f) | u64::from(*b) << 7, rest)),
        _ => read_raw_long(bytes, bytes_max),
    }
}

fn read_raw_long(bytes: &[u8], bytes_max: usize) -> Option<(u64, &[u8])> {
    let mut raw = 0u64;
    for (i, byte) in bytes.iter().take(bytes_max).enumerate() {
        let group = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit only.
        if i == I64_BYTES_MAX - 1 && group > 1 {
            return None;
        }
        raw |= group << (7 * i);
        if *byte < 0x80 {
            return Some((raw, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_as_documented() {
        for (value, expected) in [
            (0, &[0x00][..]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (-2, &[0x03]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (8191, &[0xfe, 0x7f]),
            (8192, &[0x80, 0x80, 0x01]),
            (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
            (
                i64::MAX,
                &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            ),
            (
                i64::MIN,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            ),
        ] {
            let mut out = Vec::new();
            write_i64(&mut out, value);
            assert_eq!(out, expected, "{value}");
            assert_eq!(len(value), expected.len(), "{value}");
            assert_eq!(read_i64(&out), Some((value, &[][..])));
            let narrow = i32::try_from(value).ok().map(|v| (v, &[][..]));
            assert_eq!(read_i32(&out), narrow, "{value}");
        }
    }

    #[test]
    fn refuses_what_ends_early_or_overflows() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0xff, 0xff, 0xff, 0xff],
            &[0x80, 0x80, 0x80, 0x80, 0x80],
            &[0xff, 0xff, 0xff, 0xff, 0x1f],
        ] {
            assert_eq!(read_i32(bytes), None, "{bytes:?}");
        }
        let mut overlong = [0x80; 11];
        assert_eq!(read_i64(&overlong), None);
        overlong[9] = 0x02;
        assert_eq!(read_i64(&overlong), None);
        overlong[9] = 0x01;
        assert_eq!(read_i64(&overlong), Some((1 << 62, &overlong[10..])));
    }

    #[test]
    fn accepts_padding_as_java_does() {
        assert_eq!(read_i32(&[0x82, 0x80, 0x00, 0x09]), Some((1, &[0x09][..])));
    }

    proptest! {
        #[test]
        fn round_trips(narrow: i32, wide: i64, tail: Vec<u8>) {
            let mut out = Vec::new();
            write_i32(&mut out, narrow);
            prop_assert_eq!(out.len(), len(i64::from(narrow)));
            write_i64(&mut out, wide);
            prop_assert_eq!(out.len(), len(i64::from(narrow)) + len(wide));
            out.extend(&tail);
            let (value, rest) = read_i32(&out).unwrap();
            prop_assert_eq!(value, narrow);
            prop_assert_eq!(read_i64(rest), Some((wide, &tail[..])));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            for rest in [read_i32(&bytes).map(|v| v.1), read_i64(&bytes).map(|v| v.1)] {
                prop_assert!(rest.is_none_or(|rest| rest.len() < bytes.len()));
            }
        }
    }
}
