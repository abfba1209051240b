-- When a chunk was last read whole and compared with its hashes, first when it came. 0: never, or somebody found it damaged.
CREATE TABLE scrubs (
  chunk   BLOB PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE,
  read_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX scrubs_by_age ON scrubs (read_ms, chunk);

INSERT INTO scrubs SELECT id, 0 FROM chunks;

-- A chunk that is damaged, or not here though it should be, and that could not be mended yet.
CREATE TABLE damages (
  chunk       BLOB PRIMARY KEY CHECK (length(chunk) = 32),
  stripe      BLOB CHECK (length(stripe) = 32),
  reason      TEXT NOT NULL,
  found_ms    INTEGER NOT NULL,
  tries       INTEGER NOT NULL,
  next_try_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A claim that its owner has withdrawn. A record that still says that the chunk lies here is late: the chunk is not lost.
CREATE TABLE withdrawals (
  owner        BLOB NOT NULL CHECK (length(owner) = 32),
  chunk        BLOB NOT NULL CHECK (length(chunk) = 32),
  withdrawn_ms INTEGER NOT NULL,
  PRIMARY KEY (owner, chunk)
) STRICT, WITHOUT ROWID;

-- When files, rows and records were last compared with each other. One row.
CREATE TABLE surveys (
  only        INTEGER PRIMARY KEY CHECK (only = 1),
  surveyed_ms INTEGER NOT NULL
) STRICT;

INSERT INTO surveys VALUES (1, 0);
