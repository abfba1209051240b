-- Invitations that this peer has issued, by a hash of the secret, which the invited one alone has.
CREATE TABLE invitations (
  hash       BLOB NOT NULL PRIMARY KEY,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  -- For whom it is, as its maker calls them; empty when nobody said.
  note       TEXT NOT NULL,
  -- 1: whoever joins by it gets the authority's key too.
  authority  INTEGER NOT NULL,
  -- The peer that used it, and when it did first; an invitation serves one peer.
  peer       BLOB,
  used_ms    INTEGER
) STRICT, WITHOUT ROWID;
