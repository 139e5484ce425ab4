//! Projects: the repositories that may be audited.

use schemas::ids::ProjectSlug;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{Store, parsed};
use crate::error::StoreError;

/// What stands for the status of a project of which no audit has ended.
pub const NEVER_AUDITED: &str = "never_audited";

/// A registered repository.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its key in the record.
    pub id: Uuid,
    /// Its name in URLs and subjects.
    pub slug: ProjectSlug,
    /// Its name for people.
    pub name: String,
    /// Where it is cloned from; never with credentials in it.
    pub repository_url: String,
    /// The kind of forge: `github` or `git`.
    pub provider: String,
    /// The team it belongs to.
    pub team: Option<String>,
    /// The branch that counts, if the forge does not say.
    pub default_branch: Option<String>,
    /// What webhook deliveries are signed with.
    pub webhook_secret: SecretString,
}

impl Project {
    pub(super) fn from_row(row: &PgRow) -> Result<Self, StoreError> {
        let failed = |error| StoreError::of("read a project", error);
        Ok(Self {
            id: row.try_get("id").map_err(failed)?,
            slug: parsed("project slug", row.try_get("slug").map_err(failed)?)?,
            name: row.try_get("name").map_err(failed)?,
            repository_url: row.try_get("repository_url").map_err(failed)?,
            provider: row.try_get("provider").map_err(failed)?,
            team: row.try_get("team_id").map_err(failed)?,
            default_branch: row.try_get("default_branch").map_err(failed)?,
            webhook_secret: row.try_get::<String, _>("webhook_secret").map_err(failed)?.into(),
        })
    }
}

/// A project with how its latest audit came out.
#[derive(Debug, Clone)]
pub struct ProjectSummary {
    /// The project.
    pub project: Project,
    /// When its latest audit ended.
    pub last_audit_at: Option<time::OffsetDateTime>,
    /// 0 to 100: the score of its latest full audit, or of its latest audit if it never had a full one.
    pub score: Option<f64>,
    /// How its latest audit came out: a verdict's status, `failed` too if it could not be done, or [`NEVER_AUDITED`].
    pub status: String,
}

impl Store {
    /// Registers a project.
    ///
    /// # Errors
    /// [`StoreError::Exists`] naming the project that has the slug or the repository already.
    pub async fn insert_project(&self, project: &Project) -> Result<(), StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO projects (id, slug, name, repository_url, provider, team_id, default_branch, webhook_secret)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(project.id)
        .bind(project.slug.as_str())
        .bind(&project.name)
        .bind(&project.repository_url)
        .bind(&project.provider)
        .bind(&project.team)
        .bind(&project.default_branch)
        .bind(project.webhook_secret.expose_secret())
        .execute(&self.pool)
        .await;
        match inserted {
            Ok(_) => Ok(()),
            Err(error) => match error.as_database_error().and_then(|error| error.constraint()) {
                Some("projects_slug_key") => {
                    Err(StoreError::Exists { what: "project", name: project.slug.to_string() })
                }
                Some("projects_repository_url_key") => {
                    Err(StoreError::Exists { what: "a project for repository", name: project.repository_url.clone() })
                }
                _ => Err(StoreError::of("register a project", error)),
            },
        }
    }

    /// The project with this slug.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn project(&self, slug: &ProjectSlug) -> Result<Option<Project>, StoreError> {
        let row = sqlx::query("SELECT * FROM projects WHERE slug = $1").bind(slug.as_str()).fetch_optional(&self.pool);
        let row = row.await.map_err(|error| StoreError::of("read a project", error))?;
        row.as_ref().map(Project::from_row).transpose()
    }

    /// The project for this repository.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn project_by_repository(&self, url: &str) -> Result<Option<Project>, StoreError> {
        let row = sqlx::query("SELECT * FROM projects WHERE repository_url = $1").bind(url).fetch_optional(&self.pool);
        let row = row.await.map_err(|error| StoreError::of("read a project", error))?;
        row.as_ref().map(Project::from_row).transpose()
    }

    /// Projects by slug, with how their latest audits came out; of one team and one status where given.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn project_summaries(
        &self,
        team: Option<&str>,
        status: Option<&str>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<ProjectSummary>, StoreError> {
        let failed = |error| StoreError::of("list projects", error);
        let rows = sqlx::query(
            "SELECT p.*, latest.finished_at, coalesce(latest.status, $5) AS last_status, scored.score AS last_score
             FROM projects p
             LEFT JOIN LATERAL (
                 SELECT finished_at, CASE WHEN state = 'failed' THEN 'failed' ELSE status END AS status
                 FROM audits a
                 WHERE a.project_slug = p.slug AND a.project_id = p.id AND a.finished_at IS NOT NULL
                 ORDER BY created_at DESC LIMIT 1) latest ON true
             LEFT JOIN LATERAL (
                 SELECT score FROM audits a
                 WHERE a.project_slug = p.slug AND a.project_id = p.id AND a.score IS NOT NULL
                 ORDER BY (a.kind = 'full') DESC, created_at DESC LIMIT 1) scored ON true
             WHERE ($1::text IS NULL OR p.team_id = $1) AND ($2::text IS NULL OR coalesce(latest.status, $5) = $2)
             ORDER BY p.slug LIMIT $3 OFFSET $4",
        )
        .bind(team)
        .bind(status)
        .bind(limit)
        .bind(offset)
        .bind(NEVER_AUDITED)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                Ok(ProjectSummary {
                    project: Project::from_row(row)?,
                    last_audit_at: row.try_get("finished_at").map_err(failed)?,
                    score: row.try_get("last_score").map_err(failed)?,
                    status: row.try_get("last_status").map_err(failed)?,
                })
            })
            .collect()
    }
}
