//! A NATS client for tests.

use async_nats::{Client, ConnectOptions, ServerAddr};

/// Connects with the user and password of the address, which async-nats itself does not look at.
pub async fn connect(url: &str) -> Client {
    let address: ServerAddr = url.parse().expect("the address of a server is a URL");
    let (user, password) = (address.username().unwrap_or_default(), address.password().unwrap_or_default());
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    options.connect(address).await.unwrap_or_else(|error| panic!("failed to connect to {url}: {error}"))
}
