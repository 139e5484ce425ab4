//! Asking the product over HTTP, as a person or a forge would.

use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::github::SignedPush;

/// How long a forge waits for an answer; who tries does not wait longer either, since the server may hang.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The product's address with a token.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    token: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The body; a text that is not JSON becomes a JSON string.
    pub body: Value,
    /// When to ask again, if it says so.
    pub retry_after: Option<String>,
}

impl Answer {
    /// The body, if the status is `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "unexpected answer: {:#}", self.body);
        self.body
    }
}

impl Api {
    /// `base` is e.g. `http://127.0.0.1:8080`.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        Self { client: Client::new(), base: base.into(), token: token.into() }
    }

    /// The same without a token, as a stranger.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { token: String::new(), ..self.clone() }
    }

    /// The address, e.g. for a WebSocket.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// GET of a text in the format that `accept` names.
    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token).header("accept", accept);
        answer(request.send().await.expect("the server answers")).await
    }

    /// GET; nothing if no answer arrives.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        try_answer(request.timeout(ANSWER_WITHIN).send().await.ok()?).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// The same; nothing if no answer arrives.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token).json(body);
        try_answer(request.timeout(ANSWER_WITHIN).send().await.ok()?).await
    }

    /// The same with more headers.
    pub async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.expect("the server answers")).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// POST of a webhook; its signature is its credential.
    pub async fn deliver(&self, path: &str, push: SignedPush) -> Answer {
        self.try_deliver(path, push).await.expect("the server answers a webhook")
    }

    /// The same; nothing if no answer arrives, e.g. since the server is killed meanwhile.
    pub async fn try_deliver(&self, path: &str, push: SignedPush) -> Option<Answer> {
        let SignedPush { headers, body } = push;
        let mut request = self.client.post(format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        try_answer(request.timeout(ANSWER_WITHIN).send().await.ok()?).await
    }

    /// Whether GET of `path` answers 200; no answer means no.
    pub async fn is_ok(&self, path: &str) -> bool {
        let request = self.client.get(format!("{}{path}", self.base));
        request.send().await.is_ok_and(|response| response.status() == 200)
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await;
        answer(response.unwrap_or_else(|error| panic!("no answer to {method} {path}: {error}"))).await
    }
}

async fn answer(response: Response) -> Answer {
    try_answer(response).await.expect("the body arrives whole")
}

async fn try_answer(response: Response) -> Option<Answer> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let text = response.text().await.ok()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Some(Answer { status, body, retry_after })
}
