//! Where a repository is fetched from: parsed once by an allow list, and printed again from its parts.

mod addresses;

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use url::{Host, Url};

/// Longest address, in bytes. Forges stop far earlier, and what sits between us and them often stops here.
pub const URL_BYTES_MAX: usize = 2_048;

/// Longest part of a refused address that its error shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// Ports where forges offer https: the usual one and its common alternative.
const HTTPS_PORTS: [u16; 2] = [443, 8443];

/// Ports where forges offer ssh: the usual, ssh behind a firewall that only lets https out, the common alternative,
/// Bitbucket Data Center and Gerrit. Any other could be a database or a mail server that dislikes being greeted.
const SSH_PORTS: [u16; 5] = [22, 443, 2222, 7999, 29418];

/// What the operator lets repositories be fetched from, beyond public https and ssh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether `file://` directories, and http, https and ssh to this very machine, may be fetched. Never to be set where
    /// strangers register repositories: they could then read whatever this process can.
    pub allow_local: bool,
}

/// An address that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("repository address `{text}` is not accepted: {why}")]
pub struct InvalidUrl {
    /// The address without what could be a password, clipped, with control characters escaped.
    pub text: String,
    /// What is wrong, and what to write instead.
    pub why: Cow<'static, str>,
}

impl InvalidUrl {
    fn new(text: &str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { text: redacted(text), why: why.into() }
    }
}

/// How a repository is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Git's smart protocol inside TLS.
    Https,
    /// Git's own protocol through ssh.
    Ssh,
    /// Git's smart protocol in the clear; only to this machine.
    Http,
    /// A directory of this machine.
    File,
}

impl Scheme {
    /// The name before `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Ssh => "ssh",
            Self::Http => "http",
            Self::File => "file",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Ssh => 22,
            Self::Http => 80,
            Self::File => 0,
        }
    }
}

/// The address of a repository, known to be harmless to print, log and fetch. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryUrl {
    text: String,
    scheme: Scheme,
    /// A name or an address, IPv6 without brackets; empty for [`Scheme::File`].
    host: String,
    /// 0 for [`Scheme::File`].
    port: u16,
}

impl RepositoryUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Whatever is not plainly https, ssh or `git@host:path`, carries a password, or leads to an internal host.
    pub fn parse(text: &str, access: Access) -> Result<Self, InvalidUrl> {
        parse(text, access).map_err(|why| InvalidUrl::new(text, why))
    }

    /// The address of the directory `path`, which must be absolute.
    ///
    /// # Errors
    /// If local repositories are not allowed or the path is relative.
    pub fn from_directory(path: &Path, access: Access) -> Result<Self, InvalidUrl> {
        match Url::from_file_path(path) {
            Ok(url) => Self::parse(url.as_str(), access),
            Err(()) => Err(InvalidUrl::new(&path.to_string_lossy(), "write an absolute path")),
        }
    }

    /// The address as every part of the program prints it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How to speak to it.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, IPv6 without brackets; empty for a directory.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port; 0 for a directory.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path on the host, without the first slash.
    pub fn path(&self) -> &str {
        let rest = self.text.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        rest.map_or("", |(_, path)| path)
    }

    /// The directory of a `file://` address.
    pub fn directory(&self) -> Option<PathBuf> {
        Url::parse(&self.text).ok().filter(|_| self.scheme == Scheme::File)?.to_file_path().ok()
    }

    /// Asks the system's resolver for the addresses of the host. Blocks; a directory has none.
    ///
    /// # Errors
    /// If the name does not resolve.
    pub fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        match self.scheme {
            Scheme::File => Ok(Vec::new()),
            Scheme::Https | Scheme::Ssh | Scheme::Http => {
                (self.host.as_str(), self.port).to_socket_addrs().map(Iterator::collect)
            }
        }
    }

    /// Checks what the host's name resolved to, right before connecting: a name can be public today and internal now.
    ///
    /// # Errors
    /// If any of the addresses is not allowed, since the connection could go to any of them; or if there is none; or if this
    /// is a directory, and those are not allowed.
    pub fn check_addresses(&self, resolved: &[IpAddr], access: Access) -> Result<(), InvalidUrl> {
        match (self.scheme, access.allow_local) {
            (Scheme::File, true) => return Ok(()),
            (Scheme::File, false) => return Err(InvalidUrl::new(&self.text, "use https:// or ssh://")),
            (Scheme::Https | Scheme::Ssh | Scheme::Http, _) => {}
        }
        if resolved.is_empty() {
            return Err(InvalidUrl::new(&self.text, "its host has no address"));
        }
        let public_is_fine = self.scheme != Scheme::Http;
        let is_allowed = |ip: &IpAddr| {
            (public_is_fine && addresses::is_public(*ip)) || (access.allow_local && addresses::is_loopback(*ip))
        };
        match resolved.iter().find(|ip| !is_allowed(ip)) {
            Some(ip) => {
                Err(InvalidUrl::new(&self.text, format!("its host leads to {ip}, which is not a public address")))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

type Why = Cow<'static, str>;

fn parse(text: &str, access: Access) -> Result<RepositoryUrl, Why> {
    if text.is_empty() || text.len() > URL_BYTES_MAX {
        return Err("use 1 to 2048 bytes".into());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("use ASCII without spaces or control characters (hosts as xn--, paths percent-encoded)".into());
    }
    if text.contains(['\\', '?', '#']) {
        return Err("leave out backslashes, `?` and `#`".into());
    }
    let (scheme, rest) = split_scheme(text)?;
    match (scheme, access.allow_local) {
        (Scheme::File | Scheme::Http, false) => Err("use https:// or ssh://".into()),
        (Scheme::File, true) => parse_file(&rest),
        (Scheme::Https | Scheme::Ssh | Scheme::Http, _) => parse_network(scheme, &rest, access),
    }
}

/// Splits off the scheme; `git@host:path` becomes what follows `ssh://`.
fn split_scheme(text: &str) -> Result<(Scheme, Cow<'_, str>), Why> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let known = [Scheme::Https, Scheme::Ssh, Scheme::Http, Scheme::File];
        let scheme = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(scheme));
        return Ok((scheme.ok_or("use https:// or ssh://")?, rest.into()));
    }
    match text.split_once(':') {
        Some((login, path)) if login.contains('@') && !login.contains('/') && !path.starts_with(':') => {
            Ok((Scheme::Ssh, format!("{login}/{}", path.trim_start_matches('/')).into()))
        }
        Some(_) | None => Err("write https://host/path, ssh://git@host/path or git@host:path".into()),
    }
}

fn parse_file(path: &str) -> Result<RepositoryUrl, Why> {
    let text = format!("file://{path}");
    if !path.starts_with('/') || Url::parse(&text).ok().is_none_or(|url| url.as_str() != text) {
        return Err("write file:// and an absolute path without `..`".into());
    }
    Ok(RepositoryUrl { text, scheme: Scheme::File, host: String::new(), port: 0 })
}

fn parse_network(scheme: Scheme, rest: &str, access: Access) -> Result<RepositoryUrl, Why> {
    let (authority, path) = rest.split_once('/').ok_or("name the repository after the host")?;
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host_port)) if scheme == Scheme::Ssh => (check_user(user)?, host_port),
        Some(_) => {
            return Err("leave the user and password out of the address; they belong in the planner's own keys".into());
        }
        None if scheme == Scheme::Ssh => ("git", authority),
        None => ("", authority),
    };
    let (host, port) = split_port(host_port)?;
    let host = Host::parse(host)
        .ok()
        .filter(|parsed| parsed.to_string().eq_ignore_ascii_case(host))
        .ok_or("write the host as a plain name or a dotted address, without escapes or other spellings of a number")?;
    let is_this_machine = addresses::check_host(&host, access)?;
    if scheme == Scheme::Http && !is_this_machine {
        return Err("use https://".into());
    }
    let port = port.unwrap_or(scheme.default_port());
    let ports: &[u16] = if scheme == Scheme::Ssh { &SSH_PORTS } else { &HTTPS_PORTS };
    if !is_this_machine && !ports.contains(&port) {
        return Err(format!("port {port} is not one of {ports:?}").into());
    }
    let path = check_path(path)?;
    let at = if user.is_empty() { "" } else { "@" };
    let colon_port = if port == scheme.default_port() { String::new() } else { format!(":{port}") };
    let text = format!("{}://{user}{at}{host}{colon_port}/{path}", scheme.as_str());
    let host = host.to_string();
    let host = host.trim_matches(['[', ']']).to_owned();
    Ok(RepositoryUrl { text, scheme, host, port })
}

