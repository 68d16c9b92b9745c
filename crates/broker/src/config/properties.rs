//! The `server.properties` form: `key=value` lines as Java's `Properties` reads them, except that what can be no line of a
//! configuration is refused. Called by `Config::load_file`.

/// A key and its value, and the line they begin on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: String,
}

/// A line that sets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) advice: &'static str,
}

const NO_SEPARATOR: &str = "expected KEY=VALUE; a comment begins with #";
const NOT_A_KEY: &str = "a key has letters, digits, '.', '-' and '_' only; expected KEY=VALUE";
const BAD_ESCAPE: &str = r"\u wants four hexadecimal digits; write a backslash of its own as \\";
/// What Java takes for white space.
const BLANKS: [char; 3] = [' ', '\t', '\x0c'];

/// Splits the text into keys and values, in order; a later line of the same key wins for the caller.
pub(super) fn parse(text: &str) -> Result<Vec<Property>, Malformed> {
    logical_lines(text)
        .into_iter()
        .map(|(line, text)| {
            property(line, &text).map_err(|advice| Malformed { line, text, advice })
        })
        .collect()
}

/// Joins lines that end in an odd number of backslashes; leaves out blank lines and comments.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    // A lone carriage return ends a line too.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (index, raw) in text.split('\n').enumerate() {
        let part = raw.trim_start_matches(BLANKS);
        let (first, mut line) = match open.take() {
            Some((first, line)) => (first, line + part),
            None if part.is_empty() || part.starts_with(['#', '!']) => continue,
            None => (index + 1, part.to_owned()),
        };
        let backslashes = line.chars().rev().take_while(|c| *c == '\\').count();
        if backslashes % 2 == 1 {
            line.pop();
            open = Some((first, line));
        } else {
            lines.push((first, line));
        }
    }
    lines.extend(open);
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// The key ends at the first unescaped `=`, `:` or white space.
fn property(line: usize, text: &str) -> Result<Property, &'static str> {
    let mut escaped = false;
    let end = text.find(|c: char| {
        let ends = !escaped && (c == '=' || c == ':' || BLANKS.contains(&c));
        escaped = c == '\\' && !escaped;
        ends
    });
    let (key, rest) = text.split_at(end.unwrap_or(text.len()));
    let key = unescape(key)?;
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if key.is_empty() || !key.chars().all(is_of_key) {
        return Err(NOT_A_KEY);
    }
    let rest = rest.trim_start_matches(BLANKS);
    // Java would set the key to nothing, which nobody writes so.
    if rest.is_empty() {
        return Err(NO_SEPARATOR);
    }
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    let value = unescape(value.trim_start_matches(BLANKS))?;
    Ok(Property {
        line,
        key,
        // Java keeps what is blank at the end; Kafka takes it off before it looks at the value.
        value: value.trim().to_owned(),
    })
}

fn unescape(text: &str) -> Result<String, &'static str> {
    // Java's characters are halves where Unicode goes beyond 16 bits: two escapes may make one of ours.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let plain = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    units.push(unit(chars.by_ref().take(4))?);
                    continue;
                }
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('f') => '\x0c',
                Some(other) => other,
                None => continue,
            },
            plain => plain,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).map_err(|_| BAD_ESCAPE)
}

fn unit(digits: impl Iterator<Item = char>) -> Result<u16, &'static str> {
    let digits: Vec<u32> = digits.filter_map(|c| c.to_digit(16)).collect();
    let unit = digits.iter().fold(0, |unit, digit| unit * 16 + digit);
    match u16::try_from(unit) {
        Ok(unit) if digits.len() == 4 => Ok(unit),
        _ => Err(BAD_ESCAPE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_java_reads() {
        for (text, expected) in [
            ("a=1\n", vec![(1, "a", "1")]),
            (
                "# c\\\n! c\n\n a = 1 \nb:2\nc 3\nd\t:\x0c4",
                vec![(4, "a", "1"), (5, "b", "2"), (6, "c", "3"), (7, "d", "4")],
            ),
            ("a=1,\\\n  2\nb=3", vec![(1, "a", "1,2"), (3, "b", "3")]),
            ("a=1\\\n#2", vec![(1, "a", "1#2")]),
            (
                "a=1\rb=2\r\nc=3",
                vec![(1, "a", "1"), (2, "b", "2"), (3, "c", "3")],
            ),
            ("a=b=c:d", vec![(1, "a", "b=c:d")]),
            ("a==b", vec![(1, "a", "=b")]),
            ("\\a\\.b=c", vec![(1, "a.b", "c")]),
            ("a=C\\\\logs\\u0041\\q", vec![(1, "a", "C\\logsAq")]),
            ("a=\\ud83d\\ude00", vec![(1, "a", "\u{1f600}")]),
            ("a=x\\ty\\nz\\f0", vec![(1, "a", "x\ty\nz\x0c0")]),
            ("a=", vec![(1, "a", "")]),
            ("a=x\\", vec![(1, "a", "x")]),
            ("\\\n\na=1", vec![(3, "a", "1")]),
        ] {
            let expected = expected.into_iter().map(|(line, key, value)| Property {
                line,
                key: key.to_owned(),
                value: value.to_owned(),
            });
            assert_eq!(parse(text), Ok(expected.collect()), "{text:?}");
        }
    }

    #[test]
    fn what_sets_nothing_is_refused_where_it_stands() {
        for (text, line, advice) in [
            ("a=1\n[broker]", 2, NOT_A_KEY),
            ("\n\n{ \"a\": 1 }", 3, NOT_A_KEY),
            ("=1", 1, NOT_A_KEY),
            ("\u{feff}a=1", 1, NOT_A_KEY),
            ("// a=1", 1, NOT_A_KEY),
            ("a\\=b=c", 1, NOT_A_KEY),
            ("a=1\nlonely", 2, NO_SEPARATOR),
            ("a=1,\\\n2\nlonely ", 3, NO_SEPARATOR),
            ("a=C:\\users", 1, BAD_ESCAPE),
            ("a=\\u12", 1, BAD_ESCAPE),
            ("a=\\u+123", 1, BAD_ESCAPE),
            ("a=\\ud83d", 1, BAD_ESCAPE),
        ] {
            let refused = parse(text).unwrap_err();
            assert_eq!((refused.line, refused.advice), (line, advice), "{text:?}");
        }
    }
}
