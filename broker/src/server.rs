//! The message server: how it is reached, again and again, and that its credentials stay out of sight.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::BusError;

/// Where the server is, and who we are to it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: SecretString,
}

impl Server {
    /// One address, or several separated by commas.
    pub(crate) fn new(url: SecretString) -> Self {
        Self { url }
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
        credentials(self.url.expose_secret())
            .name(format!("elder {role}"))
            .event_callback(|event| async move { log_event(&event) })
            .reconnect_delay_callback(|attempts| Duration::from_millis(u64::min(2_000, 50 * attempts as u64)))
    }

    async fn connect_with(&self, options: ConnectOptions) -> Result<Client, BusError> {
        let url = self.url.expose_secret();
        let connected = options.connect(url.split(',').map(str::to_owned).collect::<Vec<_>>()).await;
        connected.map_err(|source| BusError::Connect { server: without_credentials(url), source })
    }
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
