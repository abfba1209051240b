import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedNetwork } from '../../test/contract/coded-network.js';
import { NEVER } from '../../test/contract/offer.js';
import { makeReceipt } from '../chunk/receipt.js';
import { StorageError } from '../errors.js';
import { SURPLUS_AGE_MS } from '../limits.js';
import { PeerView } from './assessment.js';
import { SurplusSweep, type SurplusOptions } from './surplus.js';
import { Withheld } from './withheld.js';

const BEGIN_MS = 1_700_000_000_000;

/** The chunk of peer 0 lies at peer 1 by now, which has lost its own: who signed for that when its clock said `storedMs`. */
async function surplus(storedMs: number): Promise<{
  readonly pass: (ms: number) => Promise<number>;
  readonly lose: () => void;
  /** What whoever asks for the chunk meanwhile is told. */
  readonly sent: string[];
}> {
  const network = await CodedNetwork.open();
  const { record, peers, stores } = network;
  const [chunk] = record.chunks;
  const [, holder] = peers;
  const [local] = stores;
  assert.ok(chunk !== undefined && holder !== undefined && local !== undefined);
  const promised = { peer: holder, chunk, owner: record.owner, bytes: record.chunkBytes, storedMs };
  const receipt = makeReceipt(promised, () => new Uint8Array());
  const placement = record.placement.with(0, { peer: holder, receipt });
  network.known.set(record.id, { ...record, placement });
  let nowMs = BEGIN_MS;
  let isThere = true;
  const sent: string[] = [];
  const withheld = new Withheld();
  const fetch = async (): Promise<void> => {
    const failed = await withheld
      .from(local)
      .get(chunk, { signal: NEVER })
      .then(
        () => 'sent',
        (error: unknown) => (StorageError.is(error) ? error.code : 'failed'),
      );
    sent.push(failed);
  };
  const audit = async (): Promise<void> => {
    await fetch();
    if (!isThere) throw new StorageError('NOT_FOUND', 'It does not have it.');
  };
  const links = { ...network.links, remote: () => ({ audit }), ping: async () => 1 };
  const audits = { isFaulty: () => false, faults: () => [], denials: { published: 0 } };
  const { self, catalog, book } = network;
  const sweep = new SurplusSweep({
    network: { self, catalog, book, links } as unknown as SurplusOptions['network'],
    view: new PeerView(book, { isGone: () => false }, audits),
    local: {
      list: (options) => local.list(options),
      drop: async (owner, ids, options) => {
        await fetch();
        await local.delete(owner, ids, options);
      },
    },
    withheld,
    clock: () => nowMs,
  });
  const pass = (ms: number): Promise<number> => {
    nowMs += ms;
    return sweep.round(NEVER);
  };
  const lose = (): void => {
    isThere = false;
  };
  return { pass, lose, sent };
}

describe('chunks that lie elsewhere by now', () => {
  it('are dropped when they have done so for a day, by the receipt and by this peer’s own watch', async () => {
    for (const storedMs of [BEGIN_MS - SURPLUS_AGE_MS, BEGIN_MS]) {
      const { pass } = await surplus(storedMs);
      assert.equal(await pass(0), 0);
      assert.equal(await pass(SURPLUS_AGE_MS - 1), 0);
      assert.equal(await pass(1), 1);
    }
    const { pass } = await surplus(BEGIN_MS + SURPLUS_AGE_MS / 2);
    assert.deepEqual([await pass(0), await pass(SURPLUS_AGE_MS), await pass(SURPLUS_AGE_MS / 2)], [0, 0, 1]);
  });

  it('are dropped by this peer’s own watch alone when a clock far ahead has signed for them', async () => {
    const { pass } = await surplus(BEGIN_MS + 100 * SURPLUS_AGE_MS);
    assert.deepEqual([await pass(0), await pass(SURPLUS_AGE_MS - 1), await pass(1)], [0, 0, 1]);
  });

  it('are sent to nobody until they are gone', async () => {
    const { pass, sent } = await surplus(BEGIN_MS);
    assert.deepEqual([await pass(0), await pass(SURPLUS_AGE_MS)], [0, 1]);
    assert.deepEqual(sent, ['NOT_FOUND', 'NOT_FOUND'], 'while it is asked for, and while it is dropped');
  });

  it('stay when the one that should have them does not', async () => {
    const { pass, lose } = await surplus(BEGIN_MS);
    lose();
    assert.deepEqual([await pass(0), await pass(SURPLUS_AGE_MS)], [0, 0]);
  });
});
