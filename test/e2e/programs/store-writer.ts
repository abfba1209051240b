/**
 * Puts, breaks off and deletes chunks in the store of a folder for as long as it lives, and says so on standard output
 * only after the store did: `put ID OWNER BYTES SEED`, `deleting ID` before and `deleted ID` after. The test kills it.
 *
 *   node store-writer.js DIRECTORY SEED
 */
import { createHash } from 'node:crypto';
import { segmentsOf } from '../../../src/chunk/chunk-store.js';
import type { ChunkId } from '../../../src/chunk/ids.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES, SMALL_CHUNK_BYTES } from '../../../src/limits.js';
import { DiskStore } from '../../../src/store/disk-store.js';
import { NEVER, offerOf, OWNER } from '../../contract/offer.js';
import { seededBytes, SeededNumbers } from './seeded.js';

const CONCURRENT = 4;

/** Node writes to a pipe synchronously, so what was said before kill -9 arrives. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function sizeOf(numbers: SeededNumbers): number {
  const kind = numbers.below(10);
  if (kind < 5) return 1 + numbers.below(SMALL_CHUNK_BYTES - 1);
  if (kind < 9) return SMALL_CHUNK_BYTES + numbers.below(8 * SEGMENT_BYTES);
  return MAX_CHUNK_BYTES;
}

async function work(store: DiskStore, name: string): Promise<never> {
  const numbers = new SeededNumbers(name);
  const mine: ChunkId[] = [];
  for (let round = 0; ; round++) {
    const seed = createHash('sha256')
      .update(`${name} ${String(round)}`)
      .digest('hex');
    const offer = offerOf(seededBytes(seed, sizeOf(numbers)));
    await store.put(offer.header, segmentsOf(offer.content, SEGMENT_BYTES), { signal: NEVER });
    say(`put ${offer.header.id} ${String(offer.header.bytes)} ${seed}`);
    mine.push(offer.header.id);
    if (numbers.below(3) === 0) {
      const [victim] = mine.splice(numbers.below(mine.length), 1);
      if (victim === undefined) continue;
      say(`deleting ${victim}`);
      await store.delete(OWNER, [victim], { signal: NEVER });
      say(`deleted ${victim}`);
    }
  }
}

const [directory = '', seed = ''] = process.argv.slice(2);
const store = await DiskStore.open({ directory, reserveBytes: 0 });
say('open');
await Promise.all(Array.from({ length: CONCURRENT }, (_, index) => work(store, `${seed} ${String(index)}`)));
