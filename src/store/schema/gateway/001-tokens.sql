-- A secret by which a program asks in a user's name. Only its hash is kept: whoever reads the disk cannot ask by it.
CREATE TABLE tokens (
  hash         BLOB PRIMARY KEY CHECK (length(hash) = 32),
  user         BLOB NOT NULL CHECK (length(user) = 32),
  user_name    TEXT NOT NULL,
  name         TEXT NOT NULL,
  scope        TEXT NOT NULL CHECK (scope IN ('all', 'read', 'metrics')),
  created_ms   INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL,
  -- To the minute.
  last_used_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
