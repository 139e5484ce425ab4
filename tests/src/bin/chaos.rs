//! The long tier: restarts under load, then a run under faults as long as one likes, with progress and a table at the end.

use clap::Parser;
use tests::chaos::{self, Plan};
use tests::rolling::{self, Rolled};

/// Runs the whole product under faults and counts what is lost and what is double.
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewest tasks to be done
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    tasks: usize,
    /// Fewest processes to be killed
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    kills: usize,
    /// Decides what happens where; the machine decides when
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Restarts of roles under load, before the kills
    #[arg(long, default_value_t = 200, value_name = "N")]
    restarts: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn main() {
    let Arguments { tasks, kills, seed, restarts } = Arguments::parse();
    if restarts > 0 {
        println!("{restarts} restarts under load");
        let Rolled { count, slowest_stop } = Box::pin(rolling::run(restarts)).await;
        let (tasks, slowest) = (count.tasks, slowest_stop.as_secs_f64());
        println!("{tasks} tasks delivered once each, none lost; the slowest stop took {slowest:.1} s");
    }
    println!("seed {seed}: at least {tasks} tasks and {kills} kills");
    let report = Box::pin(chaos::run(Plan { seed, tasks, kills, is_verbose: true })).await;
    println!("\n{report}");
}
