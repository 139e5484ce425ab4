//! `elder schedule`: when a project is audited without anybody asking.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use broker::Store;
use broker::config::DatabaseArgs;
use broker::store::projects::Project;
use broker::store::schedules::Schedule;
use clap::{Args, Subcommand};
use schemas::ids::{AuditId, ProjectSlug, Revision, ScheduleName};
use schemas::magic::Magic;
use schemas::request::{AuditKind, Priority};
use schemas::schedule::{Calendar, CatchUp, Definition, SCHEDULES_MAX, ScheduledRequest};

use crate::roles::catalogue;
use crate::runtime;

/// Most moments printed at once.
const COUNT_MAX: i64 = 1_000;

/// Options of `elder schedule`.
#[derive(Debug, Clone, Args)]
pub struct ScheduleArgs {
    #[command(subcommand)]
    command: ScheduleCommand,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum ScheduleCommand {
    /// Print the schedules of a project
    List {
        /// The project
        #[arg(value_name = "PROJECT")]
        project: ProjectSlug,
    },
    /// Define a schedule, or define it anew
    Set(SetArgs),
    /// Remove a schedule
    Remove(Named),
    /// Ask for what a schedule asks for, now
    Run(Named),
    /// Print the moments to come, in UTC
    Next {
        #[command(flatten)]
        named: Named,
        /// How many
        #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=COUNT_MAX))]
        count: i64,
    },
}

/// Which schedule.
#[derive(Debug, Clone, Args)]
struct Named {
    /// The project
    #[arg(value_name = "PROJECT")]
    project: ProjectSlug,
    /// The schedule
    #[arg(value_name = "NAME")]
    name: ScheduleName,
}

/// What is defined.
#[derive(Debug, Clone, Args)]
struct SetArgs {
    #[command(flatten)]
    named: Named,
    /// Minute, hour, day of the month, month and weekday, with seconds before them if wanted; or e.g. `@daily`
    #[arg(value_name = "CRON")]
    cron: String,
    /// IANA time zone whose clocks count; a time that they skip fires right after, one that comes twice the first time
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    /// What becomes of moments missed while nothing ran: `skip`, `once` for all of them, or `all`
    #[arg(long, default_value_t = CatchUp::Once, value_name = "POLICY")]
    catch_up: CatchUp,
    /// Branch, tag or commit; the default branch without
    #[arg(long, value_name = "REVISION")]
    revision: Option<Revision>,
    /// Run only this magic; may be given several times
    #[arg(long = "magic", value_name = "MAGIC")]
    magics: Vec<Magic>,
    /// How urgent: `critical`, `high`, `normal` or `low`
    #[arg(long, default_value = "normal", value_name = "PRIORITY")]
    priority: Priority,
    /// Define it without letting it fire
    #[arg(long)]
    disabled: bool,
}

/// Lists, defines, removes, runs or looks ahead.
pub fn run(args: ScheduleArgs) -> Result<()> {
    let ScheduleArgs { command, database } = args;
    runtime::run(async |_stop| {
        let store = Store::connect(&database)?;
        match command {
            ScheduleCommand::List { project } => {
                let project = find(&store, &project).await?;
                store.schedules(project.id).await?.iter().try_for_each(print)
            }
            ScheduleCommand::Set(args) => set(&store, args).await,
            ScheduleCommand::Remove(named) => {
                let Named { project, name } = &named;
                if !store.remove_schedule(find(&store, project).await?.id, name).await? {
                    bail!("project `{project}` has no schedule `{name}`");
                }
                say(&format!("removed {name}"))
            }
            ScheduleCommand::Run(named) => run_now(&store, &named).await,
            ScheduleCommand::Next { named, count } => next(&store, &named, count).await,
        }
    })
}

async fn find(store: &Store, project: &ProjectSlug) -> Result<Project> {
    store.project(project).await?.with_context(|| format!("there is no project `{project}`"))
}

async fn find_schedule(store: &Store, named: &Named) -> Result<(Project, Schedule)> {
    let Named { project, name } = named;
    let found = find(store, project).await?;
    let schedule = store.schedule(found.id, name).await?;
    Ok((found, schedule.with_context(|| format!("project `{project}` has no schedule `{name}`"))?))
}

async fn set(store: &Store, args: SetArgs) -> Result<()> {
    let SetArgs { named: Named { project, name }, cron, time_zone, catch_up, revision, magics, priority, disabled } =
        args;
    let request = ScheduledRequest { revision, kind: AuditKind::Full, magics, priority };
    let definition = Definition { cron, time_zone, catch_up, request, enabled: !disabled };
    let calendar = producer::schedules::check(&definition, &catalogue())?;
    let found = find(store, &project).await?;
    let schedule = store.set_schedule(found.id, &name, &definition, &calendar).await?;
    print(&schedule.with_context(|| format!("project `{project}` has {SCHEDULES_MAX} schedules, as many as it may"))?)
}

async fn run_now(store: &Store, named: &Named) -> Result<()> {
    let (project, schedule) = find_schedule(store, named).await?;
    let request = &schedule.definition.request;
    let audit = producer::schedules::audit_of(&project.slug, request, AuditId::random(), &catalogue())?;
    store.record_audit(&project, &audit).await?;
    say(&audit.id.to_string())
}

async fn next(store: &Store, named: &Named, count: i64) -> Result<()> {
    let (_, schedule) = find_schedule(store, named).await?;
    let calendar = Calendar::new(&schedule.definition.cron, &schedule.definition.time_zone)?;
    let mut last = store.now().await?;
    for _ in 0..count {
        let Some(moment) = calendar.next_after(last) else { break };
        say(&moment.to_string())?;
        last = moment;
    }
    Ok(())
}

fn print(schedule: &Schedule) -> Result<()> {
    let Schedule { name, definition, next_at, .. } = schedule;
    let next = match next_at.filter(|_| definition.enabled) {
        Some(next) => next.to_string(),
        None => "never".to_owned(),
    };
    let Definition { cron, time_zone, catch_up, .. } = definition;
    say(&format!("{name}  {cron}  {time_zone}  catch up {catch_up}  next {next}"))
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
