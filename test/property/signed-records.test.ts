import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { Membership } from '../../src/catalog/records/membership.js';
import type { Document } from '../../src/documents/document-database.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { temporaryFolder } from '../contract/offer.js';
import { SampleNetwork } from '../contract/sample-network.js';
import { openReader, peerDocument } from '../contract/sample-records.js';

const MAX_COUNTER = 4;

let reader: Membership;
let writer: Membership;
/** By counter; two that count the same, because the peer wrote apart from itself. */
let right: Document[];
let wrong: Document[];

before(async () => {
  const network = await SampleNetwork.open();
  reader = await network.member('reader');
  writer = await network.member('writer');
  const stranger = await (await SampleNetwork.open()).member('stranger');
  const counters = Array.from({ length: MAX_COUNTER }, (_, index) => index + 1);
  right = [...counters, MAX_COUNTER].map((counter) => peerDocument(writer, { counter }));
  const id = { _id: `peer-${writer.peer}` };
  wrong = [
    { ...peerDocument(reader, { counter: 9 }), ...id },
    { ...peerDocument(stranger, { counter: 9 }), ...id },
    peerDocument(writer, { counter: 9, sign: reader.signAsPeer }),
    { ...id, type: 'peer', format: 1, signed: 'AAAA' },
  ];
});

interface SampleLeaf {
  readonly document: number;
  readonly generation: number;
  readonly deleted: boolean;
}

const leaf = fc.record<SampleLeaf>({
  document: fc.nat({ max: MAX_COUNTER + 4 }),
  generation: fc.integer({ min: 1, max: 9 }),
  deleted: fc.boolean(),
});

test('any set of leaves, in any order, gives the same record: the latest that is rightly signed', async (context) => {
  const folder = await temporaryFolder(context);
  let run = 0;
  const read = async (leaves: readonly SampleLeaf[]): Promise<unknown> => {
    const database = new MemoryDocuments();
    for (const { document, generation, deleted } of leaves) {
      const found = [...right, ...wrong][document];
      assert.ok(found !== undefined);
      const rev = `${String(generation)}-${String(document).repeat(32)}`;
      await database.addLeaf({ rev, deleted, document: found });
    }
    await using opened = await openReader(reader, database, `${folder}/${String(run++)}`);
    const first = await opened.documents.peers();
    assert.deepEqual(await opened.documents.peers(), first, 'and again, once it is mended');
    return first;
  };
  const leaves = fc.uniqueArray(leaf, { maxLength: 8, selector: ({ document }) => document });
  const shuffled = leaves.chain((some) =>
    fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
  );
  await fc.assert(
    fc.asyncProperty(shuffled, async ([one, another]) => {
      const [peer] = (await read(one)) as { readonly address: string }[];
      assert.deepEqual(await read(another), peer === undefined ? [] : [peer]);
      const alive = one.filter(({ document, deleted }) => !deleted && document < right.length);
      const latest = Math.max(...alive.map(({ document }) => Math.min(document + 1, MAX_COUNTER)));
      if (alive.length > 0) assert.equal(peer?.address, `127.0.0.1:${String(latest)}`);
    }),
    { numRuns: 40 },
  );
});
