//! A stack whose server knows the roles by their keys and allows each no more than it needs.

use std::path::{Path, PathBuf};

use broker::permissions::Role;

use super::Stack;

/// Below the folder of the services, where the server finds it.
const FOLDER: &str = "keys";

impl Stack {
    /// From now on the server takes nobody without a key, and every process gets the key of its role.
    pub async fn require_keys(&mut self) {
        let folder = self.folder("services").join(FOLDER);
        let process = self.run("keys", ["topology".as_ref(), "--auth".as_ref(), folder.as_os_str()]).start().await;
        let status = process.exited().await;
        assert!(status.success(), "elder topology --auth ended with {status}:\n{}", process.log());
        self.nats.include_users(&format!("{FOLDER}/auth.conf"));
        self.nats.restart().await.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// The file with the key of a role, after [`Stack::require_keys`].
    pub fn key(&self, role: Role) -> PathBuf {
        self.folder("services").join(FOLDER).join(format!("{}.nkey", role.as_str()))
    }

    /// What a process called `name` is started with: `worker-1` is a worker, whatever is no role the operator's.
    pub(super) fn key_of_process(&self, name: &str) -> Option<PathBuf> {
        let key = self.key(Role::of_process(name.split('-').next().unwrap_or_default()));
        Path::exists(&key).then_some(key)
    }
}
