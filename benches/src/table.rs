//! Tables on standard output, with what the machine was doing above them.

use std::fs;
use std::io::{self, Write as _};

/// A table that is printed when it is complete.
#[derive(Debug)]
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a title and the heads of its columns.
    pub fn new(title: impl Into<String>, heads: &[&str]) -> Self {
        Self { title: title.into(), rows: vec![heads.iter().map(|&head| head.to_owned()).collect()] }
    }

    /// Adds a row: its name and its cells.
    pub fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = String>) {
        self.rows.push(std::iter::once(name.into()).chain(cells).collect());
    }

    /// Prints it.
    ///
    /// # Errors
    /// If standard output is closed.
    pub fn print(&self) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}", self.title)?;
        for row in &self.rows {
            let mut line = String::from(" ");
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                // Names to the left, figures to the right.
                let cell = if column == 0 { format!(" {cell:<width$}") } else { format!("  {cell:>width$}") };
                line.push_str(&cell);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        out.flush()
    }
}

/// Prints the question and what the machine is.
///
/// # Errors
/// If standard output is closed.
pub fn begin(question: &str) -> io::Result<()> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    writeln!(io::stdout(), "\n=== {question}\n    {cores} cores, {}", load())
}

/// Prints one more line.
///
/// # Errors
/// If standard output is closed.
pub fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "  {line}")
}

/// How busy the machine is, everybody's work included.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let one_minute = text.split(' ').next().filter(|figure| !figure.is_empty()).unwrap_or("unknown");
    format!("load average of the last minute {one_minute}")
}
