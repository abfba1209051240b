-- A chunk that a peer still has to be told to delete, because it was away when the owner removed the file.
CREATE TABLE deletes (
  owner       BLOB NOT NULL CHECK (length(owner) = 32),
  peer        BLOB NOT NULL CHECK (length(peer) = 32),
  chunk       BLOB NOT NULL CHECK (length(chunk) = 32),
  stripe      BLOB NOT NULL CHECK (length(stripe) = 32),
  tries       INTEGER NOT NULL DEFAULT 0,
  next_try_ms INTEGER NOT NULL,
  PRIMARY KEY (owner, peer, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX deletes_by_stripe ON deletes (stripe);
