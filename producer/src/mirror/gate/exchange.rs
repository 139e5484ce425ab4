//! One request of libgit2 and its answer. Each has a connection of its own, so that what ends an answer need not be parsed.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::super::remote::Stop;
use super::Shared;
use super::wire::Wire;

/// Longest head of a request or an answer, in bytes; forges send about two thousand.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How much of an answer is passed on at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

impl Shared {
    /// Passes a request on, and its answer back if it is what was asked for.
    pub(super) fn serve(&self, mut client: &TcpStream) -> io::Result<()> {
        self.remember(client)?;
        client.set_read_timeout(Some(self.way.limits.stall_max))?;
        let request = read_head(&mut client)?;
        let (request, body_bytes) = self.rewritten(&request).ok_or(io::ErrorKind::InvalidInput)?;
        let mut server = Wire::open(self)?;
        server.write_all(request.as_bytes())?;
        io::copy(&mut client.take(body_bytes), &mut server)?;
        server.flush()?;
        let answer = read_head(&mut server)?;
        match status(&answer) {
            Some(200) => {}
            Some(300..400) => return self.refuse(Stop::Redirected),
            Some(status) => return self.refuse(Stop::Status(status)),
            None => return self.refuse(Stop::Garbled),
        }
        client.write_all(with_header(&answer, "connection", "close").as_bytes())?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match server.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => client.write_all(&chunk[..count])?,
                // Git checks what it got by itself, so a server may hang up without the farewell of TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn refuse(&self, reason: Stop) -> io::Result<()> {
        self.way.activity.stop(reason);
        Err(io::ErrorKind::InvalidData.into())
    }

    /// The head as the server is to get it, and how many bytes of body follow; `None` if it is for something else than the
    /// repository, or has a body of unknown length.
    fn rewritten(&self, head: &[u8]) -> Option<(String, u64)> {
        let text = std::str::from_utf8(head).ok()?;
        let mut words = text.split(' ');
        let is_known = matches!(words.next(), Some("GET" | "POST"));
        let is_ours = words.next()?.strip_prefix('/')?.starts_with(self.way.url.path());
        if !is_known || !is_ours || header(text, "transfer-encoding").is_some() {
            return None;
        }
        let body_bytes = header(text, "content-length").map_or(Some(0), |value| value.parse().ok())?;
        let head = with_header(head, "host", &self.authority());
        Some((with_header(head.as_bytes(), "connection", "close"), body_bytes))
    }
}

/// Reads up to the empty line that ends a head.
fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX || stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&byte);
    }
    Ok(head)
}

/// The status in the first line of an answer, e.g. `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let digits = line.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The head with this header, and no other of the same name.
fn with_header(head: &[u8], name: &str, value: &str) -> String {
    let text = String::from_utf8_lossy(head);
    let is_other = |line: &&str| line.split_once(':').is_none_or(|(known, _)| !known.trim().eq_ignore_ascii_case(name));
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let rest: String = lines.filter(is_other).flat_map(|line| [line, "\r\n"]).collect();
    format!("{first}\r\n{rest}{name}: {value}\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_takes_the_place_of_others_of_its_name() {
        let head = b"GET /x HTTP/1.1\r\nHOST: a\r\nAccept: */*\r\nhost:b\r\n\r\n";
        assert_eq!(with_header(head, "host", "c"), "GET /x HTTP/1.1\r\nAccept: */*\r\nhost: c\r\n\r\n");
        assert_eq!(with_header(b"HTTP/1.1 200 OK\r\n\r\n", "a", "b"), "HTTP/1.1 200 OK\r\na: b\r\n\r\n");
    }

    #[test]
    fn only_a_plain_status_line_has_a_status() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 404\r\n"), Some(404));
        for bad in
            [b"HTTP/2 200\r\n".as_slice(), b"HTTP/1.1 OK!\r\n", b"HTTP/1.1\r\n", b"\r\n", b"", b"220 smtp ready\r\n"]
        {
            assert_eq!(status(bad), None);
        }
    }

    #[test]
    fn a_head_without_end_is_not_read_for_ever() {
        assert!(read_head(&mut io::repeat(b'x')).is_err());
        assert!(read_head(&mut b"GET / HTTP/1.1\r\n".as_slice()).is_err());
        assert_eq!(read_head(&mut b"a\r\n\r\nb".as_slice()).unwrap(), b"a\r\n\r\n");
    }
}
