//! A NATS client for tests.

use async_nats::{Client, ConnectError, ConnectOptions, ServerAddr};

/// Connects with the user and password of the address, which async-nats itself does not look at.
pub async fn connect(url: &str) -> Client {
    connected(url).await.unwrap_or_else(|error| panic!("failed to connect to {url}: {error}"))
}

/// The same; nothing while no server takes us.
pub async fn try_connect(url: &str) -> Option<Client> {
    connected(url).await.ok()
}

async fn connected(url: &str) -> Result<Client, ConnectError> {
    let servers = url.split(',').map(|server| server.parse().expect("the address of a server is a URL"));
    let servers: Vec<ServerAddr> = servers.collect();
    let (user, password) = (servers[0].username().unwrap_or_default(), servers[0].password().unwrap_or_default());
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    options.connect(servers.as_slice()).await
}
