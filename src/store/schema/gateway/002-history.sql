-- What a peer measured: the mean of a minute for some days, and of an hour for some years.
CREATE TABLE samples (
  series  TEXT NOT NULL,
  -- 60000 or 3600000.
  step_ms INTEGER NOT NULL,
  -- Of the step's beginning.
  at_ms   INTEGER NOT NULL,
  value   REAL NOT NULL,
  -- Minutes that are in it.
  minutes INTEGER NOT NULL,
  PRIMARY KEY (series, step_ms, at_ms)
) STRICT, WITHOUT ROWID;
