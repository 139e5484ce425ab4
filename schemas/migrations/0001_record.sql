-- The record: what was asked, what is to do, what was found. JetStream may lose everything; from these rows all is made again.

CREATE TABLE projects (
    id              uuid PRIMARY KEY,
    slug            text NOT NULL UNIQUE,
    name            text NOT NULL,
    repository_url  text NOT NULL UNIQUE,
    provider        text NOT NULL,
    team_id         text,
    default_branch  text,
    webhook_secret  text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audits (
    id              uuid PRIMARY KEY,
    -- NULL for tasks published by hand, which may name a project that is not registered.
    project_id      uuid REFERENCES projects (id) ON DELETE CASCADE,
    project_slug    text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('full', 'incremental', 'ad_hoc')),
    priority        text NOT NULL CHECK (priority IN ('critical', 'high', 'normal', 'low')),
    revision        text,
    base_commit     text,
    branch          text,
    commit_sha      text,
    magics          text[] NOT NULL,
    requested_by    text NOT NULL,
    trace_id        uuid NOT NULL,
    -- queued → running → completed | partial | failed; the last three are final.
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'completed', 'partial', 'failed')),
    tasks_total     bigint NOT NULL DEFAULT 0,
    tasks_done      bigint NOT NULL DEFAULT 0,
    -- Files and commits given to workers, and those whose results were known from before.
    files_analyzed    bigint NOT NULL DEFAULT 0,
    files_cached      bigint NOT NULL DEFAULT 0,
    commits_analyzed  bigint NOT NULL DEFAULT 0,
    commits_cached    bigint NOT NULL DEFAULT 0,
    status          text CHECK (status IN ('not_applicable', 'passed', 'warning', 'failed')),
    score           double precision,
    verdict         jsonb,
    reason          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    CHECK (tasks_done <= tasks_total),
    CHECK ((state IN ('completed', 'partial', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX audits_by_project ON audits (project_slug, created_at DESC);
CREATE INDEX audits_open ON audits (created_at) WHERE state IN ('queued', 'running');

-- One row per webhook delivery ever accepted: a delivery seen before gets the first answer.
CREATE TABLE deliveries (
    provider        text NOT NULL,
    project_id      uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    delivery_id     text NOT NULL,
    event           text NOT NULL,
    audit_id        uuid REFERENCES audits (id) ON DELETE CASCADE,
    reason          text,
    received_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, project_id, delivery_id)
);

-- Messages that must be published because the transaction that wrote them committed.
CREATE TABLE outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject         text NOT NULL,
    message_id      text NOT NULL,
    trace_id        uuid NOT NULL,
    body            jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- What is in a shard, so that its bundle can be packed again from the mirror.
CREATE TABLE shards (
    audit_id        uuid NOT NULL REFERENCES audits (id) ON DELETE CASCADE,
    shard           integer NOT NULL CHECK (shard > 0),
    bundle          text NOT NULL,
    manifest        jsonb NOT NULL,
    PRIMARY KEY (audit_id, shard)
);

CREATE TABLE tasks (
    audit_id        uuid NOT NULL REFERENCES audits (id) ON DELETE CASCADE,
    -- Planned tasks count from 1; tasks published by hand may use 0 too.
    shard           integer NOT NULL CHECK (shard >= 0),
    magic           text NOT NULL,
    -- ready → published → done; the reconciler turns published into ready again when the queue has lost it.
    state           text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'published', 'done')),
    generation      integer NOT NULL DEFAULT 0,
    published_at    timestamptz,
    done_at         timestamptz,
    PRIMARY KEY (audit_id, shard, magic)
);
CREATE INDEX tasks_ready ON tasks (audit_id, shard, magic) WHERE state = 'ready';
CREATE INDEX tasks_published ON tasks (published_at) WHERE state = 'published';

-- One row per task result ever merged; the key is what makes redelivery harmless. Shard 0 is the planner's own.
CREATE TABLE results (
    audit_id        uuid NOT NULL REFERENCES audits (id) ON DELETE CASCADE,
    shard           integer NOT NULL,
    magic           text NOT NULL,
    digest          text NOT NULL,
    tally           jsonb NOT NULL,
    merged_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (audit_id, shard, magic)
);

CREATE TABLE findings (
    audit_id             uuid NOT NULL REFERENCES audits (id) ON DELETE CASCADE,
    fingerprint          text NOT NULL,
    content_fingerprint  text NOT NULL,
    magic                text NOT NULL,
    rule                 text NOT NULL,
    severity             text NOT NULL,
    severity_rank        smallint NOT NULL,
    confidence_permille  smallint NOT NULL,
    path                 text,
    line                 integer,
    commit_sha           text,
    detail               jsonb NOT NULL,
    PRIMARY KEY (audit_id, fingerprint)
);
CREATE INDEX findings_worst_first ON findings (audit_id, severity_rank DESC, path, line);

-- The result cache: what one (path, blob) or commit gave under one rule set. Kept per project, so no project sees another's.
CREATE TABLE item_results (
    project_id      uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    magic           text NOT NULL,
    ruleset         text NOT NULL,
    path            text NOT NULL,
    object          text NOT NULL,
    result          jsonb NOT NULL,
    PRIMARY KEY (project_id, magic, ruleset, object, path)
);

CREATE TABLE dead_letters (
    id              text PRIMARY KEY,
    subject         text NOT NULL,
    cause           text NOT NULL,
    reason          text NOT NULL,
    attempts        bigint NOT NULL,
    body            text NOT NULL,
    received_at     timestamptz NOT NULL DEFAULT now()
);
