import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePeerId } from '../../chunk/ids.js';
import { silentLogger } from '../../log.js';
import { Checkpoints } from './checkpoints.js';
import type { Checkpoint, Endpoint, FeedPage, FeedRequest, NamedRevisions } from './endpoint.js';
import { QUIET_MS } from './pace.js';
import { ReplicationStream } from './stream.js';
import { Turns } from './turns.js';

/** A side in memory, whose feed is quiet when it is told to be. */
class Side implements Endpoint {
  readonly documents: string[] = [];
  readonly waits: number[] = [];
  written = 0;
  offered = 0;
  #checkpoint: Checkpoint | undefined;
  #wake: () => void = () => undefined;

  add(id: string): void {
    this.documents.push(id);
    this.#wake();
  }

  /** Ends a feed that waits. */
  beQuiet(): void {
    this.#wake();
  }

  async feed({ since, waitMs, signal }: FeedRequest): Promise<FeedPage> {
    if (waitMs > 0 && Number(since) === this.documents.length) {
      this.waits.push(waitMs);
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => {
          reject(new Error('The stream ends.'));
        });
      });
    }
    const changes = this.documents.slice(Number(since)).map((id) => ({ id, revs: ['1-a'] }));
    return { changes, last: String(this.documents.length), pending: 0 };
  }

  async missing(changes: readonly NamedRevisions[]): Promise<readonly NamedRevisions[]> {
    this.offered += changes.length;
    return changes.filter(({ id }) => !this.documents.includes(id));
  }

  async *read(wanted: readonly NamedRevisions[]): ReturnType<Endpoint['read']> {
    yield { revisions: wanted.map(({ id }) => ({ _id: id, _rev: '1-a' })), refused: [] };
  }

  async write(revisions: readonly { readonly _id: string }[]): Promise<readonly []> {
    for (const { _id } of revisions) this.add(_id);
    return [];
  }

  async checkpoint(): Promise<Checkpoint | undefined> {
    return this.#checkpoint;
  }

  async setCheckpoint(_id: string, checkpoint: Checkpoint): Promise<void> {
    this.written++;
    this.#checkpoint = checkpoint;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; !isSo(); n++) {
    assert.ok(n < 20_000, 'it never came to this');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function replicate(source: Side, target: Side, session: string): ReplicationStream {
  return new ReplicationStream({
    ...{ host: parsePeerId(new Uint8Array(32).fill(1)), database: 'stripes', direction: 'push' },
    connect: async () => {
      const checkpoints = new Checkpoints('x', { here: source, there: target }, session);
      return { source, target, checkpoints, release: () => undefined };
    },
    ...{ turns: new Turns(1), logger: silentLogger(), nowMs: Date.now, random: Math.random },
  });
}

describe('a replication of changes that follow each other', () => {
  it('copies each at once, writes its place down when they end, and goes on from there', async () => {
    const [source, target] = [new Side(), new Side()];
    const first = replicate(source, target, 'first');
    for (let n = 1; n <= 6; n++) {
      await until(() => source.waits.length === n);
      source.add(String(n));
      await until(() => target.documents.length === n);
    }
    await until(() => source.waits.length === 7);
    assert.equal(target.written, 1, 'after the first');
    source.beQuiet();
    await until(() => source.waits.length === 8);
    assert.deepEqual([source.written, target.written], [2, 2]);
    assert.ok((source.waits.at(-2) ?? 0) < (source.waits.at(-1) ?? 0), 'it is not asked again and again');
    source.add('7');
    await until(() => target.documents.length === 7);
    await first.close();

    target.offered = 0;
    const second = replicate(source, target, 'second');
    await until(() => source.waits.length === 9);
    assert.equal(target.offered, 1, 'what was not written down is offered again');
    await second.close();
    assert.deepEqual(target.documents, source.documents);
  });

  it('is found out when its target was put back to a copy of before they began', async () => {
    const [source, target] = [new Side(), new Side()];
    const stream = replicate(source, target, 'only');
    const copied = async (count: number): Promise<void> => {
      for (let n = source.documents.length + 1; n <= count; n++) {
        await until(() => source.waits.length >= n);
        source.add(String(n));
        await until(() => target.documents.length === n);
      }
    };
    await copied(1);
    const copy = { documents: [...target.documents], checkpoint: await target.checkpoint() };
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS + 1));
    await copied(3);
    await until(() => source.waits.length === 4);
    target.documents.splice(0, Infinity, ...copy.documents);
    await target.setCheckpoint('x', copy.checkpoint ?? assert.fail());
    source.beQuiet();
    await until(() => stream.state.phase === 'failing');
    stream.retryNow();
    await until(() => target.documents.length === 3);
    await stream.close();
  });
});
