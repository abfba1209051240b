import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlClient } from '../../src/cli/control-client.js';
import { Ledger } from '../check/ledger.js';
import { Tally } from '../report/tally.js';
import { drawOperation } from './operation.js';
import { Stock } from './stock.js';
import { Writer } from './writer.js';

const NAME = 'writer';

/** Of which the first operation is a compaction, at once. */
function seedOfCompaction(): number {
  for (let seed = 0; ; seed++) {
    const { kind, pauseMs } = drawOperation(seed, NAME, 0);
    if (kind === 'compact' && pauseMs === 0) return seed;
  }
}

for (const [last, outcome] of [
  ['done', 'ok'],
  ['progress', 'UNAVAILABLE'],
] as const) {
  test(`a compaction whose last line is "${last}" counts as ${outcome}`, async () => {
    const life = new AbortController();
    const compactNow = async function* (): AsyncGenerator<{ readonly event: string }> {
      yield { event: 'progress' };
      yield { event: last };
    };
    const close = async (): Promise<void> => life.abort();
    const client = { compactNow, [Symbol.asyncDispose]: close } as unknown as ControlClient;
    const [ledger, tally] = [new Ledger(), new Tally()];
    // The one file that is left of a bundle.
    ledger.put(`/${NAME}/7-0`, '', true);
    const about = { name: NAME, seed: seedOfCompaction(), folder: '', stock: new Stock(1), calm: { asked: false } };
    await new Writer({ ...about, ledger, tally, connect: () => client }).run(life.signal);
    assert.deepEqual([...tally.operations], [['compact', new Map([[outcome, 1]])]]);
  });
}
