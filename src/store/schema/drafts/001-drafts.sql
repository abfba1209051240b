-- A file that comes in parts and that nobody sees yet. What it is of is sealed under a key of its owner, from the salt.
CREATE TABLE drafts (
  id          BLOB PRIMARY KEY CHECK (length(id) = 16),
  owner       BLOB NOT NULL CHECK (length(owner) = 32),
  -- Of the owner's keys, when it was begun.
  generation  INTEGER NOT NULL CHECK (generation > 0),
  salt        BLOB NOT NULL CHECK (length(salt) = 32),
  head        BLOB NOT NULL,
  -- Of its last sign of life.
  touched_ms  INTEGER NOT NULL,
  -- 1: the file is visible; the row stays a while, for whoever lost the answer.
  finished    INTEGER NOT NULL CHECK (finished IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX drafts_by_owner ON drafts (owner, finished, touched_ms);

-- A part whose chunks are acknowledged. While it is here, its stripe is held back from housekeeping.
CREATE TABLE parts (
  draft       BLOB NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
  file_offset INTEGER NOT NULL CHECK (file_offset >= 0),
  bytes       INTEGER NOT NULL CHECK (bytes > 0),
  stripe      BLOB NOT NULL CHECK (length(stripe) = 32),
  -- Key and place of the extent, the record of the stripe.
  sealed      BLOB NOT NULL,
  PRIMARY KEY (draft, file_offset)
) STRICT;
