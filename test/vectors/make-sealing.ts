/**
 * Wrote test/vectors/sealing.json, once: `node dist/test/vectors/make-sealing.js`. The vectors are frozen, so it never
 * overwrites them; a changed format is a new file beside the old one.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { toHex, utf8 } from '../../src/bytes.js';
import { type DirectoryExtent, sealDirectory } from '../../src/chunk/directory.js';
import { encodeDeleteOrder, encodeGrant } from '../../src/chunk/grant.js';
import {
  idBytes,
  parseChunkId,
  parseFileId,
  parsePeerId,
  parseUserId,
  parseVersionId,
  stripeId,
} from '../../src/chunk/ids.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { makeReceipt } from '../../src/chunk/receipt.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { sealSigned } from '../../src/chunk/signed.js';
import { wrapRootKey } from '../../src/crypto/passphrase.js';
import { peerIdOf } from '../../src/crypto/peer-identity.js';
import { deriveUserKeys, stripeDirectoryKey, userId } from '../../src/crypto/root-key.js';
import { sealedBytes, sealedRange, sealExtentInto, unsealExtent } from '../../src/crypto/seal.js';
import { signP256 } from '../../src/crypto/signature.js';
import type { ErrorCode } from '../../src/errors.js';
import { DeleteOrder, Directory, Grant, Signed, StripeLabel } from '../../src/gen/shoal/v1/format.js';
import { BLOCK_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { type BadExtent, pattern, SEALING_VECTORS, type SealingVectors } from './sealing-vectors.js';

const SHORT_BYTES = 64;
const HEADER_BYTES = 34;
const WRAP_COMMITMENT_BYTES = 32;
const SEALED_BLOCK_BYTES = BLOCK_BYTES + 16;
const NOW_MS = 1_790_000_000_000;

/** Keys of vectors are hashes of their names, so that anybody sees that nothing is hidden in them. */
function keyOf(name: string): Uint8Array {
  return createHash('sha256')
    .update(utf8(`shoal vector ${name}`))
    .digest();
}

function seal(name: string, bytes: number): Uint8Array {
  const out = new Uint8Array(sealedBytes(bytes));
  sealExtentInto(keyOf(name), pattern(bytes), out);
  return out;
}

const LENGTHS: Readonly<Record<string, number>> = {
  'one byte': 1,
  'sixteen bytes': 16,
  'one byte less than a block': BLOCK_BYTES - 1,
  'one block': BLOCK_BYTES,
  'one byte more than a block': BLOCK_BYTES + 1,
  'three blocks, the last short': 2 * BLOCK_BYTES + 100,
  'three full blocks': 3 * BLOCK_BYTES,
};

function goodExtents(): SealingVectors['extents']['good'] {
  return Object.entries(LENGTHS).map(([name, bytes]) => {
    const sealed = seal(name, bytes);
    return {
      name,
      key: toHex(keyOf(name)),
      bytes,
      sealedBytes: sealed.length,
      sealedSha256: createHash('sha256').update(sealed).digest('hex'),
      ...(bytes <= SHORT_BYTES ? { sealed: toHex(sealed) } : {}),
    };
  });
}

