import { open, type FileHandle } from 'node:fs/promises';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskStore } from '../../src/store/disk-store.js';
import { lie as lieAbout } from '../../test/planet/damage.js';
import type { Bend, Lie } from './bend.js';

/** Every connection of this process over TCP begins at this address of the loopback network. */
export function connectFrom(localAddress: string): void {
  const sockets = net.Socket.prototype as { connect: (this: net.Socket, ...words: unknown[]) => net.Socket };
  const honest = sockets.connect;
  sockets.connect = function (...words) {
    // Node's own callers have put the arguments in order by then: [options, callback].
    const [first] = words;
    const options: unknown = Array.isArray(first) ? first[0] : first;
    if (isTcp(options)) options.localAddress = localAddress;
    return honest.apply(this, words);
  };
}

function isTcp(options: unknown): options is net.TcpSocketConnectOpts {
  return typeof options === 'object' && options !== null && 'port' in options && !('path' in options && options.path);
}

/** Jumps after a while, under whatever runs then. */
export function turnClock({ aheadMs, afterMs }: NonNullable<Bend['clock']>): void {
  const Honest = Date;
  const begun = performance.now();
  const now = (): number => Honest.now() + (performance.now() - begun < afterMs ? 0 : aheadMs);
  globalThis.Date = new Proxy(Honest, {
    construct: (target, words, made) => Reflect.construct(target, words.length === 0 ? [now()] : words, made) as Date,
    apply: () => new Honest(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
}

/** Of every store of chunks that this process opens. */
export function tellLies(lie: Lie): void {
  const honest = DiskStore.open.bind(DiskStore);
  DiskStore.open = async (options) => {
    const store = await honest(options);
    LIES[lie](store);
    return store;
  };
}

const LIES: Readonly<Record<Lie, (store: DiskStore) => void>> = {
  bytes: (store) => {
    lieAbout(store, { bytes: ({ bytes }) => bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)) });
  },
  holding: (store) => {
    store.has = (ids) => Promise.resolve(new Set(ids));
    store.put = () => Promise.resolve({ existed: true, resent: 0 });
  },
  deletes: (store) => {
    store.delete = () => Promise.resolve();
  },
};

const WORKS = ['read', 'write', 'writev', 'sync', 'datasync'] as const;

export async function slowDisk(delayMs: number): Promise<void> {
  await using any = await open(process.execPath);
  const files = Object.getPrototypeOf(any) as Record<string, (this: FileHandle, ...words: unknown[]) => unknown>;
  for (const work of WORKS) {
    const honest = files[work];
    if (honest === undefined) continue;
    files[work] = async function (this: FileHandle, ...words: unknown[]) {
      await sleep(delayMs);
      return honest.apply(this, words);
    };
  }
}
