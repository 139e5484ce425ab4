//! The message server: how it is reached, again and again, and that its credentials stay out of sight.

use std::path::Path;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::NatsArgs;
use crate::error::BusError;
use crate::permissions::{self, Role};

/// How often the server must show that it lives. After two missed answers the client goes to another server: one that
/// hangs without closing its connections would otherwise keep us for minutes.
const PING_PERIOD: Duration = Duration::from_secs(4);

/// Where the server is, and who we are to it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: SecretString,
    key: Option<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    seed: SecretString,
    role: Role,
}

impl Server {
    /// One address, or several separated by commas, and the key of the role if there is one.
    pub(crate) fn new(args: &NatsArgs, role: Role) -> Result<Self, BusError> {
        let key = args.nats_nkey.as_deref().map(|file| seed(file).map(|seed| Key { seed, role }));
        Ok(Self { url: args.nats_url.clone(), key: key.transpose()? })
    }

    /// Under which name requests about streams go.
    pub(crate) fn api_prefix(&self) -> &'static str {
        self.key.as_ref().map_or(permissions::API, |key| key.role.api_prefix())
    }

    /// Whether streams that are missing may be made. Without keys every role may do everything, and whoever notices first
    /// that one is missing makes it.
    pub(crate) fn restores(&self) -> bool {
        self.key.as_ref().is_none_or(|key| key.role.restores())
    }

    /// Connects, and goes on reconnecting for ever, with a pause that grows to two seconds.
    pub(crate) async fn connect(&self, role: &str) -> Result<Client, BusError> {
        self.connect_with(self.options(role)).await
    }

    /// The same, without waiting for the first connection.
    pub(crate) async fn connect_lazily(&self, role: &str) -> Result<Client, BusError> {
        self.connect_with(self.options(role).retry_on_initial_connect()).await
    }

    fn options(&self, role: &str) -> ConnectOptions {
        let options = match &self.key {
            Some(Key { seed, role }) => {
                ConnectOptions::with_nkey(seed.expose_secret().to_owned()).custom_inbox_prefix(role.inbox_prefix())
            }
            None => credentials(self.url.expose_secret()),
        };
        options
            .name(format!("elder {role}"))
            .ping_interval(PING_PERIOD)
            .event_callback(|event| async move { log_event(&event) })
            .reconnect_delay_callback(|attempts| Duration::from_millis(u64::min(2_000, 50 * attempts as u64)))
    }

    async fn connect_with(&self, options: ConnectOptions) -> Result<Client, BusError> {
        let url = self.url.expose_secret();
        let connected = options.connect(url.split(',').map(str::to_owned).collect::<Vec<_>>()).await;
        connected.map_err(|source| BusError::Connect { server: without_credentials(url), source })
    }
}

/// The first line of a key file that is not a comment.
fn seed(file: &Path) -> Result<SecretString, BusError> {
    let failed = |reason: String| BusError::Key { file: file.display().to_string(), reason };
    let text = SecretString::from(std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?);
    let lines = text.expose_secret().lines().map(str::trim);
    // A user's seed begins so; what is wrong with the rest of it the client says.
    let seed =
        lines.into_iter().find(|line| !line.is_empty() && !line.starts_with('#')).filter(|seed| seed.starts_with("SU"));
    seed.map(SecretString::from).ok_or_else(|| failed("it holds no seed of a user".to_owned()))
}

/// The user and password, or the token, of the first server that names one: the client leaves them where they stand.
fn credentials(url: &str) -> ConnectOptions {
    let servers = url.split(',').filter_map(|server| server.parse::<ServerAddr>().ok());
    let Some(server) = servers.into_iter().find(ServerAddr::has_user_pass) else {
        return ConnectOptions::new();
    };
    let user = server.username().unwrap_or_default().to_owned();
    match server.password() {
        Some(password) => ConnectOptions::with_user_and_password(user, password.to_owned()),
        None => ConnectOptions::with_token(user),
    }
}

/// The servers of a NATS URL, with user and password left out.
fn without_credentials(url: &str) -> String {
    let hosts = url.split(',').map(|server| server.rsplit('@').next().unwrap_or(server));
    hosts.collect::<Vec<_>>().join(",")
}

fn log_event(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Closed => tracing::debug!("connection to NATS closed"),
        Event::Disconnected => tracing::warn!("lost NATS; reconnecting"),
        other => tracing::warn!(event = %other, "NATS connection"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_out_of_errors() {
        assert_eq!(without_credentials("nats://user:secret@a:1,nats://token@b:2"), "a:1,b:2");
        assert_eq!(without_credentials("nats://a:1"), "nats://a:1");
    }
}