function badExtents(): BadExtent[] {
  const [short, full, single] = ['three blocks, the last short', 'three full blocks', 'sixteen bytes'] as const;
  const end = sealedBytes(2 * BLOCK_BYTES + 100);
  const border = (index: number): number => HEADER_BYTES + index * SEALED_BLOCK_BYTES;
  const slice = (start: number, until: number, of: string = short) => ({ of, start, end: until });
  const header = slice(0, HEADER_BYTES);
  const [b0, b1, b2] = [slice(border(0), border(1)), slice(border(1), border(2)), slice(border(2), end)];
  const whole = slice(0, end);
  const flip = (name: string, at: number, error: ErrorCode = 'CORRUPT'): BadExtent => {
    return { name, extent: short, slices: [whole], xor: [{ at, with: 1 }], error };
  };
  const corrupt = (name: string, slices: BadExtent['slices'], more: Partial<BadExtent> = {}): BadExtent => {
    return { name, extent: short, slices, error: 'CORRUPT', ...more };
  };
  return [
    corrupt('another key', [whole], { key: toHex(keyOf('nobody')) }),
    { ...flip('version 2', 0), xor: [{ at: 0, with: 3 }], error: 'UNSUPPORTED' },
    flip('codec 1', 1, 'UNSUPPORTED'),
    flip('flipped bit in the first byte of the commitment', 2),
    flip('flipped bit in the last byte of the commitment', 33),
    flip('flipped bit in the first block', border(0)),
    flip('flipped bit in the tag of the first block', border(1) - 1),
    flip('flipped bit in the last block', border(2) + 50),
    flip('flipped bit in the last tag', end - 1),
    corrupt('first two blocks swapped', [header, b1, b0, b2]),
    corrupt('last two blocks swapped', [header, b0, b2, b1]),
    corrupt('first block dropped', [header, b1, b2]),
    corrupt('middle block dropped', [header, b0, b2]),
    corrupt('last block dropped: truncated at a border', [header, b0, b1]),
    corrupt('first block duplicated', [header, b0, b0, b1, b2]),
    corrupt('last block duplicated', [header, b0, b1, b2, b2]),
    corrupt('a block replaced by another', [header, b0, b0, b2]),
    corrupt('truncated by one byte', [slice(0, end - 1)]),
    corrupt('truncated to the tag of the last block', [slice(0, border(2) + 16)]),
    corrupt('truncated within the tag of the last block', [slice(0, border(2) + 7)]),
    corrupt('nothing but the header', [header]),
    corrupt('half a header', [slice(0, 17)]),
    corrupt('empty', []),
    corrupt('a byte appended', [whole], { append: '00' }),
    corrupt('an empty last block appended', [whole], { append: '00'.repeat(16) }),
    corrupt('a whole extent appended', [whole, whole]),
    corrupt('first block of another extent', [header, slice(border(0), border(1), full), b1, b2]),
    corrupt('last block of another extent', [header, b0, b1, slice(border(2), border(3), full)]),
    corrupt('header of another extent', [slice(0, HEADER_BYTES, full), b0, b1, b2]),
    corrupt('another extent under this key', [slice(0, border(3), full)]),
    corrupt('a single block, its last byte cut', [slice(0, 65, single)], { extent: single }),
  ];
}

function ranges(): SealingVectors['ranges'] {
  const total = 2 * BLOCK_BYTES + 100;
  return [
    [0, 1],
    [0, BLOCK_BYTES],
    [BLOCK_BYTES - 1, BLOCK_BYTES + 1],
    [BLOCK_BYTES, 2 * BLOCK_BYTES],
    [2 * BLOCK_BYTES + 99, total],
    [5, total - 5],
    [0, total],
  ].map(([start = 0, end = 0]) => {
    const range = sealedRange(start, end, total);
    const { firstBlock, skip } = range;
    return { total, start, end, sealedStart: range.start, sealedEnd: range.end, firstBlock, skip };
  });
}

const rootKey = keyOf('root key');
const keys = deriveUserKeys(rootKey);
const stranger = deriveUserKeys(keyOf('stranger')).signing;
const owner = parseUserId(userId(keys.signing.publicKey));
const CHUNKS = Array.from({ length: 6 }, (_, index) => parseChunkId(toHex(keyOf(`chunk ${String(index)}`))));
const STRIPE = stripeId(4, 2, CHUNKS);
const PEER = parsePeerId(toHex(keyOf('peer')));

async function wrap(): Promise<SealingVectors['wrap']> {
  // A sharp s, a circled digit and a composed letter: NFKC changes two of them, and must be applied.
  const passphrase = 'Stra\u00dfe \u2460 \u00e9';
  const made = await wrapRootKey(passphrase, rootKey, { user: owner, version: 1 });
  const sealed = Uint8Array.from(made.sealed);
  sealed[WRAP_COMMITMENT_BYTES] = (sealed[WRAP_COMMITMENT_BYTES] ?? 0) ^ 1;
  return {
    passphrase,
    good: { user: owner, version: 1, ...made, salt: toHex(made.salt), sealed: toHex(made.sealed) },
    bad: [
      { name: 'wrong passphrase', passphrase: 'Strasse 1 e', error: 'UNAUTHENTICATED' },
      { name: 'another user', user: toHex(keyOf('nobody')), error: 'UNAUTHENTICATED' },
      { name: 'another version', version: 2, error: 'UNAUTHENTICATED' },
      { name: 'flipped bit in the sealed key', sealed: toHex(sealed), error: 'UNAUTHENTICATED' },
      { name: 'less memory than the floor', memoryKib: made.memoryKib - 1, error: 'PERMISSION_DENIED' },
      { name: 'fewer passes than the floor', passes: 2, error: 'PERMISSION_DENIED' },
      { name: 'no lanes', lanes: 0, error: 'PERMISSION_DENIED' },
      { name: 'more memory than the ceiling', memoryKib: 1024 * 1024 + 1, error: 'UNSUPPORTED' },
      { name: 'short salt', salt: '00'.repeat(15), error: 'CORRUPT' },
      { name: 'short sealed key', sealed: '00'.repeat(79), error: 'CORRUPT' },
    ],
  };
}

