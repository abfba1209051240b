import { assert } from '../../src/errors.js';
import type { Scheme } from '../../src/peers/scheme.js';

export const PRIMITIVES = {
  read: 'read of files, from the page cache',
  seal: 'ChaCha20-Poly1305 seal, 64 KiB blocks',
  unseal: 'ChaCha20-Poly1305 unseal, 64 KiB blocks',
  hash: 'SHA-256, 128 KiB at once',
  code: 'Reed–Solomon, parity of a stripe',
  upload: 'gRPC with TLS over loopback, upload, both sides',
  download: 'gRPC with TLS over loopback, download, both sides',
  store: 'write and fsync of 4 MiB files, as chunks are written',
  write: 'write of a file, without fsync, as a get writes it',
} as const;
export type Primitive = keyof typeof PRIMITIVES;

/** Bytes that pass through each primitive for one byte of the file. */
export type Weights = Readonly<Partial<Record<Primitive, number>>>;
export const FLOOR_WORKS = ['put', 'get', 'degraded'] as const;
export type FloorWork = (typeof FLOOR_WORKS)[number];

/** Peers that are dead in `degraded`; the source peer is not among them. */
export const DEAD_PEERS = 2;

/**
 * What must be moved when each peer holds one chunk of every stripe and each stripe places its chunks anew, so that every
 * peer is as likely as any other to hold a given chunk. The source peer reads and writes its own chunks without the network.
 */
export function floorWeights({ k, m }: Scheme): Readonly<Record<FloorWork, Weights>> {
  const n = k + m;
  assert(m >= DEAD_PEERS, 'a scheme that survives the dead peers');
  const expansion = n / k;
  // A data chunk, 1/k of the stripe, lies at the source peer in k of n stripes.
  const local = (1 / k) * (k / n);
  // The kernel's time grows with the chunks it computes: m of them in the primitive, the lost data chunks here.
  const lostData = DEAD_PEERS * (k / n);
  // The living hold n − DEAD_PEERS chunks, the source peer one of them: any k are read, its own among them.
  const degradedRemote = (k - 1) / k;
  return {
    // The source hashes every chunk to name it; the targets, to check it.
    put: { read: 1, seal: 1, hash: 2 * expansion, code: 1, upload: (expansion * (n - 1)) / n, store: expansion },
    // No hash: the tags of the sealed blocks prove the bytes.
    get: { read: 1, download: 1 - local, unseal: 1, write: 1 },
    degraded: { read: 1, download: degradedRemote, code: lostData / m, unseal: 1, write: 1 },
  };
}

/** CPU-seconds per GiB of the file. @param cost CPU-seconds per GiB of each primitive's own bytes */
export function floorSum(weights: Weights, cost: Readonly<Record<Primitive, number>>): number {
  return Object.entries(weights).reduce((sum, [primitive, weight]) => sum + weight * cost[primitive as Primitive], 0);
}
