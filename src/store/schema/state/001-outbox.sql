-- A chunk that a peer still has to be told to delete, because it was away when the owner removed the file.
CREATE TABLE deletes (
  peer        BLOB NOT NULL CHECK (length(peer) = 32),
  chunk       BLOB NOT NULL CHECK (length(chunk) = 32),
  owner       BLOB NOT NULL CHECK (length(owner) = 32),
  stripe      BLOB NOT NULL CHECK (length(stripe) = 32),
  tries       INTEGER NOT NULL DEFAULT 0,
  next_try_ms INTEGER NOT NULL,
  PRIMARY KEY (peer, chunk, owner)
) STRICT, WITHOUT ROWID;

CREATE INDEX deletes_by_next_try ON deletes (next_try_ms);
CREATE INDEX deletes_by_stripe ON deletes (stripe);