async function directory(): Promise<SealingVectors['directory']> {
  const offset = 70_000;
  const salt = keyOf('directory salt');
  const extent: DirectoryExtent = {
    file: parseFileId('11'.repeat(16)),
    version: parseVersionId('22'.repeat(16)),
    path: '/photos/K\u00f6ln \u{1f431}.jpg',
    modifiedMs: NOW_MS,
    mode: 0o644,
    fileOffset: 0,
    last: true,
    key: keyOf('extent in the directory'),
    offset: 0,
    sealedBytes: sealedBytes(5000),
    bytes: 5000,
  };
  const rest = { ...extent, path: '/big', fileOffset: 2 ** 40, offset: sealedBytes(5000), bytes: 60_000 };
  const empty = { ...extent, path: '/empty', key: new Uint8Array(0), sealedBytes: 0, bytes: 0 };
  const entries = [extent, { ...rest, sealedBytes: sealedBytes(60_000), last: false }, empty];
  const key = stripeDirectoryKey(keys.directoryKey, salt);
  const sealed = await sealDirectory(entries, offset, () => key, salt);
  const encode = (change: Partial<DirectoryExtent>, format = 1): string => {
    const entry = { ...extent, ...change };
    const raw = { ...entry, file: idBytes(entry.file), version: idBytes(entry.version), createdMs: 0 };
    return toHex(Directory.encode({ format, entries: [raw] }).finish());
  };
  return {
    offset,
    salt: toHex(salt),
    key: toHex(key),
    plaintext: toHex(Buffer.concat([...unsealExtent(key, sealed.subarray(32))])),
    sealed: toHex(sealed),
    entries: entries.map((entry) => ({ ...entry, key: toHex(entry.key) })),
    bad: [
      { name: 'format 2', plaintext: encode({}, 2), error: 'UNSUPPORTED' },
      { name: 'no format', plaintext: encode({}, 0), error: 'UNSUPPORTED' },
      { name: 'empty', plaintext: '', error: 'CORRUPT' },
      { name: 'relative path', plaintext: encode({ path: 'a' }), error: 'CORRUPT' },
      { name: 'path with ..', plaintext: encode({ path: '/a/../b' }), error: 'CORRUPT' },
      { name: 'path with a control character', plaintext: encode({ path: '/a\u001bb' }), error: 'CORRUPT' },
      { name: 'short key', plaintext: encode({ key: new Uint8Array(31) }), error: 'CORRUPT' },
      { name: 'no bytes, yet a key', plaintext: encode({ bytes: 0 }), error: 'CORRUPT' },
      { name: 'lengths that disagree', plaintext: encode({ bytes: 4999 }), error: 'CORRUPT' },
      { name: 'extent that reaches into the directory', plaintext: encode({ offset: 66_000 }), error: 'CORRUPT' },
      { name: 'mode beyond 07777', plaintext: encode({ mode: 0o10000 }), error: 'CORRUPT' },
    ],
  };
}

type Purpose = 'label' | 'grant' | 'delete';

/** What is refused of any signed record. */
function badSigned(purpose: Purpose, body: Uint8Array): SealingVectors['label']['bad'] {
  const good = Signed.decode(sealSigned(purpose, body, keys.signing));
  const with1 = (change: Partial<Signed>): string => toHex(Signed.encode({ ...good, ...change }).finish());
  const flipped = Uint8Array.from(good.signature);
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const otherPurpose = purpose === 'grant' ? 'label' : 'grant';
  return [
    { name: 'signed by somebody else', signed: toHex(sealSigned(purpose, body, stranger)), error: 'PERMISSION_DENIED' },
    {
      name: 'signed for another purpose',
      signed: toHex(sealSigned(otherPurpose, body, keys.signing)),
      error: 'PERMISSION_DENIED',
    },
    {
      name: "another's key on the signature",
      signed: with1({ publicKey: stranger.publicKey }),
      error: 'PERMISSION_DENIED',
    },
    { name: 'flipped bit in the signature', signed: with1({ signature: flipped }), error: 'PERMISSION_DENIED' },
    { name: 'no signature', signed: with1({ signature: new Uint8Array(0) }), error: 'PERMISSION_DENIED' },
    { name: 'body altered', signed: with1({ body: body.subarray(1) }), error: 'PERMISSION_DENIED' },
    { name: 'not a message', signed: 'ffffffff', error: 'CORRUPT' },
  ];
}

function badBodies(
  purpose: Purpose,
  bodies: readonly [string, BinaryWriter, ErrorCode][],
): SealingVectors['label']['bad'] {
  return bodies.map(([name, body, error]) => {
    return { name, signed: toHex(sealSigned(purpose, body.finish(), keys.signing)), error };
  });
}

