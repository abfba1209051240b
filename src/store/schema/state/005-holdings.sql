-- A chunk that the record of its stripe places at a peer, and that the peer says, twice, not to have as it should.
CREATE TABLE denials (
  peer   BLOB NOT NULL CHECK (length(peer) = 32),
  chunk  BLOB NOT NULL CHECK (length(chunk) = 32),
  stripe BLOB NOT NULL CHECK (length(stripe) = 32),
  reason TEXT NOT NULL CHECK (reason IN ('missing', 'damaged', 'withdrawn')),
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (peer, chunk)
) STRICT, WITHOUT ROWID;

-- When all that the records place at a peer was compared with what it says, in Unix time, and as what its store was open then.
CREATE TABLE compared_peers (
  peer        BLOB PRIMARY KEY CHECK (length(peer) = 32),
  compared_ms INTEGER NOT NULL,
  opened      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
