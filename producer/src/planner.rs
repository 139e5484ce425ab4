//! The planner: a request becomes a plan in the record, with its bundles in the object store before its tasks exist.

mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::error::{BusError, StoreError, chain};
use broker::failpoint::{self, Step};
use broker::heartbeat::Heartbeats;
use broker::lease::Lease;
use broker::store::audits::Audit;
use broker::store::plan::{Plan, PlannedShard};
use broker::store::projects::Project;
use broker::subject::{Origin, Subject};
use broker::subscription::Subscription;
use broker::{Bus, Store, parts, topology};
use schemas::catalogue::{Catalogue, Ruleset};
use schemas::day::Day;
use schemas::dead_letter::{Cause, DeadLetter};
use schemas::magic::Magic;
use schemas::request::AuditRequest;
use schemas::retry::ErrorClass;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use self::request::{audit_id, misplaced, request_of};
use crate::bundle::{Bundle, PackError, pack};
use crate::config::PlannerArgs;
use crate::intake::{Asker, admit};
use crate::mirror::{Credentials, Mirror, MirrorError, Mirrors, Verdict};
use crate::plan::{Cached, Trees, Work, arrange, survey, without_messages};
use crate::repository_url::{Access, InvalidUrl, RepositoryUrl};
use crate::sharding::ShardLimits;
use crate::{dispatcher, fires, reconciler, schedules, supersede};

/// Plans made for one request where newer pushes change what is to be planned meanwhile; then the reconciler asks again.
const PLANS_MAX: usize = 3;

/// What planning needs. Clones share it.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) access: Access,
    pub(crate) catalogue: Arc<Catalogue>,
    limits: ShardLimits,
    heartbeats: Heartbeats,
}

