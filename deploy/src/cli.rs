//! The command line of `elder`.

use clap::{Parser, Subcommand};

use crate::audit::AuditArgs;
use crate::dead_letter::DeadLetterArgs;
use crate::demo::DemoArgs;
use crate::embedded::guard::GuardArgs;
use crate::generate::GenerateArgs;
use crate::policy::PolicyArgs;
use crate::queue::QueueArgs;
use crate::roles::{AggregatorArgs, MigrateArgs, PlannerRoleArgs, ServeRoleArgs, WorkerRoleArgs};
use crate::rules::RulesArgs;
use crate::schedule::ScheduleArgs;
use crate::services::ServicesArgs;
use crate::telemetry::LogArgs;
use crate::topology::TopologyCommandArgs;
use crate::up::UpArgs;

/// Audits every push of every repository, on as many machines as you like
///
/// Every option can also be given as the environment variable named beside it.
#[derive(Debug, Parser)]
#[command(name = "elder", version, arg_required_else_help = true)]
pub struct Cli {
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole way once: start everything, push, audit, print the verdict, stop everything
    Demo(DemoArgs),
    /// Run the whole platform on this machine until Ctrl-C
    Up(UpArgs),
    /// Audit one repository in this process, without any service; exit code 0 passed, 1 failed, 2 could not run
    Audit(AuditArgs),
    /// Role: take webhooks and API requests
    Serve(ServeRoleArgs),
    /// Role: fetch repositories, plan audits, dispatch their tasks, bring back what got lost
    Planner(PlannerRoleArgs),
    /// Role: analyze; needs NATS only
    Worker(WorkerRoleArgs),
    /// Role: merge results into Postgres
    Aggregator(AggregatorArgs),
    /// Bring the database schema up to date
    Migrate(MigrateArgs),
    /// Create and update the streams and consumers, or compare them; make keys for the roles; delete no stream
    Topology(TopologyCommandArgs),
    /// Show the queue, explain why an audit waits, stop one, set limits
    Queue(QueueArgs),
    /// Look at messages that nobody could use, requeue or discard them; needs Postgres only
    DeadLetter(DeadLetterArgs),
    /// Say what a push means for older audits of its branch
    Policy(PolicyArgs),
    /// Say when a project is audited without anybody asking
    Schedule(ScheduleArgs),
    /// List the rules, or explain one
    Rules(RulesArgs),
    /// Write the files that are generated from the code
    Generate(GenerateArgs),
    /// Become PROGRAM, set to die with the process that asked for it
    #[command(hide = true)]
    ChildGuard(GuardArgs),
    /// Run only the embedded NATS and Postgres until told to stop
    #[command(hide = true)]
    Services(ServicesArgs),
}
