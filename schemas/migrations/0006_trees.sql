-- Rules that judge whole repositories: their tasks wait until the facts of all files are there.

ALTER TABLE shards
    -- Whether it holds the facts of a whole repository. They are packed once every other task is done; until then there is no bundle.
    ADD COLUMN is_tree boolean NOT NULL DEFAULT false,
    ALTER COLUMN bundle DROP NOT NULL,
    ADD CONSTRAINT shards_bundle CHECK (is_tree OR bundle IS NOT NULL);

ALTER TABLE tasks
    DROP CONSTRAINT tasks_state,
    -- waiting → ready → published → done | split | cancelled; only tasks over trees begin as waiting.
    ADD CONSTRAINT tasks_state CHECK (state IN ('waiting', 'ready', 'published', 'done', 'split', 'cancelled'));

-- Tasks that are part of the total and not ready yet. Once all others are done, they are all that is left.
ALTER TABLE audits ADD COLUMN tasks_waiting bigint NOT NULL DEFAULT 0;

-- The rules that an audit was planned for, digests by magic: what a file that breaks an analyzer is remembered under, since
-- nobody who ran those rules is left to say them.
ALTER TABLE audits ADD COLUMN rulesets jsonb NOT NULL DEFAULT '{}';
