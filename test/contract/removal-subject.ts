/** For tests of removals: an engine of which only the outbox is real. */
import type { TestContext } from 'node:test';
import type { FreedStripe, Session, StripeRecord } from '../../src/catalog/catalog.js';
import { type ChunkId, parsePeerId, parseUserId, type PeerId, type StripeId } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import type { Engine } from '../../src/file/engine.js';
import { PutCommit } from '../../src/file/put-commit.js';
import type { PutResult } from '../../src/file/put-file.js';
import type { Target } from '../../src/file/worker/protocol.js';
import { silentLogger } from '../../src/log.js';
import { Outbox } from '../../src/store/outbox.js';
import { openPeerState } from '../../src/store/peer-state.js';
import { temporaryFolder } from './offer.js';

export function id(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, value);
  return bytes;
}

export function number(hex: string): string {
  return String(Number.parseInt(hex, 16));
}

export const signal = new AbortController().signal;
export const session = { token: 't', user: parseUserId(id(1)), name: 'demo', publicKey: new Uint8Array(32) } as Session;
export const TARGETS = [1, 2, 3, 4].map((n): Target => ({
  id: parsePeerId(id(n)),
  name: '',
  address: 'x:1',
  certificate: id(n),
  doubtful: false,
}));

/** An engine with a real outbox and a catalog that knows which stripes are referred to. */
export class Subject {
  readonly referred = new Set<StripeId>();
  readonly pinned = new Set<StripeId>();
  readonly records = new Map<StripeId, StripeRecord>();
  readonly forgotten: StripeId[] = [];
  /** What lies in what was removed for ever. */
  freed: readonly FreedStripe[] = [];
  /** One for each commit; the last stands for all that follow. */
  commitsFail: readonly StorageError[] = [];
  unreferencedFails: StorageError | undefined;
  forgettingFails: StorageError | undefined;
  /** Happens when the catalog has looked for what refers to stripes, before it answers. */
  meanwhile: () => void = () => undefined;
  carryOutFails: Error | undefined;
  /** Somebody else is faster. */
  isCarriedOut = false;
  readonly removedPeers = new Set<string>();
  waitingFor: readonly PeerId[] = [];
  nowMs = 1_000_000;
  /** The peers answer. */
  areUp = false;
  /** What they were told to delete, as "peer chunk". */
  readonly deleted: string[] = [];
  readonly failures: StorageError[] = [];
  readonly stored: PutResult[] = [];
  outbox: Outbox;

  private constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  static async open(context: TestContext): Promise<Subject> {
    const directory = await temporaryFolder(context);
    const clock = { now: (): number => 0 };
    const state = await openPeerState(directory);
    const subject = new Subject(Outbox.over(state, () => clock.now()));
    clock.now = () => subject.nowMs;
    context.after(() => state.close());
    return subject;
  }

  get engine(): Engine {
    const catalog = {
      unreferenced: async (_session: Session, ids: readonly StripeId[]) => {
        if (this.unreferencedFails !== undefined) throw this.unreferencedFails;
        const unreferenced = ids.filter((one) => !this.referred.has(one));
        this.meanwhile();
        return unreferenced;
      },
      putStripes: async (records: readonly StripeRecord[]) => {
        for (const record of records) this.records.set(record.id, record);
      },
      stripes: async (ids: readonly StripeId[]) => ids.map((one) => this.records.get(one)),
      commit: async (
        _session: Session,
        versions: readonly { manifest: { extents: readonly { stripe: StripeId }[] } }[],
      ) => {
        const [failure, ...next] = this.commitsFail;
        if (next.length > 0) this.commitsFail = next;
        if (failure !== undefined) throw failure;
        for (const { manifest } of versions) for (const { stripe } of manifest.extents) this.referred.add(stripe);
      },
      remove: async () => ({ files: 1 }),
      emptyTrash: async () => ({ files: 1 }),
      dueRemovals: async () => {
        const due = this.freed.length > 0 ? [{ node: 'n', stripes: this.freed }] : [];
        return { due, waitingFor: this.waitingFor };
      },
      carryOutRemovals: async () => {
        if (this.carryOutFails !== undefined) throw this.carryOutFails;
        const stripes = this.freed.map(({ stripe: freed }) => freed);
        this.freed = [];
        if (this.isCarriedOut) return [];
        return stripes.filter((one) => !this.referred.has(one));
      },
      sign: async () => new Uint8Array(),
      forgetStripes: async (_session: Session, ids: readonly StripeId[]) => {
        if (this.forgettingFails !== undefined) throw this.forgettingFails;
        this.forgotten.push(...ids);
      },
    };
    const links = {
      store: (peer: PeerId) => {
        if (!this.areUp) throw new StorageError('UNAVAILABLE', 'Nobody is there.');
        const note = (chunk: ChunkId): unknown => this.deleted.push(`${number(peer)} ${number(chunk)}`);
        return {
          delete: async (_: unknown, chunks: readonly ChunkId[]) => {
            chunks.forEach(note);
          },
        };
      },
    };
    const { outbox, pinned } = this;
    const book = {
      get: (peer: PeerId) => ({ state: this.removedPeers.has(number(peer)) ? 'removed' : 'member' }),
      nameOf: (peer: PeerId) => `peer-${number(peer)}`,
    };
    return { catalog, links, book, outbox, pinned, logger: silentLogger() } as unknown as Engine;
  }

  put(): PutCommit {
    const events = {
      onStored: (_: unknown, result: PutResult) => void this.stored.push(result),
      onFailed: () => undefined,
    };
    const fail = (_: unknown, error: StorageError): void => void this.failures.push(error);
    return new PutCommit({ engine: this.engine, session, events, signal, fail });
  }

  /** Chunks that wait to be deleted, as "peer chunk", now or later. */
  deletes(laterMs = 0): string[] {
    this.nowMs += laterMs;
    return this.outbox
      .due(session.user)
      .flatMap(({ deletes }) => deletes)
      .map(({ peer, chunk }) => `${number(peer)} ${number(chunk)}`);
  }
}