/// Why an audit could not be planned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    #[error(transparent)]
    Pack(#[from] PackError<MirrorError>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error("planning was cut off")]
    Cut(#[from] tokio::task::JoinError),
}

impl PlanError {
    /// What went wrong, which says how often trying again can help; nothing if it cannot help at all.
    pub(crate) fn class(&self) -> Option<ErrorClass> {
        match self {
            // What an address may be is ours to say, and said at once.
            Self::Url(_) | Self::Mirror(MirrorError::Url(_)) => None,
            Self::Mirror(error) | Self::Pack(PackError::Read { source: error, .. }) => match error.verdict() {
                Verdict::Retry => Some(ErrorClass::Transient),
                // A copy of a repository, too, may be behind what its forge has told us.
                Verdict::Reject => Some(ErrorClass::Repository),
            },
            Self::Store(error) if error.is_transient() => Some(ErrorClass::Transient),
            Self::Pack(_) | Self::Store(_) => Some(ErrorClass::Repository),
            Self::Bus(_) => Some(ErrorClass::Transient),
            Self::Cut(error) if error.is_cancelled() => Some(ErrorClass::Transient),
            Self::Cut(_) => Some(ErrorClass::Analyzer),
        }
    }

    /// The class, if there is to be one more try.
    fn retry_class(&self, attempts: u64) -> Option<ErrorClass> {
        self.class().filter(|class| attempts < class.attempts_max())
    }
}

/// Plans, dispatches, reconciles and relays until `stop` is cancelled; then finishes the plans under way.
///
/// # Errors
/// If the mirrors' folder cannot be used, or a part of it panicked: a planner without its dispatcher would look alive and
/// do nothing.
pub async fn run(
    args: &PlannerArgs,
    store: Store,
    bus: Bus,
    catalogue: Catalogue,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let PlannerArgs { mirrors, ssh_key, plans_at_once, shard_files, dispatch, lost_after_secs, access } = args;
    let access = Access { allow_local: access.allow_local };
    let mirrors = Arc::new(Mirrors::open(mirrors, access, Credentials { ssh_key: ssh_key.clone() })?);
    let limits = ShardLimits { files_max: *shard_files, ..ShardLimits::default() };
    let catalogue = Arc::new(catalogue);
    let timetable = schedules::run(store.clone(), Arc::clone(&catalogue), stop.clone());
    // No steps are counted here: fetching and packing have limits of their own.
    let heartbeats = bus.heartbeats(Duration::MAX)?;
    let planner = Planner { store: store.clone(), bus: bus.clone(), mirrors, access, catalogue, limits, heartbeats };
    let plans = TaskTracker::new();
    let mut parts = JoinSet::new();
    parts.spawn(timetable);
    parts.spawn(fires::run(planner.clone(), stop.clone()));
    parts.spawn(broker::relay::run(store, bus.clone(), stop.clone()));
    parts.spawn(dispatcher::run(planner.clone(), dispatch.settings(), stop.clone()));
    let lost_after = Duration::from_secs(*lost_after_secs);
    parts.spawn(reconciler::run(planner.clone(), lost_after, stop.clone()));
    let slots = Arc::new(Semaphore::new(usize::try_from(*plans_at_once)?));
    let mut requests = Subscription::new(bus, topology::PLANNER);
    tracing::info!("planning");
    loop {
        // A slot first, then a message: one that is taken before it can be worked on only gets old.
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let Some(leases) = Box::pin(parts::while_whole(requests.next(1, &stop), &mut parts)).await? else { break };
        let planner = planner.clone();
        plans.spawn(async move {
            for lease in leases {
                planner.handle(lease).await;
            }
            drop(slot);
        });
    }
    plans.close();
    plans.wait().await;
    Ok(parts::all(parts).await?)
}

impl Planner {
    pub(crate) async fn handle(&self, mut lease: Lease) {
        lease.keep_alive(&self.heartbeats, &Arc::default());
        let span = tracing::info_span!("plan", trace_id = %lease.trace());
        let ended = self.settle(lease).instrument(span).await;
        if let Err(error) = ended {
            tracing::warn!(error = %chain(&error), "a request will come again");
        }
    }

    /// Deals with one request and ends its lease.
    async fn settle(&self, lease: Lease) -> Result<(), BusError> {
        let (subject, request) = match lease.read::<AuditRequest>() {
            Ok(read) => read,
            Err(error) => return self.bury(lease, Cause::Undecodable, &error.to_string()).await,
        };
        if let Some((cause, reason)) = misplaced(&subject, &request) {
            return self.bury(lease, cause, &reason).await;
        }
        let outcome = self.plan_or_record(&lease, &subject, &request).await;
        match outcome {
            Ok(None) => lease.done().await,
            Ok(Some(refusal)) => self.bury(lease, Cause::Refused, &refusal).await,
            Err(error) => match error.retry_class(lease.attempts()) {
                Some(class) => {
                    let reason = chain(&error);
                    tracing::warn!(error = %reason, class = class.as_str(), project = %request.project, "planning waits");
                    lease.retry(class).await
                }
                None => self.fail(lease, &subject, &request, &error).await,
            },
        }
    }

    /// Records a request that has no record yet, or plans one that has. `Some` is why it can never be planned.
    async fn plan_or_record(
        &self,
        lease: &Lease,
        subject: &Subject,
        request: &AuditRequest,
    ) -> Result<Option<String>, PlanError> {
        let Some(project) = self.store.project(&request.project).await? else {
            return Ok(Some(format!("there is no project `{}`; register it first", request.project)));
        };
        let id = audit_id(lease, subject, request);
        let fired = matches!(subject, Subject::Fire(..));
        let Some(audit) = self.store.audit(id).await? else {
            let asker = Asker {
                requested_by: if fired { "schedule" } else { "nats" },
                audit: id,
                trace: lease.trace(),
                branch: None,
            };
            return self.record(&project, request, asker).await;
        };
        if fired {
            // Delivered again. Its request is on its way since it was recorded.
            return Ok(None);
        }
        if audit.project_id != Some(project.id) {
            return Ok(Some(format!("audit {id} does not belong to project `{}`", request.project)));
        }
        for _ in 0..PLANS_MAX {
            let Some(audit) = supersede::to_plan(&self.store, id).await? else { break };
            if self.plan(&project, &audit).await? {
                break;
            }
        }
        Ok(None)
    }

    async fn record(
        &self,
        project: &Project,
        request: &AuditRequest,
        asker: Asker,
    ) -> Result<Option<String>, PlanError> {
        let new = match admit(request.clone(), asker, &self.catalogue) {
            Ok(new) => new,
            Err(refused) => return Ok(Some(refused.to_string())),
        };
        self.store.record_audit(project, &new).await?;
        tracing::info!(audit_id = %new.id, project = %project.slug, "audit requested");
        Ok(None)
    }

    /// Plans an audit. Returns whether it is dealt with: if not, it was stopped or changed meanwhile.
    async fn plan(&self, project: &Project, audit: &Audit) -> Result<bool, PlanError> {
        let request = request_of(audit);
        let url = RepositoryUrl::parse(&project.repository_url, self.access)?;
        let (mirrors, magics, id) = (Arc::clone(&self.mirrors), audit.magics.clone(), project.id);
        let wanted = audit.revision.as_ref().and_then(|revision| revision.as_str().parse().ok());
        let (catalogue, day) = (Arc::clone(&self.catalogue), Day::of(audit.created_at));
        let looked = blocking(move || {
            let mirror = mirrors.fetch(id, &url, wanted.as_ref())?;
            let survey = match survey(&mirror, &request, &magics, &catalogue, day) {
                // Nothing was ever pushed: an audit of nothing, not a failure.
                Err(MirrorError::Empty) => return Ok(None),
                survey => survey?,
            };
            Ok(Some((mirror, survey)))
        });
        let Some((mirror, survey)) = looked.await? else {
            self.store.fail_audit(audit.id, "the repository is empty: there is nothing to audit").await?;
            return Ok(true);
        };
        let mut rulesets = survey.wishes.settings.rulesets(&self.catalogue);
        rulesets.retain(|magic, _| audit.magics.contains(magic));
        let (cached, trees) = self.look_up(project, &survey, &rulesets).await?;
        let (magics, limits) = (rulesets.keys().copied().collect(), self.limits);
        let commit = survey.commit.clone();
        let packed = blocking(move || {
            let work = arrange(&mirror, &survey, cached, trees, &magics, limits)?;
            let bundles = pack_all(&mirror, &work)?;
            Ok((work, bundles))
        });
        let (work, bundles) = packed.await?;
        let shards = self.put(&work, bundles).await?;
        let Work { known, trees, extent, .. } = work;
        let plan = Plan { commit, shards, trees, known, rulesets, extent };
        failpoint::reach_store(Step::PlannerBeforeStart).await?;
        let is_started = self.store.start_as_planned(audit, &plan).await?;
        failpoint::reach_store(Step::PlannerAfterStart).await?;
        tracing::info!(audit_id = %audit.id, project = %project.slug, shards = plan.shards.len(), ?extent,
            is_started, "audit planned");
        Ok(is_started)
    }

    /// What the result cache knows of each magic's items, and of the whole tree for magics that judge it.
    async fn look_up(
        &self,
        project: &Project,
        survey: &crate::plan::Survey,
        rulesets: &BTreeMap<Magic, Ruleset>,
    ) -> Result<(Cached, Trees), PlanError> {
        let (mut cached, mut trees) = (Cached::new(), Trees::new());
        for (magic, ruleset) in rulesets {
            for &input in magic.inputs() {
                let items = survey.items(input);
                let known = self.store.cached_results(project.id, *magic, &ruleset.items, &items).await?;
                cached.insert((*magic, input), known);
            }
            if let Some(tree) = &ruleset.tree {
                let known = self.store.cached_results(project.id, *magic, tree, &[survey.tree()]).await?;
                trees.insert(*magic, known.into_values().next());
            }
        }
        Ok((cached, trees))
    }

    /// Stores the bundles; only then may tasks speak of them.
    async fn put(&self, work: &Work, bundles: Vec<Bundle>) -> Result<Vec<PlannedShard>, PlanError> {
        let mut shards = Vec::new();
        for (cut, bundle) in work.cuts.iter().zip(bundles) {
            self.bus.put_object(&bundle.digest, &bundle.bytes).await?;
            let (manifest, magics) = (without_messages(&cut.manifest), cut.magics.clone());
            shards.push(PlannedShard { bundle: bundle.digest, manifest, magics, cost: cut.cost });
        }
        Ok(shards)
    }

    /// Ends an audit that cannot be planned, with the reason in its record; if that works, its request is dealt with.
    async fn fail(
        &self,
        lease: Lease,
        subject: &Subject,
        request: &AuditRequest,
        error: &PlanError,
    ) -> Result<(), BusError> {
        let reason = chain(error);
        tracing::warn!(error = %reason, project = %request.project, "audit failed");
        let failed = self.store.fail_audit(audit_id(&lease, subject, request), &reason).await;
        match failed {
            Ok(()) => lease.done().await,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the failure could not be recorded; trying again");
                lease.retry(ErrorClass::Transient).await
            }
        }
    }

    async fn bury(&self, lease: Lease, cause: Cause, reason: &str) -> Result<(), BusError> {
        tracing::warn!(reason, "request refused");
        let letter = DeadLetter::new(lease.subject_text(), cause, reason, lease.attempts(), lease.body());
        // First where it outlives the queue; what is copied from there later changes nothing.
        if let Err(error) = self.store.keep_dead_letter(&letter, lease.trace()).await {
            tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
            return lease.retry(ErrorClass::Transient).await;
        }
        self.bus.bury(Origin::Request, &letter, lease.trace()).await?;
        lease.give_up().await
    }
}

/// Runs git and compression where they block nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PlanError> + Send + 'static,
) -> Result<T, PlanError> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work)).await?
}

fn pack_all(mirror: &Mirror, work: &Work) -> Result<Vec<Bundle>, PlanError> {
    let pack_one = |cut: &crate::plan::Cut| Ok(pack_from(mirror, &cut.manifest)?);
    work.cuts.iter().map(pack_one).collect()
}

/// Packs what a manifest names out of a mirror.
pub(crate) fn pack_from(
    mirror: &Mirror,
    manifest: &schemas::bundle::Manifest,
) -> Result<Bundle, PackError<MirrorError>> {
    pack(manifest, |file| mirror.read_blob(&file.blob, schemas::bundle::FILE_BYTES_MAX))
}
