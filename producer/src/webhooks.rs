//! What forges tell us when something was pushed. Reading it is pure; nothing here answers a request.

pub mod github;
