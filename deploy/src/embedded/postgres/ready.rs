//! Whether a Postgres lets somebody log in.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{DATABASE, USER};

/// Version 3.0 of the protocol, as the startup message names it.
const PROTOCOL: u32 = 3 << 16;

/// Asks for a password exchange: tag `R`, and after the length the number of SASL.
const AUTHENTICATION: u8 = b'R';
const SASL: u32 = 10;

/// Longest answer that is read; the list of password methods takes 24 bytes, an error message a few hundred.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// True once the server `pid` says so itself and a connection is asked for its password.
pub(in crate::embedded) async fn is_ready(data: &Path, pid: u32, port: u16) -> bool {
    // The file first: it shows that the data is served by our process, so that the port is its port as well.
    says_ready(data, pid) && asks_for_password(port).await.is_ok()
}

fn says_ready(data: &Path, pid: u32) -> bool {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    // Line 8 is the status.
    let status = lines.nth(6).unwrap_or_default();
    first == pid.to_string() && status.trim() == "ready"
}

async fn asks_for_password(port: u16) -> Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(&startup_message()?).await?;
    let (tag, length) = (stream.read_u8().await?, stream.read_u32().await?);
    let method = stream.read_u32().await?;
    // The rest is read too: closing with bytes unread would reset the connection and make the server log it.
    let rest = u64::from(length).saturating_sub(8).min(ANSWER_BYTES_MAX);
    tokio::io::copy(&mut stream.take(rest), &mut tokio::io::sink()).await?;
    ensure!(tag == AUTHENTICATION && method == SASL, "it does not ask for a password yet");
    Ok(())
}

fn startup_message() -> Result<Vec<u8>> {
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for text in ["user", USER, "database", DATABASE, ""] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    let length = u32::try_from(body.len() + size_of::<u32>()).context("the startup message is too long")?;
    Ok([&length.to_be_bytes()[..], &body].concat())
}
