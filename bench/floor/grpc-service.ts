import type { TlsIdentity } from '../../src/wire/tls.js';

/** Nothing is encoded: what a message holds is the protocol's business, what moving it costs is the floor's. */
function asIs(bytes: Buffer): Buffer {
  return bytes;
}

const CODEC = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };

/** The shapes of StoreChunk and SendChunk. */
export const FLOOR_SERVICE = {
  /** Answers one empty message when all have come. */
  upload: { ...CODEC, path: '/shoal.bench.Floor/Upload', requestStream: true, responseStream: true },
  /** The request is the number of messages wanted, u32. */
  download: { ...CODEC, path: '/shoal.bench.Floor/Download', requestStream: false, responseStream: true },
} as const;

/** Between the benchmark and the server's process. */
export type ToServer = { readonly tls: TlsIdentity } | 'usage';
export type FromServer = { readonly port: number } | { readonly cpuSeconds: number };
