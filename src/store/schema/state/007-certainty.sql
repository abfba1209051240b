-- 1: the stripe is in use, and only this copy of its chunk is to go.
ALTER TABLE deletes ADD COLUMN stays INTEGER NOT NULL DEFAULT 0 CHECK (stays IN (0, 1));

-- Such deletions used to have no stripe. Whether they are still right cannot be told, so a chunk may be left for nothing.
DELETE FROM deletes WHERE stripe = zeroblob(32);

-- How many listings had it.
ALTER TABLE strays ADD COLUMN listings INTEGER NOT NULL DEFAULT 1;
