-- How fast tasks are answered, by project and class: read off the results of the last minute.

-- Results come in the order of time and never change, so that a summary of each range of pages finds the last minute. It costs
-- nothing beside a tree. Summaries are made as ranges fill up: the range at the end has none and is always read.
CREATE INDEX results_lately ON results USING brin (merged_at) WITH (autosummarize = on);
