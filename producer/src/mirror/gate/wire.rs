//! The connection to a server, watched: every read and write within the time, every byte counted.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::super::remote::Stop;
use super::Shared;
use crate::repository_url::Scheme;

/// Trusts what this machine trusts: the system's certificates, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name.
static SYSTEM: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "cannot read some of the certificates that this machine trusts");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "certificates that this machine trusts");
    trusting(roots)
});

/// How to speak TLS with servers that this machine trusts.
pub(in super::super) fn system_tls() -> Arc<ClientConfig> {
    Arc::clone(&SYSTEM)
}

/// How to speak TLS with servers that `roots` vouch for.
pub(in super::super) fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.expect("ring knows every version of TLS that rustls does");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A connection to the server, in the clear only where it stays on this machine.
pub(super) enum Wire<'a> {
    Plain(Watched<'a>),
    Tls(Box<StreamOwned<ClientConnection, Watched<'a>>>),
}

impl<'a> Wire<'a> {
    /// Connects, and over https makes sure who answers.
    pub(super) fn open(shared: &'a Shared) -> io::Result<Self> {
        let mut watched = Watched { stream: shared.connect()?, shared };
        let way = &shared.way;
        if way.url.scheme() != Scheme::Https {
            return Ok(Self::Plain(watched));
        }
        let name = ServerName::try_from(way.url.host().to_owned()).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::clone(&way.tls), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            if let Err(error) = tls.complete_io(&mut watched) {
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
                if let Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) = cause {
                    way.activity.stop(Stop::Untrusted(error.to_string()));
                }
                return Err(error);
            }
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, watched))))
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A bare connection that ends at the first limit it reaches.
pub(super) struct Watched<'a> {
    stream: TcpStream,
    shared: &'a Shared,
}

impl Watched<'_> {
    fn within_time<T>(&self, outcome: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &outcome
            && matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        {
            self.shared.time_left()?;
            self.shared.way.activity.stop(Stop::TimedOut(self.shared.way.limits.stall_max));
        }
        outcome
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wait = self.shared.way.limits.stall_max.min(self.shared.time_left()?);
        self.stream.set_read_timeout(Some(wait))?;
        let outcome = self.stream.read(buffer);
        let count = self.within_time(outcome)?;
        self.shared.count(count)?;
        Ok(count)
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wait = self.shared.way.limits.stall_max.min(self.shared.time_left()?);
        self.stream.set_write_timeout(Some(wait))?;
        let outcome = self.stream.write(bytes);
        self.within_time(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        super::cut(&self.stream);
    }
}
