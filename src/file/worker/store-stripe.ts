import type { ExtentRef } from '../../catalog/catalog.js';
import {
  sealDirectory,
  sealedDirectoryBytes,
  directoryEntryBytes,
  type DirectoryExtent,
} from '../../chunk/directory.js';
import { type ChunkId, stripeId, type StripeId } from '../../chunk/ids.js';
import { type ChunkShape, describeChunk } from '../../chunk/segments.js';
import { ExtentSealer, newExtentKey, sealedBytes } from '../../crypto/seal.js';
import type { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { assert, wrapError } from '../../errors.js';
import { requiredReceipts } from '../../peers/scheme.js';
import { giveBack, ProgressReport, type WorkerContext } from './context.js';
import { handedOver } from './handed-over.js';
import type { Failure, Piece, StoredStripe, StoreStripeJob, StripeShape } from './protocol.js';
import { readLocal } from './read-source.js';
import { sendChunks } from './send-chunks.js';

interface SealedPiece {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly sealedBytes: number;
  readonly bytes: number;
}

/** file → extents → seal → stripe → code → chunks → place → send: the whole way of one stripe. */
export async function storeStripe(
  job: StoreStripeJob,
  context: WorkerContext,
  signal: AbortSignal,
): Promise<StoredStripe> {
  return context.withBuffer(signal, async (buffer) => {
    const sealed = await sealPieces(job, buffer, signal);
    giveBack(context, handedOver(job));
    if (sealed.every(isFailed)) return { outcomes: sealed };
    const { stripe, chunks } = await codeStripe(job, sealed, buffer);
    const authorization = await context.host.authorize({ job: job.job, stripe }, { signal });
    const plain = sealed.reduce((sum, piece) => sum + (isFailed(piece) ? 0 : piece.bytes), 0);
    const progress = new ProgressReport(context, job.job, plain);
    const share = plain / (stripe.chunks.length * stripe.chunkBytes);
    const outgoing = chunks.map(({ header, bytes }) => ({
      header: { ...header, owner: authorization.owner, label: authorization.label },
      bytes,
    }));
    const { placement, strays } = await sendChunks(outgoing, {
      context,
      authorization,
      signal,
      required: requiredReceipts(job),
      onSent: (bytes) => {
        progress.add(bytes * share);
      },
    });
    progress.finish();
    return {
      stripe: { ...stripe, label: authorization.label, placement, strays },
      outcomes: sealed.map((piece) => (isFailed(piece) ? piece : toExtent(piece, stripe.id))),
    };
  });
}

function isFailed(piece: SealedPiece | Failure): piece is Failure {
  return 'code' in piece;
}

function toExtent({ key, offset, sealedBytes: sealed, bytes }: SealedPiece, stripe: StripeId): ExtentRef {
  return { key, stripe, offset, sealedBytes: sealed, bytes };
}

/** Upper bound of the stripe's length: its directory is known only when it is known which pieces could be read. */
function plannedBytes({ pieces, mentions }: StoreStripeJob): number {
  let extents = 0;
  let directory = mentions.reduce((sum, { path }) => sum + directoryEntryBytes(path), 0);
  for (const { bytes, path } of pieces) {
    extents += sealedBytes(bytes);
    directory += directoryEntryBytes(path);
  }
  return extents + sealedDirectoryBytes(directory);
}

/** Reads and seals the pieces one after the other into the buffer. A piece that cannot be read leaves no trace there. */
async function sealPieces(
  job: StoreStripeJob,
  buffer: StripeBuffer,
  signal: AbortSignal,
): Promise<(SealedPiece | Failure)[]> {
  buffer.shape(job.k, job.m, Math.ceil(plannedBytes(job) / job.k));
  const sealed: (SealedPiece | Failure)[] = [];
  let offset = 0;
  for (const piece of job.pieces) {
    signal.throwIfAborted();
    try {
      const next = await sealPiece(piece, buffer.data().subarray(offset), offset);
      offset += next.sealedBytes;
      sealed.push(next);
    } catch (error) {
      const { code, message } = wrapError(error, 'Storing a file');
      sealed.push({ code, message });
    }
  }
  return sealed;
}

async function sealPiece(piece: Piece, out: Uint8Array, offset: number): Promise<SealedPiece> {
  const key = newExtentKey();
  const sealer = new ExtentSealer(key, out);
  const take = (bytes: Uint8Array): void => {
    sealer.push(bytes);
  };
  if ('local' in piece.source) await readLocal(piece.source, piece.fileOffset, piece.bytes, take);
  else for (const bytes of piece.source) take(bytes);
  const length = sealer.end();
  assert(length === sealedBytes(piece.bytes), 'a piece of another length than planned');
  return { key, offset, sealedBytes: length, bytes: piece.bytes };
}

/** What a directory says of the place of a file without bytes. */
const NO_EXTENT = { fileOffset: 0, last: true, key: new Uint8Array(0), offset: 0, sealedBytes: 0, bytes: 0 } as const;

interface CodedStripe {
  readonly stripe: StripeShape;
  readonly chunks: readonly { readonly header: ChunkShape & { readonly id: ChunkId }; readonly bytes: Uint8Array }[];
}

async function codeStripe(
  job: StoreStripeJob,
  sealed: readonly (SealedPiece | Failure)[],
  buffer: StripeBuffer,
): Promise<CodedStripe> {
  const { k, m } = job;
  const entries: DirectoryExtent[] = [];
  let directoryOffset = 0;
  for (const [index, piece] of job.pieces.entries()) {
    const extent = sealed[index];
    if (extent === undefined || isFailed(extent)) continue;
    entries.push({ ...piece, ...extent });
    directoryOffset = extent.offset + extent.sealedBytes;
  }
  for (const mention of job.mentions) entries.push({ ...mention, ...NO_EXTENT });
  const directory = await sealDirectory(entries, directoryOffset, () => job.directoryKey, job.directorySalt);
  const bytes = directoryOffset + directory.length;
  assert(bytes <= buffer.data().length, 'a stripe grew past its plan');
  buffer.data().set(directory, directoryOffset);
  const chunkBytes = Math.ceil(bytes / k);
  buffer.shape(k, m, chunkBytes);
  buffer.pad(bytes);
  buffer.encode();
  const chunks = Array.from({ length: k + m }, (_, index) => {
    const chunk = buffer.chunk(index);
    return { header: describeChunk(chunk), bytes: chunk };
  });
  const ids = chunks.map(({ header }) => header.id);
  const stripe = {
    id: stripeId(k, m, ids),
    k,
    m,
    bytes,
    chunkBytes,
    directoryOffset,
    directoryBytes: directory.length,
    chunks: ids,
  };
  return { stripe, chunks };
}
