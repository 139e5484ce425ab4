//! One HTTP exchange byte for byte: for requests that no well-behaved client would send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How much is written at once when there is no end to it.
const CHUNK_BYTES: usize = 64 * 1024;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Status code; 0 if the connection was closed without an answer.
    pub status: u16,
    /// Header lines, sorted, without the date.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

/// What became of a body that was sent without looking.
#[derive(Debug)]
pub struct Flood {
    /// Bytes of it that the server's side took before it stopped.
    pub sent: u64,
    /// What it answered.
    pub answer: Exchange,
}

/// How the length of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Up front.
    ContentLength,
    /// Piece by piece.
    Chunked,
}

/// Sends these headers, the same name twice if it is there twice, and this body.
pub async fn exchange(base: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Exchange {
    let mut connection = connect(base).await;
    let mut request = head(base, path, headers);
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    connection.write_all(&[request.as_bytes(), body].concat()).await.expect("the server takes a small request");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("the server answers and closes");
    parse(&answer)
}

/// Sends a body of `total` bytes for as long as the server takes it.
pub async fn flood(base: &str, path: &str, headers: &[(&str, &str)], framing: Framing, total: u64) -> Flood {
    let (mut reader, mut writer) = connect(base).await.into_split();
    let mut request = head(base, path, headers);
    match framing {
        Framing::ContentLength => request.push_str(&format!("content-length: {total}\r\n\r\n")),
        Framing::Chunked => request.push_str("transfer-encoding: chunked\r\n\r\n"),
    }
    writer.write_all(request.as_bytes()).await.expect("the server takes the head of a request");
    let mut piece = vec![b' '; CHUNK_BYTES];
    if framing == Framing::Chunked {
        piece = [format!("{CHUNK_BYTES:x}\r\n").as_bytes(), &piece, b"\r\n"].concat();
    }
    let mut sent = 0;
    let mut answer = Vec::new();
    let send = async {
        while sent < total && writer.write_all(&piece).await.is_ok() {
            sent += CHUNK_BYTES as u64;
        }
    };
    // Read beside the writing: a server that has closed takes back what was not read yet.
    let (_all_or_refused, _closed_or_reset) = tokio::join!(send, reader.read_to_end(&mut answer));
    Flood { sent, answer: parse(&answer) }
}

async fn connect(base: &str) -> TcpStream {
    let address = base.strip_prefix("http://").expect("the server speaks plain HTTP");
    TcpStream::connect(address).await.expect("the server listens")
}

fn head(base: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let host = base.trim_start_matches("http://");
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

fn parse(answer: &[u8]) -> Exchange {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let mut headers: Vec<String> = lines.filter(|line| !line.starts_with("date:")).map(str::to_owned).collect();
    headers.sort();
    Exchange { status: status.unwrap_or(0), headers, body: body.to_owned() }
}
