//! The `server.properties` form: `key=value` lines as Java's `Properties` reads them. Called by `Config::load`.

/// Splits the text into keys and values, in order; a later line of the same key wins for the caller.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    logical_lines(text)
        .iter()
        .filter_map(|line| split(line))
        .collect()
}

/// Joins lines that end in an odd number of backslashes; leaves out blank lines and comments.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for raw in text.lines() {
        let part = raw.trim_start();
        let mut line = match open.take() {
            Some(line) => line + part,
            None if part.is_empty() || part.starts_with(['#', '!']) => continue,
            None => part.to_owned(),
        };
        let backslashes = line.chars().rev().take_while(|c| *c == '\\').count();
        if backslashes % 2 == 1 {
            line.pop();
            open = Some(line);
        } else {
            lines.push(line);
        }
    }
    lines.extend(open);
    lines
}

/// The key ends at the first unescaped `=`, `:` or white space.
fn split(line: &str) -> Option<(String, String)> {
    let mut end = line.len();
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if !escaped && (c == '=' || c == ':' || c.is_whitespace()) {
            end = at;
            break;
        }
        escaped = c == '\\' && !escaped;
    }
    let rest = line[end..].trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
    let key = unescape(&line[..end]);
    (!key.is_empty()).then(|| (key, unescape(value)))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let code: String = chars.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_java_reads() {
        for (text, expected) in [
            ("a=1\n", vec![("a", "1")]),
            (
                "# c\n! c\n\n a = 1 \nb:2\nc 3",
                vec![("a", "1"), ("b", "2"), ("c", "3")],
            ),
            ("a=1,\\\n  2", vec![("a", "1,2")]),
            ("a\\=b=c=d", vec![("a=b", "c=d")]),
            ("path=C\\\\logs\\u0041", vec![("path", "C\\logsA")]),
            ("lonely", vec![("lonely", "")]),
            ("=novalue", vec![]),
            ("a=x\\", vec![("a", "x")]),
        ] {
            let expected: Vec<(String, String)> = expected
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect();
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
