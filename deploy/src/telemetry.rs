//! Logs: the only place that formats them.

use std::panic::PanicHookInfo;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Shape of the log lines on standard error
    #[arg(long, env = "ELDER_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// What to log: error, warn, info, debug or trace, or per module such as `info,broker=debug`
    /// [default: warn for demo, info otherwise]
    #[arg(long, env = "ELDER_LOG", global = true, value_name = "FILTER")]
    pub log: Option<EnvFilter>,
}

/// Shape of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What libraries say is of interest only when something is wrong.
const OURS: &str = "warn,broker=info,deploy=info,producer=info,worker=info";

/// Starts logging; `is_quiet` is for commands whose own output is what people look at. A second start in one process
/// changes nothing.
pub fn start(args: &LogArgs, is_quiet: bool) {
    let usual = || EnvFilter::new(if is_quiet { "warn" } else { OURS });
    let filter = args.log.clone().unwrap_or_else(usual);
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    let started = match args.log_format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
    std::panic::set_hook(Box::new(log_panic));
}

/// A panic message may quote what was being read: on the threads that read repositories only its place is logged.
fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    if std::thread::current().name().is_some_and(|name| name.starts_with(worker::THREAD_NAME)) {
        tracing::error!(place, "panicked");
    } else {
        tracing::error!(place, message = info.payload_as_str().unwrap_or_default(), "panicked");
    }
}
