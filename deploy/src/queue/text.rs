//! Limits and explanations as people read them, and what all texts about the queue are made of.

use std::fmt::Write as _;

use broker::store::limits::LimitRow;
use producer::queue::explain::{Explanation, Predicted};

/// Rows of texts under a head, columns as wide as they need to be, numbers to the right.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let is_number =
        |column: usize| rows.iter().all(|row| row[column].starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    let columns: Vec<(usize, bool)> = (0..head.len()).map(|column| (width(column), is_number(column))).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells
            .iter()
            .zip(&columns)
            .map(|(cell, (width, right))| if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned() + "\n"
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(head.to_vec())).chain(body).collect()
}

/// `elder queue explain`.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let Explanation { audit, project, state, priority, class, position, tasks_ahead, .. } = explanation;
    let mut rows = vec![("audit", format!("{audit} of project {project}, {state}"))];
    let aged = if class == priority { String::new() } else { format!(", served as {class} because it waited long") };
    rows.push(("priority", format!("{priority}{aged}")));
    if let Some(position) = position {
        rows.push(("position", format!("{position}; {tasks_ahead} tasks are published before its next one")));
    }
    let Explanation { tasks_ready, tasks_in_flight, tasks_done, tasks_total, .. } = explanation;
    rows.push((
        "tasks",
        format!("{tasks_done} of {tasks_total} done, {tasks_in_flight} in flight, {tasks_ready} ready"),
    ));
    rows.push(("held by", explanation.held_by.clone()));
    rows.push(("starts", predicted(explanation.starts_in_secs)));
    rows.push(("ends", predicted(explanation.ends_in_secs)));
    rows.push(("based on", explanation.basis.clone()));
    rows.into_iter().fold(String::new(), |mut out, (name, text)| {
        // Writing to a text cannot fail.
        let _infallible = writeln!(out, "{name:<9} {text}");
        out
    })
}

/// `elder queue limit list`.
pub(super) fn limits(limits: &[LimitRow]) -> String {
    if limits.is_empty() {
        return "No project or team has a limit.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = limits
        .iter()
        .map(|row| {
            vec![
                row.scope.as_str().to_owned(),
                row.name.escape_debug().to_string(),
                row.tasks_in_flight.map_or_else(|| "-".to_owned(), |most| most.to_string()),
                row.weight.to_string(),
            ]
        })
        .collect();
    table(&["scope", "name", "tasks in flight", "weight"], &rows)
}

fn predicted(predicted: Option<Predicted>) -> String {
    match predicted {
        Some(Predicted { p50, p90 }) => format!("in {} (p50), {} (p90)", duration(p50), duration(p90)),
        None => "cannot be said".to_owned(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub(super) fn duration(secs: f64) -> String {
    let whole = secs.clamp(0.0, 1e9) as u64;
    match whole {
        0 if secs > 0.0 => format!("{secs:.1} s"),
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_people_say_them() {
        let said = [0.0, 0.25, 59.9, 61.0, 7_260.0].map(duration);
        assert_eq!(said, ["0 s", "0.2 s", "59 s", "1 min 1 s", "2 h 1 min"]);
    }

    #[test]
    fn tables_are_aligned_and_have_no_trailing_space() {
        let rows = [vec!["a".to_owned(), "7".to_owned()], vec!["long".to_owned(), "12".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "  name   n\n  a      7\n  long  12\n");
    }
}
