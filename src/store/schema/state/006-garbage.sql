-- Since when a deletion waits, and why the peer did not take it the last time.
ALTER TABLE deletes ADD COLUMN added_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deletes ADD COLUMN failure TEXT NOT NULL DEFAULT '';

-- What each peer told to hold of an owner.
CREATE TABLE inventories (
  owner       BLOB NOT NULL CHECK (length(owner) = 32),
  peer        BLOB NOT NULL CHECK (length(peer) = 32),
  -- Where the listing under way goes on; empty: with the first chunk.
  after       BLOB NOT NULL,
  -- 1: a listing is under way.
  begun       INTEGER NOT NULL CHECK (begun IN (0, 1)),
  tried_ms    INTEGER NOT NULL,
  -- Of the last listing that was whole; 0: there was none. Then what it came to.
  listed_ms   INTEGER NOT NULL,
  chunks      INTEGER NOT NULL,
  bytes       INTEGER NOT NULL,
  -- What the one under way has come to so far.
  next_chunks INTEGER NOT NULL,
  next_bytes  INTEGER NOT NULL,
  -- Why the last attempt ended; empty: it did not fail.
  failure     TEXT NOT NULL,
  PRIMARY KEY (owner, peer)
) STRICT, WITHOUT ROWID;

-- A chunk that a peer listed, of a stripe that no file refers to.
CREATE TABLE strays (
  owner    BLOB NOT NULL CHECK (length(owner) = 32),
  peer     BLOB NOT NULL CHECK (length(peer) = 32),
  chunk    BLOB NOT NULL CHECK (length(chunk) = 32),
  stripe   BLOB NOT NULL CHECK (length(stripe) = 32),
  bytes    INTEGER NOT NULL,
  -- First and last listed, in Unix time.
  since_ms INTEGER NOT NULL,
  seen_ms  INTEGER NOT NULL,
  -- 0: the last listing did not have it any more. Kept for what it says of its stripe.
  here     INTEGER NOT NULL CHECK (here IN (0, 1)),
  PRIMARY KEY (owner, peer, chunk)
) STRICT, WITHOUT ROWID;

CREATE INDEX strays_by_stripe ON strays (owner, stripe);

-- Of each owner: since when all peers have been listed once (0: not yet), and which homes there are since when.
CREATE TABLE watches (
  owner    BLOB PRIMARY KEY CHECK (length(owner) = 32),
  since_ms INTEGER NOT NULL,
  homes    BLOB NOT NULL,
  homes_ms INTEGER NOT NULL,
  -- Peers whose word was lacking when strays were to be deleted last, and when that is tried again.
  awaited  BLOB NOT NULL,
  next_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
