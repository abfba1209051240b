import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ChunkId, PeerId, UserId } from '../../src/chunk/ids.js';
import { parsePeerId, parseUserId, stripeId } from '../../src/chunk/ids.js';
import { encodeDeleteOrder, encodeGrant } from '../../src/chunk/grant.js';
import { encodeInventoryOrder } from '../../src/chunk/inventory-order.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { describeChunk, type ChunkShape } from '../../src/chunk/segments.js';
import { sealSigned } from '../../src/chunk/signed.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
  type NetworkAuthority,
  type PeerKeyPair,
} from '../../src/crypto/certificates.js';
import { peerIdOf } from '../../src/crypto/peer-identity.js';
import { userId } from '../../src/crypto/root-key.js';
import { GRANT_LIFETIME_MS } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';
import type { PeerChannelOptions } from '../../src/wire/peer-channel.js';
import { PeerServer, type Listening, type PeerServices } from '../../src/wire/server.js';
import type { TlsIdentity } from '../../src/wire/tls.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A peer of a test network: its keys, and what others know of it. */
export interface TestPeer {
  readonly id: PeerId;
  readonly keys: PeerKeyPair;
  readonly certificate: Uint8Array;
  readonly tls: TlsIdentity;
}

/** Certificates of one authority. */
export class TestNetwork {
  readonly #authority: NetworkAuthority;

  private constructor(authority: NetworkAuthority) {
    this.#authority = authority;
  }

  static async open(): Promise<TestNetwork> {
    return new TestNetwork(await createAuthority('test network', Date.now()));
  }

  /** A new certificate for the key of a peer. */
  renew({ keys }: TestPeer): Promise<TestPeer> {
    return this.peer({ keys });
  }

  async peer(
    options: { readonly ageDays?: number; readonly days?: number; readonly keys?: PeerKeyPair } = {},
  ): Promise<TestPeer> {
    const keys = options.keys ?? newPeerKeyPair();
    const certificate = await issueCertificate(this.#authority, {
      publicKey: keys.publicKey,
      name: 'test peer',
      days: options.days ?? 30,
      hosts: ['127.0.0.1'],
      nowMs: Date.now() - (options.ageDays ?? 0) * DAY_MS,
    });
    const tls = {
      key: privateKeyToPem(keys.privateKey),
      certificate: certificateToPem(certificate),
      authority: this.#authority.certificate,
    };
    return { id: parsePeerId(peerIdOf(certificate)), keys, certificate, tls };
  }
}

/** A server of `peer` that everybody may call; `options` change that. */
export function serve(peer: TestPeer, options: Partial<Listening & PeerServices>): Promise<PeerServer> {
  return PeerServer.open({
    address: '127.0.0.1:0',
    tls: peer.tls,
    isMember: () => true,
    logger: silentLogger(),
    ...options,
  });
}

/** How `client` reaches `target`, which listens on `port`. */
export function reach(client: TestPeer, target: TestPeer, port: number): PeerChannelOptions {
  const address = `127.0.0.1:${String(port)}`;
  return { peer: { id: target.id, address, certificate: target.certificate }, tls: client.tls };
}

/** Somebody who signs labels, grants and orders. */
export class TestUser {
  readonly id: UserId;
  readonly #by: { readonly privateKey: KeyObject; readonly publicKey: Uint8Array };

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    this.#by = { privateKey, publicKey: raw };
    this.id = parseUserId(userId(raw));
  }

  /** A label of a 2+1 stripe whose first chunk is this one, and a grant for `source` to store it. */
  authorize(
    chunk: ChunkShape & { readonly id: ChunkId },
    source: PeerId,
    change: { readonly bytes?: number; readonly expiresMs?: number } = {},
  ): { readonly label: Uint8Array; readonly grant: Uint8Array } {
    const chunks = [chunk.id, ...[1, 2].map((salt) => describeChunk(Buffer.from(`${chunk.id}${String(salt)}`)).id)];
    const stripeBytes = 2 * chunk.bytes;
    const directoryBytes = Math.min(stripeBytes, 1024);
    const label = encodeLabel({
      owner: this.id,
      k: 2,
      m: 1,
      stripeBytes,
      chunkBytes: chunk.bytes,
      directoryOffset: stripeBytes - directoryBytes,
      directoryBytes,
      chunks,
    });
    const grant = encodeGrant({
      owner: this.id,
      sourcePeer: source,
      stripe: stripeId(2, 1, chunks),
      bytes: change.bytes ?? 3 * chunk.bytes,
      expiresMs: change.expiresMs ?? Date.now() + GRANT_LIFETIME_MS,
    });
    return { label: sealSigned('label', label, this.#by), grant: sealSigned('grant', grant, this.#by) };
  }

  orderDelete(target: PeerId, chunks: readonly ChunkId[]): Uint8Array {
    const order = encodeDeleteOrder({ owner: this.id, targetPeer: target, chunks, issuedMs: Date.now() });
    return sealSigned('delete', order, this.#by);
  }

  orderList(source: PeerId, target: PeerId, issuedMs = Date.now()): Uint8Array {
    const order = encodeInventoryOrder({ owner: this.id, sourcePeer: source, targetPeer: target, issuedMs });
    return sealSigned('inventory', order, this.#by);
  }
}
