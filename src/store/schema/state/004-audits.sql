-- How a peer has stood audits, and whether it is trusted with new chunks.
CREATE TABLE audited_peers (
  peer          BLOB PRIMARY KEY CHECK (length(peer) = 32),
  passed        INTEGER NOT NULL,
  missing       INTEGER NOT NULL,
  corrupt       INTEGER NOT NULL,
  unreachable   INTEGER NOT NULL,
  stalled       INTEGER NOT NULL,
  -- Passed ones since the last that it did not stand.
  streak        INTEGER NOT NULL,
  -- Different chunks that it failed with, and stalls one after the other, since the last such streak.
  faults        INTEGER NOT NULL,
  stalls        INTEGER NOT NULL,
  -- Unix time since when it is not trusted; 0: it is.
  distrusted_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A chunk that a peer should hold and, by an audit and a second look, does not. Its repair is due.
CREATE TABLE audit_faults (
  peer    BLOB NOT NULL CHECK (length(peer) = 32),
  chunk   BLOB NOT NULL CHECK (length(chunk) = 32),
  stripe  BLOB NOT NULL CHECK (length(stripe) = 32),
  segment INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('missing', 'corrupt')),
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (peer, chunk)
) STRICT, WITHOUT ROWID;

-- The last audits, for people.
CREATE TABLE audits (
  id      INTEGER PRIMARY KEY,
  at_ms   INTEGER NOT NULL,
  peer    BLOB NOT NULL CHECK (length(peer) = 32),
  chunk   BLOB NOT NULL CHECK (length(chunk) = 32),
  stripe  BLOB NOT NULL CHECK (length(stripe) = 32),
  segment INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'missing', 'corrupt', 'unreachable', 'stalled'))
) STRICT;
