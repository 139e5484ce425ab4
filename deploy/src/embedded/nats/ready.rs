//! Whether a nats-server takes our password and has JetStream.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::USER;

/// Longest greeting and answer; the real ones take about 600 bytes.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    jetstream: bool,
}

/// A server on `port` that is not ours would not take the password.
pub(in crate::embedded) async fn is_ready(port: u16, password: &str) -> bool {
    ask(port, password).await.is_ok()
}

async fn ask(port: u16, password: &str) -> Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read.take(ANSWER_BYTES_MAX)).lines();
    let greeting = lines.next_line().await?.unwrap_or_default();
    let info: Info = serde_json::from_str(greeting.strip_prefix("INFO ").unwrap_or_default())?;
    ensure!(info.jetstream, "no JetStream");
    let login = serde_json::json!({ "user": USER, "pass": password, "verbose": false, "pedantic": false });
    write.write_all(format!("CONNECT {login}\r\nPING\r\n").as_bytes()).await?;
    while let Some(line) = lines.next_line().await? {
        ensure!(!line.starts_with("-ERR"), "refused: {line}");
        if line == "PONG" {
            return Ok(());
        }
    }
    anyhow::bail!("closed the connection")
}
