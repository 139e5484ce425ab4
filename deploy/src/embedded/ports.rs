//! Free loopback ports that stay the same from one run to the next.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};
use uuid::Uuid;

/// Lowest port that is chosen; below it are the well-known servers.
const LOWEST: u16 = 20_000;

/// First port that Linux hands out for outgoing connections, unless it is told otherwise.
const EPHEMERAL_DEFAULT: u16 = 32_768;

/// Fewest ports to choose from.
const SPAN_MIN: u16 = 1_000;

/// How many ports are tried before giving up: with half of all taken, all of them fail once in 10^19.
const TRIES: usize = 64;

/// Whether a server could listen on `port` now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that is free now.
///
/// Not one that the kernel picks: those come from the range of outgoing connections, so while the server is away for a
/// restart another process could get it as its own end, or a client that retries could connect to itself.
pub fn any_free() -> Result<u16> {
    let (first, span) = range(ephemeral_low());
    for _ in 0..TRIES {
        let [high, low, ..] = *Uuid::new_v4().as_bytes();
        let port = first + u16::from_be_bytes([high, low]) % span;
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("found no free port on 127.0.0.1 between {first} and {}", first + (span - 1))
}

fn range(ephemeral_low: u16) -> (u16, u16) {
    match ephemeral_low.checked_sub(LOWEST) {
        Some(span) if span >= SPAN_MIN => (LOWEST, span),
        // Somebody has widened the range downwards; then outgoing connections have to be lived with.
        _ => (LOWEST, EPHEMERAL_DEFAULT - LOWEST),
    }
}

fn ephemeral_low() -> u16 {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    text.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(EPHEMERAL_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_below_outgoing_connections() {
        assert_eq!(range(32_768), (20_000, 12_768));
        assert_eq!(range(20_500), (20_000, 12_768));
        assert_eq!(range(1_024), (20_000, 12_768));
    }

    #[test]
    fn taken_port_is_not_free() {
        let port = any_free().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(listener);
    }
}
