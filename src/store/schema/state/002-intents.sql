-- Chunks of a stripe may lie at peers, and it is not settled yet whether a file refers to it. Written before the first of
-- them leaves; what is left of a put that ended with the process is given back unless the catalog knows a file for it.
CREATE TABLE intents (
  stripe  BLOB PRIMARY KEY CHECK (length(stripe) = 32),
  owner   BLOB NOT NULL CHECK (length(owner) = 32),
  -- Ids one after the other. Chunk i may lie at target i, and at every target behind the last chunk's.
  chunks  BLOB NOT NULL CHECK (length(chunks) % 32 = 0),
  targets BLOB NOT NULL CHECK (length(targets) % 32 = 0)
) STRICT, WITHOUT ROWID;
