//! Rows of text in columns. Used where a verb tells many things of one kind.

/// A header and rows, each column as wide as its widest cell, each line after `indent`.
pub(super) fn table(indent: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(String::len);
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{indent}{}", padded.join("  ").trim_end())
    };
    let header = line(&mut header.iter().copied());
    let rows = rows
        .iter()
        .map(|row| line(&mut row.iter().map(String::as_str)));
    std::iter::once(header)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            vec!["a".to_owned(), "1".to_owned()],
            vec!["longer".to_owned(), "20".to_owned()],
        ];
        assert_eq!(
            table(" ", &["TOPIC", "N"], &rows),
            " TOPIC   N\n a       1\n longer  20"
        );
        assert_eq!(table("", &["TOPIC", "N"], &[]), "TOPIC  N");
    }
}
