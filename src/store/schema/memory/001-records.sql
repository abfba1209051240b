-- The record with the highest counter that this peer has ever believed, for each id of the database `network`.
CREATE TABLE records (
  id      TEXT NOT NULL PRIMARY KEY,
  counter INTEGER NOT NULL,
  signed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;
