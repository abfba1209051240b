-- What happened at this peer, for its people: the newest ones.
CREATE TABLE activity (
  id    INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  kind  TEXT NOT NULL,
  text  TEXT NOT NULL
) STRICT;
