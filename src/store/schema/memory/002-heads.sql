-- The newest change of each peer that this one has seen in the catalog of a user.
CREATE TABLE heads (
  user     BLOB NOT NULL CHECK (length(user) = 32),
  peer     BLOB NOT NULL CHECK (length(peer) = 32),
  counter  INTEGER NOT NULL,
  document BLOB NOT NULL CHECK (length(document) = 32),
  PRIMARY KEY (user, peer)
) STRICT, WITHOUT ROWID;
