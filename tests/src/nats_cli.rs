//! The `nats` command as a person types it; where it is not installed, the same protocol without it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::{Client, HeaderMap};
use deploy::embedded::Nats;
use futures::StreamExt as _;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::wait::{LONG, wait_for};
use crate::{elder, nats};

/// Whatever publishes and watches from outside.
pub enum NatsCli {
    /// The command.
    Command {
        /// Where it is.
        program: PathBuf,
        /// The server with user and password.
        url: String,
        /// The server's monitoring address.
        monitor: String,
        /// A folder to use as home, so that the user's own contexts do not count.
        home: PathBuf,
    },
    /// A client of our own.
    Protocol(Client),
}

/// Everything seen on a subject so far; ends when dropped.
pub struct Watch(Seen);

enum Seen {
    Command { _child: Child, output: PathBuf },
    Protocol { task: JoinHandle<()>, text: Arc<Mutex<String>> },
}

impl NatsCli {
    /// The command out of `.tools` or PATH, or a client of our own with a word about it.
    #[expect(clippy::print_stderr, reason = "whoever reads the test's output should know what was tested")]
    pub async fn find(server: &Nats, home: &Path) -> Self {
        let tools = elder::workspace().join(".tools/bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = [tools].into_iter().chain(std::env::split_paths(&path));
        let Some(program) = folders.find_map(|folder| fs::canonicalize(folder.join("nats")).ok()) else {
            eprintln!("there is no nats command in .tools/bin or PATH: its protocol is tested without it");
            return Self::Protocol(nats::connect(server.url()).await);
        };
        let (url, monitor) = (server.url().to_owned(), server.monitor_url().to_owned());
        Self::Command { program, url, monitor, home: home.to_owned() }
    }

    /// Runs one line as it would be typed into a shell, e.g. one that `elder up` prints. Returns what it says.
    pub async fn line(&self, line: &str) -> String {
        if let Self::Command { program, home, .. } = self {
            let folder = program.parent().expect("a program is in a folder");
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", line]).env_clear().env("PATH", folder).env("HOME", home);
            return said(shell).await;
        }
        let words = words(line);
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["nats", "-s", _, "req", subject, body] => self.req(subject, body).await,
            ["nats", "-s", _, "pub", "-J", subject, body] => self.publish(subject, body, &[]).await,
            _ => panic!("the protocol behind `{line}` is not known here"),
        }
    }

    /// `nats req`: returns the answer.
    pub async fn req(&self, subject: &str, body: &str) -> String {
        match self {
            Self::Command { .. } => said(self.command(&["req", "--raw", subject, body])).await,
            Self::Protocol(client) => {
                let answer =
                    client.request(subject.to_owned(), body.to_owned().into()).await.expect("the stream answers");
                String::from_utf8_lossy(&answer.payload).into_owned()
            }
        }
    }

    /// `nats pub -J`: waits until the stream has it. Headers are `Name:value`.
    pub async fn publish(&self, subject: &str, body: &str, headers: &[&str]) -> String {
        match self {
            Self::Command { .. } => {
                let mut arguments = vec!["pub", "-J", subject, body];
                headers.iter().for_each(|header| arguments.extend(["-H", header]));
                said(self.command(&arguments)).await
            }
            Self::Protocol(client) => {
                let mut map = HeaderMap::new();
                for (name, value) in headers.iter().filter_map(|header| header.split_once(':')) {
                    map.insert(name, value);
                }
                let jetstream = async_nats::jetstream::new(client.clone());
                let body = body.to_owned().into();
                let ack =
                    jetstream.publish_with_headers(subject.to_owned(), map, body).await.expect("the server is there");
                format!("{:?}", ack.await.expect("the stream takes it"))
            }
        }
    }

    /// Whether a stream takes it, by its protocol: the command waits long for what no stream answers.
    pub async fn is_taken(&self, subject: &str, body: &str) -> bool {
        let client = match self {
            Self::Command { url, .. } => nats::connect(url).await,
            Self::Protocol(client) => client.clone(),
        };
        let body = body.to_owned().into();
        let sent = async_nats::jetstream::new(client).publish(subject.to_owned(), body).await;
        sent.expect("the server is there").await.is_ok()
    }

    /// `nats sub`: returns once the server knows of it.
    pub async fn watch(&self, subject: &str) -> Watch {
        match self {
            Self::Command { monitor, home, .. } => {
                let output = home.join("watched");
                let mut command = self.command(&["sub", subject]);
                command.stdout(File::create(&output).expect("the test's folder can be written to")).kill_on_drop(true);
                let child = command.spawn().expect("the nats command can be started");
                let (page, quoted) = (format!("{monitor}/connz?subs=1"), format!("\"{subject}\""));
                wait_for(&format!("nats sub {subject}"), LONG, async || {
                    let connections = reqwest::get(&page).await.ok()?.text().await.ok()?;
                    // Angle brackets are escaped in the server's JSON.
                    connections.replace("\\u003e", ">").contains(&quoted).then_some(())
                })
                .await;
                Watch(Seen::Command { _child: child, output })
            }
            Self::Protocol(client) => {
                let mut messages = client.subscribe(subject.to_owned()).await.expect("a subject can be subscribed to");
                client.flush().await.expect("the server is there");
                let text = Arc::new(Mutex::new(String::new()));
                let collected = Arc::clone(&text);
                let task = tokio::spawn(async move {
                    while let Some(message) = messages.next().await {
                        let body = String::from_utf8_lossy(&message.payload);
                        let mut text = collected.lock().unwrap_or_else(PoisonError::into_inner);
                        text.push_str(&format!("Received on \"{}\"\n{body}\n", message.subject));
                    }
                });
                Watch(Seen::Protocol { task, text })
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let Self::Command { program, url, home, .. } = self else { panic!("there is no nats command") };
        let mut command = Command::new(program);
        command.args(["-s", url]).args(arguments).env_clear().env("HOME", home).stdin(Stdio::null());
        command
    }
}

impl Watch {
    /// What was seen so far, as `nats sub` shows it.
    pub fn text(&self) -> String {
        match &self.0 {
            Seen::Command { output, .. } => fs::read_to_string(output).unwrap_or_default(),
            Seen::Protocol { text, .. } => text.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Seen::Protocol { task, .. } = &self.0 {
            task.abort();
        }
    }
}

/// Both outputs of a command, which must succeed.
async fn said(mut command: Command) -> String {
    let output = command.output().await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
    said
}

/// The words of a line, single quotes taken off.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is a first word").push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    #[test]
    fn quoted_words_stay_together() {
        assert_eq!(super::words("nats req a '{\"b\": 1}'"), ["nats", "req", "a", "{\"b\": 1}"]);
    }
}
