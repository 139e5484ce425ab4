//! The `elder` program: reads the command line and hands over to the command's own module.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use deploy::cli::{Cli, Command};
use deploy::{
    audit, dead_letter, demo, generate, policy, queue, roles, rules, schedule, services, telemetry, topology, up,
};

/// A quarter of what a task costs the roles was spent in the C library, much of it on allocation. It takes the place of C's own
/// too, by which tree-sitter makes its trees.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { log, command } = Cli::parse();
    // Before anything else: the guard must not have started a thread when it changes its user.
    if let Command::ChildGuard(arguments) = command {
        return arguments.run();
    }
    broker::failpoint::set_up();
    telemetry::start(&log, matches!(command, Command::Demo(_) | Command::Audit(_) | Command::Queue(_)));
    let outcome = match command {
        Command::ChildGuard(_) => Ok(()),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Up(arguments) => up::run(arguments),
        Command::Audit(arguments) => return audit::run(arguments),
        Command::Serve(arguments) => roles::serve(arguments),
        Command::Planner(arguments) => roles::planner(arguments),
        Command::Worker(arguments) => roles::worker(arguments),
        Command::Aggregator(arguments) => roles::aggregator(arguments),
        Command::Migrate(arguments) => roles::migrate(arguments),
        Command::Topology(arguments) => topology::run(arguments),
        Command::Queue(arguments) => queue::run(arguments),
        Command::DeadLetter(arguments) => dead_letter::run(arguments),
        Command::Policy(arguments) => policy::run(arguments),
        Command::Schedule(arguments) => schedule::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
        Command::Generate(arguments) => generate::run(arguments),
        Command::Services(arguments) => services::run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn report(error: &anyhow::Error) -> ExitCode {
    // A closed standard error leaves nobody to tell; the exit code still says it.
    drop(writeln!(std::io::stderr(), "elder: {error:#}"));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
