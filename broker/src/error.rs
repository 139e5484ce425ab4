//! What can go wrong with the queue and the record, sorted by what a caller can do about it.

/// Something that the queue did not do.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// No connection could be made.
    #[error("cannot connect to NATS at {server}")]
    Connect {
        /// The server, without credentials.
        server: String,
        /// Why.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The key of this role cannot be used.
    #[error("cannot read a NATS key from {file}: {reason}; `elder topology --auth` writes one for each role")]
    Key {
        /// The file.
        file: String,
        /// Why, without anything out of the file.
        reason: String,
    },
    /// A stream, consumer or bucket is missing, and this role may not make it.
    #[error("a stream is missing and this role's key may not make it; a planner or `elder topology` does")]
    NotRestored,
    /// A message may or may not have been stored: publish it again with the same id.
    #[error("cannot publish on `{subject}`")]
    Publish {
        /// Where to.
        subject: String,
        /// Why.
        #[source]
        source: async_nats::jetstream::context::PublishError,
    },
    /// A stream, consumer or bucket could not be made or changed.
    #[error("cannot set up {what} `{name}`: {reason}")]
    Topology {
        /// `stream`, `consumer` or `bucket`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Messages could not be fetched.
    #[error("cannot fetch from consumer `{consumer}`: {reason}")]
    Fetch {
        /// The consumer.
        consumer: &'static str,
        /// Why.
        reason: String,
    },
    /// The thread that keeps messages alive could not be started.
    #[error("cannot start the thread for heartbeats: {reason}; raise the limit on threads or memory")]
    Heartbeats {
        /// Why.
        reason: String,
    },
    /// The last words of a process may not have been sent.
    #[error("cannot send what is left to send: {reason}")]
    Flush {
        /// Why.
        reason: String,
    },
    /// An acknowledgement may or may not have arrived; if not, the message comes again.
    #[error("cannot acknowledge message on `{subject}`: {reason}")]
    Acknowledge {
        /// Where the message was published.
        subject: String,
        /// Why.
        reason: String,
    },
    /// Messages could not be removed from a stream.
    #[error("cannot remove `{subject}` from the queue: {reason}")]
    Purge {
        /// Which messages.
        subject: String,
        /// Why.
        reason: String,
    },
    /// An object could not be read or written.
    #[error("cannot {action} object `{name}`: {reason}")]
    Object {
        /// `read` or `write`.
        action: &'static str,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// An object is not there.
    #[error("object `{0}` is not in the object store")]
    ObjectMissing(String),
    /// A small value in a bucket could not be read, written or watched.
    #[error("cannot {action} value `{name}`: {reason}")]
    Value {
        /// `read`, `write` or `watch`.
        action: &'static str,
        /// Its bucket and key.
        name: String,
        /// Why.
        reason: String,
    },
    /// A message could not be turned into JSON.
    #[error("cannot encode message for `{subject}`")]
    Encode {
        /// Where to.
        subject: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Something that the record did not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is busy: try again later.
    #[error("the database cannot {action} now")]
    Unavailable {
        /// What was asked of it.
        action: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database refuses this input, now and for ever.
    #[error("the database refuses to {action}")]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Something in the record is not what this program writes.
    #[error("cannot read {what} from the record: {reason}")]
    Corrupt {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// There is one already.
    #[error("{what} `{name}` exists already")]
    Exists {
        /// `project` or `repository`.
        what: &'static str,
        /// Which.
        name: String,
    },
}

impl StoreError {
    /// Sorts an error of the driver by whether trying again can help.
    pub(crate) fn of(action: &'static str, source: sqlx::Error) -> Self {
        if is_about_the_input(&source) {
            Self::Refused { action, source }
        } else {
            Self::Unavailable { action, source }
        }
    }

    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// SQLSTATE classes 22 (data) and 23 (constraint) and everything the driver itself could not encode or decode.
fn is_about_the_input(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => true,
        _ => false,
    }
}

/// An error with its causes, on one line: printed once, where it is dealt with.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
