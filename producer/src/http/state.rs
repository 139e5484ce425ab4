//! What handlers share: the record, the queue, the rules, and a memory of projects for when the record is away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use broker::error::StoreError;
use broker::store::projects::Project;
use broker::{Bus, Store};
use schemas::catalogue::Catalogue;
use schemas::ids::ProjectSlug;
use secrecy::SecretString;
use tokio::sync::{Semaphore, mpsc};

use super::body::BODIES_KIB_MAX;
use super::metrics::Metrics;
use super::pressure::Pressure;
use crate::repository_url::Access;
use crate::supersede::{self, Branch, Pushed};

/// Projects remembered for webhooks that come while the database is away; at about 1 KiB each this stays small.
const PROJECTS_REMEMBERED_MAX: usize = 10_000;

/// What handlers share. Clones share it too.
#[derive(Clone)]
pub(crate) struct Shared(Arc<State>);

pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) catalogue: Catalogue,
    pub(crate) api_token: SecretString,
    pub(crate) access: Access,
    pub(crate) bodies: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    pub(crate) pressure: Pressure,
    pub(crate) pushed: Pushed,
    remembered: Mutex<HashMap<ProjectSlug, Project>>,
}

impl std::ops::Deref for Shared {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

impl Shared {
    pub(crate) fn new(
        store: Store,
        bus: Bus,
        catalogue: Catalogue,
        api_token: SecretString,
        access: Access,
        pressure: Pressure,
    ) -> (Self, mpsc::Receiver<Branch>) {
        let (pushed, branches) = supersede::channel();
        let bodies = Arc::new(Semaphore::new(BODIES_KIB_MAX));
        let (metrics, remembered) = (Metrics::new(), Mutex::default());
        let state = State { store, bus, catalogue, api_token, access, bodies, metrics, pressure, pushed, remembered };
        (Self(Arc::new(state)), branches)
    }

    /// A project from the record; or as it was last seen if the record is away, with the error that says so.
    pub(crate) async fn project(
        &self,
        slug: &ProjectSlug,
    ) -> Result<(Option<Project>, Option<StoreError>), StoreError> {
        match self.store.project(slug).await {
            Ok(project) => {
                self.remember(slug, project.as_ref());
                Ok((project, None))
            }
            Err(error) if error.is_transient() => {
                let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(slug).cloned();
                match remembered {
                    Some(project) => Ok((Some(project), Some(error))),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn remember(&self, slug: &ProjectSlug, project: Option<&Project>) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        match project {
            Some(project) if remembered.len() < PROJECTS_REMEMBERED_MAX || remembered.contains_key(slug) => {
                remembered.insert(slug.clone(), project.clone());
            }
            Some(_) => {}
            None => {
                remembered.remove(slug);
            }
        }
    }
}
