-- The queue: who is served when, what may be stopped, what is tried again, and what became of what died.

ALTER TABLE audits
    DROP CONSTRAINT audits_state_check,
    DROP CONSTRAINT audits_check1,
    -- queued → running → completed | partial | failed | cancelled | superseded; all but the first two are final.
    ADD CONSTRAINT audits_state CHECK
        (state IN ('queued', 'running', 'completed', 'partial', 'failed', 'cancelled', 'superseded')),
    ADD CONSTRAINT audits_ended CHECK ((state NOT IN ('queued', 'running')) = (finished_at IS NOT NULL)),
    -- Tasks in the queue or running: what the limits on tasks in flight count.
    ADD COLUMN tasks_in_flight bigint NOT NULL DEFAULT 0,
    -- Predicted cost of all tasks and of those done, in bytes' worth of analysis.
    ADD COLUMN cost_total bigint NOT NULL DEFAULT 0,
    ADD COLUMN cost_done bigint NOT NULL DEFAULT 0,
    -- The commit that the branch was at before the push, or the first of the pushes that it stands for, as the forge says:
    -- tells which of two pushes is the newer one.
    ADD COLUMN pushed_onto text,
    ADD COLUMN superseded_by uuid REFERENCES audits (id) ON DELETE SET NULL,
    -- The running audit of the same branch whose end this one waits for.
    ADD COLUMN waits_for uuid REFERENCES audits (id) ON DELETE SET NULL,
    -- Whether its tasks were removed from the queue after it was stopped.
    ADD COLUMN is_purged boolean NOT NULL DEFAULT false;
-- Counters of running audits change with every batch; room on the page keeps that from touching the indexes.
ALTER TABLE audits SET (fillfactor = 70);
CREATE INDEX audits_open_by_branch ON audits (project_id, branch) WHERE state IN ('queued', 'running');
CREATE INDEX audits_to_purge ON audits (finished_at) WHERE state IN ('cancelled', 'superseded') AND NOT is_purged;
CREATE INDEX audits_waiting ON audits (waits_for) WHERE waits_for IS NOT NULL;

-- What has ended stays as it ended, whoever asks. Audits of tasks published by hand have no plan, so they never end for good.
CREATE FUNCTION keep_terminal_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit % ended as % and cannot become %', OLD.id, OLD.state, NEW.state USING ERRCODE = '23514';
END $$;
CREATE TRIGGER audits_keep_terminal_states BEFORE UPDATE OF state ON audits FOR EACH ROW
    WHEN (OLD.kind <> 'ad_hoc' AND OLD.state NOT IN ('queued', 'running') AND OLD.state <> NEW.state)
    EXECUTE FUNCTION keep_terminal_states();

ALTER TABLE shards
    -- The items of the bundle that are in it, where it is a part of a shard that was split; NULL means all of them.
    ADD COLUMN first_item integer CHECK (first_item >= 0),
    ADD COLUMN item_count integer CHECK (item_count > 0),
    ADD COLUMN split_from integer,
    ADD CONSTRAINT shards_range CHECK ((first_item IS NULL) = (item_count IS NULL));

ALTER TABLE tasks
    DROP CONSTRAINT tasks_state_check,
    -- ready → published → done | split | cancelled; split tasks are answered by the shards that they were split into.
    ADD CONSTRAINT tasks_state CHECK (state IN ('ready', 'published', 'done', 'split', 'cancelled')),
    -- Predicted cost, in bytes' worth of analysis.
    ADD COLUMN cost bigint NOT NULL DEFAULT 0,
    -- When it is given up, whatever the reason; set when it is published first.
    ADD COLUMN deadline_at timestamptz;

-- How much of the queue a project or a team may have.
CREATE TABLE limits (
    scope            text NOT NULL CHECK (scope IN ('project', 'team')),
    name             text NOT NULL,
    -- Most tasks in the queue or running; NULL means as many as there is room for.
    tasks_in_flight  integer CHECK (tasks_in_flight > 0),
    -- Its share beside other projects of the same class that have work.
    weight           integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, name),
    -- Turns go to projects; teams have only limits.
    CHECK (scope = 'project' OR weight = 1)
);

-- How fast tasks were done lately: what predictions are made of.
CREATE TABLE throughput (
    measured_at      timestamptz PRIMARY KEY DEFAULT now(),
    seconds          double precision NOT NULL,
    tasks            bigint NOT NULL,
    cost             bigint NOT NULL,
    tasks_in_flight  bigint NOT NULL
);

-- What a push to a branch means for older audits of it; the first pattern that matches decides.
CREATE TABLE push_policies (
    project_id      uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    position        integer NOT NULL,
    pattern         text NOT NULL,
    policy          text NOT NULL CHECK (policy IN ('supersede', 'coalesce', 'run_all')),
    PRIMARY KEY (project_id, position)
);

CREATE TABLE schedules (
    project_id      uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name            text NOT NULL,
    cron            text NOT NULL,
    time_zone       text NOT NULL,
    catch_up        text NOT NULL CHECK (catch_up IN ('skip', 'once', 'all')),
    request         jsonb NOT NULL,
    enabled         boolean NOT NULL DEFAULT true,
    -- The first moment that has not been dealt with; NULL if there is none any more.
    next_at         timestamptz,
    last_fired_at   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, name)
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE enabled;

ALTER TABLE dead_letters
    -- `request`, `task` or `result`.
    ADD COLUMN origin        text NOT NULL DEFAULT 'task' CHECK (origin IN ('request', 'task', 'result')),
    ADD COLUMN audit_id      uuid,
    ADD COLUMN project_slug  text,
    ADD COLUMN magic         text,
    ADD COLUMN shard         integer,
    -- The file or commit that causes it, once that is known.
    ADD COLUMN item          text,
    ADD COLUMN class         text CHECK (class IN ('transient', 'repository', 'analyzer', 'resource', 'deadline')),
    -- Who had it last.
    ADD COLUMN worker        text,
    -- What was found by: `receiver`, `advisory` or `reconciler`.
    ADD COLUMN noticed_by    text NOT NULL DEFAULT 'receiver' CHECK (noticed_by IN ('receiver', 'advisory', 'reconciler')),
    ADD COLUMN state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'requeued', 'discarded')),
    ADD COLUMN handled_at    timestamptz,
    -- The trace of the message: the same text that dies again after it was requeued has another one.
    ADD COLUMN trace_id      uuid,
    -- What a requeued letter became: the audit, or the id of the message that was published again.
    ADD COLUMN became        text;
CREATE INDEX dead_letters_open ON dead_letters (received_at, id) WHERE state = 'open';
CREATE INDEX dead_letters_by_audit ON dead_letters (audit_id);