/// A login name, and nothing that ssh could take for an option or a password.
fn check_user(user: &str) -> Result<&str, Why> {
    if user.contains(':') {
        return Err("leave the password out of the address".into());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if user.is_empty() || user.starts_with('-') || !user.bytes().all(plain) {
        return Err("write the user in letters, digits, dashes, dots and underscores".into());
    }
    Ok(user)
}

fn split_port(host_port: &str) -> Result<(&str, Option<u16>), Why> {
    // In `[::1]:22` the last colon separates the port; in `[::1]` it does not.
    match host_port.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        None => Ok((host_port, None)),
        Some((host, port)) => {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port > 0);
            Ok((host, Some(port.ok_or("write the port as a number from 1 to 65535")?)))
        }
    }
}

/// The path without a last slash, of segments that mean themselves to every program that might read them.
fn check_path(path: &str) -> Result<&str, Why> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_odd = |segment: &str| segment.is_empty() || segment == "." || segment == ".." || segment.starts_with('-');
    if path.split('/').any(is_odd) {
        return Err("write a path whose parts are not empty, `.`, `..` or starting with a dash".into());
    }
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => matches!((bytes.next(), bytes.next()), (Some(high), Some(low)) if is_harmless_escape(high, low)),
            other => other.is_ascii_alphanumeric() || b"-._~/+@:,=".contains(&other),
        };
        if !fine {
            return Err("write the path in letters, digits, `-._~/+@:,=` and percent escapes".into());
        }
    }
    Ok(path)
}

/// Whether `%` with these digits stands for a space or a letter beyond ASCII: the others are either needless or dangerous.
fn is_harmless_escape(high: u8, low: u8) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    matches!((digit(high), digit(low)), (Some(high), Some(low)) if high >= 8 || (high, low) == (2, 0))
}

/// `text` fit for an error: whatever might be a password or a token is gone.
fn redacted(text: &str) -> String {
    let (text, rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let (scheme, rest_of_text) = text.split_at(text.find("://").map_or(0, |at| at + "://".len()));
    let (secret, shown) = rest_of_text.split_at(rest_of_text.rfind('@').unwrap_or(0));
    let hidden = if secret.is_empty() { "" } else { "***" };
    let dropped = if rest.is_empty() { "" } else { "?***" };
    let whole = format!("{scheme}{hidden}{shown}{dropped}");
    whole.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
