-- A chunk that is stored whole, and what its id commits to.
CREATE TABLE chunks (
  id            BLOB PRIMARY KEY CHECK (length(id) = 32),
  bytes         INTEGER NOT NULL CHECK (bytes > 0),
  segment_bytes INTEGER NOT NULL CHECK (segment_bytes > 0),
  hashes        BLOB NOT NULL
) STRICT;

-- The bytes of a chunk below SMALL_CHUNK_BYTES; those of the others lie in chunks/<first two digits>/<id>.
CREATE TABLE contents (
  chunk BLOB PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;

-- A user who wants a chunk kept, with the label that this user signed for it; a chunk goes with its last claim.
CREATE TABLE claims (
  owner BLOB NOT NULL CHECK (length(owner) = 32),
  chunk BLOB NOT NULL REFERENCES chunks (id) ON DELETE CASCADE,
  label BLOB NOT NULL,
  PRIMARY KEY (owner, chunk)
) STRICT;

CREATE UNIQUE INDEX claims_by_chunk ON claims (chunk, owner);

-- A large chunk that is being received, or was and waits to be resumed; its bytes so far lie in partial/<id>.
CREATE TABLE partials (
  id         BLOB PRIMARY KEY CHECK (length(id) = 32),
  bytes      INTEGER NOT NULL CHECK (bytes > 0),
  owner      BLOB NOT NULL CHECK (length(owner) = 32),
  started_ms INTEGER NOT NULL
) STRICT;

-- A chunk file that no row refers to any more and that may still have to be unlinked.
CREATE TABLE unlinks (
  id BLOB PRIMARY KEY CHECK (length(id) = 32)
) STRICT;

-- How much is stored, kept by the triggers below, so that nobody has to count. One row.
CREATE TABLE totals (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  chunks INTEGER NOT NULL CHECK (chunks >= 0),
  bytes  INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;

INSERT INTO totals VALUES (1, 0, 0);

CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
  UPDATE totals SET chunks = chunks + 1, bytes = bytes + new.bytes;
END;

CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
  UPDATE totals SET chunks = chunks - 1, bytes = bytes - old.bytes;
END;
