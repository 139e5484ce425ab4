-- What explanations and repairs go by.

-- What the dispatcher was told on its command line: its own process knows it, whoever explains the queue is another one.
CREATE TABLE dispatcher_settings (
    -- There is one dispatcher, hence one row.
    is_only                  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    -- Most tasks in the queue or running, in all.
    tasks_in_flight          bigint NOT NULL,
    -- The same of each project without a limit of its own; NULL means as many as there is room for.
    project_tasks_in_flight  bigint,
    updated_at               timestamptz NOT NULL DEFAULT now()
);

-- Tasks answered with a failure, until their dead letters had the time to come: a letter is on its way through the queue, and a
-- queue that is lost takes it along.
CREATE TABLE failed_answers (
    audit_id     uuid NOT NULL REFERENCES audits (id) ON DELETE CASCADE,
    shard        integer NOT NULL,
    magic        text NOT NULL,
    -- The same as the letter's.
    reason       text NOT NULL,
    class        text,
    answered_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (audit_id, shard, magic)
);
CREATE INDEX failed_answers_oldest_first ON failed_answers (answered_at);

ALTER TABLE audits
    -- The commit that the branch was at before this very push. It stays, also where pushed_onto moves back to the first of several
    -- pushes that an audit stands for: pushes that come in any order are put in order by it.
    ADD COLUMN push_base text;
CREATE INDEX audits_by_push_base ON audits (project_id, push_base) WHERE push_base IS NOT NULL;
CREATE INDEX audits_pushed_lately ON audits (project_id, branch, created_at) WHERE requested_by LIKE 'webhook:%';