function label(): SealingVectors['label'] {
  const fields = {
    owner,
    k: 4,
    m: 2,
    stripeBytes: 10_001,
    chunkBytes: 2501,
    directoryOffset: 9001,
    directoryBytes: 1000,
  };
  const body = encodeLabel({ ...fields, chunks: CHUNKS });
  const bad = (change: Partial<StripeLabel>) => StripeLabel.encode({ ...StripeLabel.decode(body), ...change });
  return {
    fields: { ...fields, chunks: CHUNKS },
    stripe: STRIPE,
    body: toHex(body),
    signed: toHex(sealSigned('label', body, keys.signing)),
    bad: [
      ...badSigned('label', body),
      ...badBodies('label', [
        ['format 2', bad({ format: 2 }), 'UNSUPPORTED'],
        ['segments of another size', bad({ segmentBytes: 2 * SEGMENT_BYTES }), 'UNSUPPORTED'],
        ['one data chunk', bad({ k: 1, m: 5, chunkBytes: 10_001 }), 'CORRUPT'],
        ['65 chunks', bad({ m: 61 }), 'CORRUPT'],
        ['a chunk too few', bad({ chunks: CHUNKS.slice(1).map(idBytes) }), 'CORRUPT'],
        ['short chunk id', bad({ chunks: CHUNKS.map((id) => idBytes(id).subarray(1)) }), 'CORRUPT'],
        ['chunks of the wrong length', bad({ chunkBytes: 2502 }), 'CORRUPT'],
        ['a gap after the directory', bad({ directoryOffset: 9000 }), 'CORRUPT'],
        ['a directory beyond the end', bad({ directoryOffset: 9002 }), 'CORRUPT'],
        ['no directory', bad({ directoryOffset: 10_001, directoryBytes: 0 }), 'CORRUPT'],
      ]),
    ],
  };
}

function grant(): SealingVectors['grant'] {
  const fields = { owner, sourcePeer: PEER, stripe: STRIPE, bytes: 15_006, expiresMs: NOW_MS + 3_600_000 };
  const body = encodeGrant(fields);
  const short = Grant.encode({ ...Grant.decode(body), stripe: new Uint8Array(31) });
  return {
    fields,
    body: toHex(body),
    signed: toHex(sealSigned('grant', body, keys.signing)),
    bad: [...badSigned('grant', body), ...badBodies('grant', [['short stripe id', short, 'CORRUPT']])],
  };
}

function deleteOrder(): SealingVectors['deleteOrder'] {
  const fields = { owner, targetPeer: PEER, chunks: CHUNKS, issuedMs: NOW_MS };
  const body = encodeDeleteOrder(fields);
  const none = DeleteOrder.encode({ ...DeleteOrder.decode(body), chunks: [] });
  return {
    fields,
    body: toHex(body),
    signed: toHex(sealSigned('delete', body, keys.signing)),
    bad: [...badSigned('delete', body), ...badBodies('delete', [['no chunks', none, 'LIMIT_EXCEEDED']])],
  };
}

function receipt(): SealingVectors['receipt'] {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const peer = parsePeerId(peerIdOf(publicKey));
  const fields = { peer, chunk: parseChunkId(toHex(keyOf('chunk 0'))), owner, bytes: 2501, storedMs: NOW_MS };
  const { body, signature } = makeReceipt(fields, (bytes) => signP256('receipt', bytes, privateKey));
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return { publicKey: toHex(spki), fields, body: toHex(body), signature: toHex(signature) };
}

const vectors: SealingVectors = {
  comment: 'docs/spec/1-sealing.md. Bytes are lower-case hex. Never changed: a change here is another format.',
  extents: { good: goodExtents(), bad: badExtents() },
  impossibleSealedBytes: [0, 1, 34, 50, 34 + SEALED_BLOCK_BYTES + 1, 34 + SEALED_BLOCK_BYTES + 16],
  ranges: ranges(),
  rootKey: {
    rootKey: toHex(rootKey),
    catalogKey: toHex(keys.catalogKey),
    directoryKey: toHex(keys.directoryKey),
    signingPublicKey: toHex(keys.signing.publicKey),
    sharingPublicKey: toHex(keys.sharing.publicKey),
    userId: owner,
  },
  wrap: await wrap(),
  directory: await directory(),
  label: label(),
  grant: grant(),
  deleteOrder: deleteOrder(),
  receipt: receipt(),
  ids: {
    chunks: [1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES].map((bytes) => {
      return { bytes, segmentBytes: SEGMENT_BYTES, id: describeChunk(pattern(bytes)).id };
    }),
    stripe: { k: 4, m: 2, chunks: CHUNKS, id: STRIPE },
  },
};

writeFileSync(SEALING_VECTORS, `${JSON.stringify(vectors, undefined, 2)}\n`, { flag: 'wx' });
