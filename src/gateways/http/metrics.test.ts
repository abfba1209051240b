import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusReply } from './api.js';
import { metricsText } from './metrics.js';

const stream = {
  host: 'a'.repeat(64),
  hostName: 'at"tic\\\n',
  database: 'network',
  direction: 'push',
  phase: 'failing',
  sequence: '7-0',
  pending: null,
  written: 12,
  refused: 1,
  error: 'away',
  lastSuccessMs: 1500,
} as const;

const STATUS: StatusReply = {
  version: '1',
  network: { id: 'n', name: 'home', k: 4, m: 2 },
  peer: { id: 'p', name: 'attic', address: '192.0.2.1:1', zone: 'z' },
  peers: [
    {
      id: 'p',
      name: 'attic',
      address: '192.0.2.1:1',
      zone: 'z',
      state: 'member',
      up: true,
      capacityBytes: 1,
      latencyMs: 1,
    },
  ],
  store: { chunks: 3, bytes: 300, partialBytes: 0, freeBytes: 1000, reserveBytes: 1 },
  users: [],
  safety: null,
  sync: { error: null, streams: [stream], damaged: [] },
  outbox: { pendingDeletes: 4 },
  missing: [],
  problems: [],
};

describe('Metrics', () => {
  it('have one family each, with its type, and labels that no name breaks', () => {
    const lines = metricsText(STATUS).trimEnd().split('\n');
    assert.ok(lines.includes('shoal_peer_up{peer="attic"} 1'));
    assert.ok(lines.includes('shoal_outbox_deletes 4'));
    const labels = '{host="at\\"tic\\\\\\n",database="network",direction="push"}';
    assert.ok(lines.includes(`shoal_sync_failing${labels} 1`));
    assert.ok(lines.includes(`shoal_sync_written_total${labels} 12`));
    assert.ok(lines.includes(`shoal_sync_last_success_seconds${labels} 1.5`));
    const families = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    assert.equal(new Set(families).size, families.length);
    for (const line of lines) assert.match(line, /^(# (HELP|TYPE) shoal_\w+ .+|shoal_\w+(\{.*\})? -?[\d.]+)$/);
  });

  it('say nothing where nothing is known', () => {
    const text = metricsText(STATUS);
    assert.ok(!text.includes('shoal_sync_pending'), 'nobody counts what is pending');
    assert.ok(!text.includes('shoal_stripes'), 'nobody is unlocked');
    const safety = { stripes: 5, degraded: 1, mayFail: 1, lost: 0 };
    assert.match(metricsText({ ...STATUS, safety }), /^shoal_stripes_degraded 1$/m);
  });
});
