CREATE INDEX withdrawals_by_age ON withdrawals (withdrawn_ms);

-- A chunk file that no row, no record and no claim wanted, in every look since then.
CREATE TABLE strays (
  chunk    BLOB PRIMARY KEY CHECK (length(chunk) = 32),
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
