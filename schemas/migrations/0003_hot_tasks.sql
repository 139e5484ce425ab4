-- Tasks change twice on their way, and each change should stay on its page: no index may know how far a task is.

DROP INDEX tasks_ready;
DROP INDEX tasks_published;
-- Room for a second version of each row.
ALTER TABLE tasks SET (fillfactor = 50);

-- No task of a lower shard is ready; only a hint, since what is not found from there on is looked for from the beginning.
ALTER TABLE audits ADD COLUMN next_shard integer NOT NULL DEFAULT 0;
