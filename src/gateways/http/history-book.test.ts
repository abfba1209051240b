import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { ACTIVITY_KEPT, HISTORY_MINUTES_KEPT } from '../../limits.js';
import { openGatewayState } from '../../store/gateway-state.js';
import type { Database } from '../../store/sqlite.js';
import { ActivityBook } from './activity-book.js';
import { HistoryBook } from './history-book.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = 1_800_000_000_000 - (1_800_000_000_000 % HOUR_MS);

let folder: string;
let database: Database;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-history-'));
  database = await openGatewayState(folder);
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

it('a history has minutes of late, and means of hours before', async () => {
  let nowMs = START_MS;
  const history = new HistoryBook(database, () => nowMs);
  for (const files of [10, 20, 60]) {
    await history.add({ files });
    nowMs += MINUTE_MS;
  }
  const minutes = [10, 20, 60].map((files, n) => [START_MS + n * MINUTE_MS, files]);
  assert.deepEqual(history.points('files', START_MS, nowMs), minutes);
  assert.deepEqual(history.points('peers', START_MS, nowMs), []);
  nowMs += HISTORY_MINUTES_KEPT * MINUTE_MS;
  await history.add({ files: 5 });
  assert.deepEqual(history.points('files', START_MS, START_MS + HOUR_MS - 1), [[START_MS, 30]]);
});

it('what happened is kept up to a number, the newest first', () => {
  let nowMs = START_MS;
  const activity = new ActivityBook(database, () => nowMs++);
  for (let n = 0; n < ACTIVITY_KEPT + 5; n++) activity.add('peer-gone', String(n));
  const newest = activity.newest(ACTIVITY_KEPT + 100);
  assert.equal(newest.length, ACTIVITY_KEPT);
  assert.deepEqual(newest[0], {
    at: new Date(START_MS + ACTIVITY_KEPT + 4).toISOString(),
    kind: 'peer-gone',
    text: String(ACTIVITY_KEPT + 4),
  });
});
