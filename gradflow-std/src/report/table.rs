//! A table, and its two plain forms: for the terminal and in Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};
use serde::Serialize;

/// Rules above, below the head and at the end, none between rows.
const RULED: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Head and rows of text, with a heading and remarks. The first column is aligned to the left, as
/// are those listed in `left`; the others, numbers, to the right.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) left: Vec<usize>,
    pub(crate) remarks: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|&h| h.into()).collect();
        Self { title: title.into(), head, left: vec![0], ..Self::default() }
    }

    /// Leaves out the columns that hold nothing but dashes.
    pub(crate) fn without_empty_columns(self) -> Self {
        let filled = |i: &usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(*i));
            cells.any(|cell| cell != "–")
        };
        let kept: Vec<usize> = (0..self.head.len()).filter(filled).collect();
        let pick = |cells: &[String]| kept.iter().filter_map(|&i| cells.get(i).cloned()).collect();
        let is_left = |new: &usize| kept.get(*new).is_some_and(|old| self.left.contains(old));
        Self {
            head: pick(&self.head),
            rows: self.rows.iter().map(|row| pick(row)).collect(),
            left: (0..kept.len()).filter(is_left).collect(),
            ..self
        }
    }

    /// For a terminal: headed, ruled, and as wide as it needs to be.
    pub(crate) fn terminal(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(RULED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.head.iter().map(|cell| plain(cell)));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| plain(cell)));
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let left = self.left.contains(&index);
            column.set_cell_alignment(if left {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
        let mut text = format!("{}\n{table}\n", plain(&self.title));
        for remark in &self.remarks {
            text += &format!("{}\n", plain(remark));
        }
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let row = |cells: &[String]| {
            format!("| {} |\n", cells.iter().map(|c| escape(c)).collect::<Vec<_>>().join(" | "))
        };
        let rule = |i| if self.left.contains(&i) { ":--" } else { "--:" };
        let rules: Vec<_> = (0..self.head.len()).map(rule).collect();
        let mut text =
            format!("### {}\n\n{}|{}|\n", escape(&self.title), row(&self.head), rules.join("|"));
        for cells in &self.rows {
            text += &row(cells);
        }
        for remark in &self.remarks {
            text += &format!("\n{}\n", escape(remark));
        }
        text
    }
}

/// Without control characters, which could steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Text that Markdown takes as it is, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("A | B", &["method", "error"]);
        table.rows.push(vec!["a|b <i>\u{1b}[31m".into(), "1e-5".into()]);
        table.remarks.push("So it is.".into());
        table
    }

    #[test]
    fn markdown_is_escaped_and_aligned() {
        assert_eq!(
            table().markdown(),
            "### A \\| B\n\n| method | error |\n|:--|--:|\n| a\\|b &lt;i> \\[31m | 1e-5 |\n\nSo it is.\n"
        );
    }

    #[test]
    fn empty_columns_go_and_alignment_stays() {
        let mut table = Table::new("t", &["a", "b", "c", "d"]);
        table.left.push(2);
        table.rows = vec![["1", "–", "x", "–"].map(String::from).to_vec()];
        let table = table.without_empty_columns();
        assert_eq!((table.head, table.left), (vec!["a".into(), "c".into()], vec![0, 1]));
        assert_eq!(table.rows, [["1", "x"]]);
    }

    #[test]
    fn the_terminal_gets_no_control_characters() {
        let text = table().terminal();
        assert!(text.contains("a|b <i>[31m") && text.contains("1e-5"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
