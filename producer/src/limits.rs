//! What a limit on the queue may be.

use broker::store::limits::{LimitRow, Scope};
use schemas::ids::ProjectSlug;

/// Longest name of a team, in bytes; as for projects' fields.
const NAME_BYTES_MAX: usize = 200;

/// Largest share: beyond this a project of weight 1 would hardly ever be served beside it.
const WEIGHT_MAX: u32 = 1_000;

/// A limit that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// The name cannot be that of a project.
    #[error("`{0}` is not a project's name: use its slug, as `project_id` shows it")]
    Project(String),
    /// The name cannot be that of a team.
    #[error("a team's name needs 1 to {NAME_BYTES_MAX} bytes without control characters")]
    Team,
    /// Nothing in flight would mean never.
    #[error("tasks_in_flight needs to be from 1 to {}; leave it out for as many as there is room for", i32::MAX)]
    InFlight,
    /// Out of range.
    #[error("weight needs to be from 1 to {WEIGHT_MAX}")]
    Weight,
    /// Turns go to projects.
    #[error("a team has no weight: turns go to projects, a team only has tasks_in_flight")]
    TeamWeight,
}

/// The limit, if it can be one. Whether there is such a project or team is not asked: it may come later.
///
/// # Errors
/// If something in it cannot be.
pub fn checked(
    scope: Scope,
    name: String,
    tasks_in_flight: Option<u32>,
    weight: Option<u32>,
) -> Result<LimitRow, InvalidLimit> {
    match scope {
        Scope::Project if name.parse::<ProjectSlug>().is_err() => {
            return Err(InvalidLimit::Project(name.chars().take(80).flat_map(char::escape_debug).collect()));
        }
        Scope::Team if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) => {
            return Err(InvalidLimit::Team);
        }
        Scope::Team if weight.is_some_and(|weight| weight != 1) => return Err(InvalidLimit::TeamWeight),
        Scope::Project | Scope::Team => {}
    }
    let in_flight = tasks_in_flight.map(|most| i32::try_from(most).ok().filter(|most| *most > 0));
    if in_flight == Some(None) {
        return Err(InvalidLimit::InFlight);
    }
    let weight = weight.unwrap_or(1);
    if !(1..=WEIGHT_MAX).contains(&weight) {
        return Err(InvalidLimit::Weight);
    }
    let weight = i32::try_from(weight).map_err(|_too_large| InvalidLimit::Weight)?;
    Ok(LimitRow { scope, name, tasks_in_flight: in_flight.flatten(), weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_limit_is_named() {
        let project = |name: &str, in_flight, weight| checked(Scope::Project, name.to_owned(), in_flight, weight);
        assert!(project("shop", Some(4), Some(2)).is_ok() && project("shop", None, None).is_ok());
        assert_eq!(project("a b", None, None), Err(InvalidLimit::Project("a b".to_owned())));
        assert_eq!(project("shop", Some(0), None), Err(InvalidLimit::InFlight));
        assert_eq!(project("shop", Some(u32::MAX), None), Err(InvalidLimit::InFlight));
        assert_eq!(project("shop", None, Some(0)), Err(InvalidLimit::Weight));
        assert_eq!(project("shop", None, Some(1_001)), Err(InvalidLimit::Weight));
        let team = |name: &str, weight| checked(Scope::Team, name.to_owned(), Some(3), weight);
        assert!(team("core team", None).is_ok());
        assert_eq!(team("a\nb", None), Err(InvalidLimit::Team));
        assert_eq!(team("core", Some(2)), Err(InvalidLimit::TeamWeight));
    }
}
