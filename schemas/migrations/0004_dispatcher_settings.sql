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
