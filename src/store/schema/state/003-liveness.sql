-- When each peer was heard of last (Unix time; 0: never), and how long it has been silent since. Silence counts only while
-- this peer ran and reached another one.
CREATE TABLE liveness (
  peer        BLOB PRIMARY KEY CHECK (length(peer) = 32),
  answered_ms INTEGER NOT NULL,
  silent_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
