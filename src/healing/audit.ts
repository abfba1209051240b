import { randomBytes, randomInt } from 'node:crypto';
import type { Catalog, StripeRecord } from '../catalog/catalog.js';
import { parseStripeId, type PeerId } from '../chunk/ids.js';
import { segmentCount } from '../chunk/segments.js';
import { StorageError, wrapError } from '../errors.js';
import type { PeerLinks } from '../file/peer-links.js';
import { AUDIT_TIMEOUT_MS } from '../limits.js';
import { timeLimit } from '../time-limit.js';
import type { AuditOutcome, AuditQuestion } from './audit-book.js';
import { placeOf } from './chunk-labels.js';
import { askMembers, type HealingNetwork } from './stripe-holders.js';

export interface AuditNetwork extends HealingNetwork {
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds'>;
  readonly links: Pick<PeerLinks, 'store' | 'remote' | 'ping'>;
  /** An audit that has no answer by then fails; AUDIT_TIMEOUT_MS unless given. */
  readonly auditTimeoutMs?: number;
}

/**
 * A random segment of a random chunk of a random stripe that this peer knows and that another one should hold. Ids are
 * hashes, so the next one behind a random place is as good as any.
 *
 * @returns undefined when there is none, or the stripe that was met has its chunks here alone
 */
export async function pickQuestion(network: AuditNetwork): Promise<AuditQuestion | undefined> {
  const { self, book, catalog } = network;
  const from = parseStripeId(randomBytes(32));
  const [behind] = await catalog.stripeIds({ after: from, limit: 1 });
  const [id] = behind === undefined ? await catalog.stripeIds({ limit: 1 }) : [behind];
  const [record] = id === undefined ? [] : await catalog.stripes([id]);
  if (record === undefined) return undefined;
  const held = record.placement.flatMap((place, index) => {
    const chunk = record.chunks[index];
    if (place === undefined || chunk === undefined || place.peer === self || !book.isMember(place.peer)) return [];
    return [{ peer: place.peer, chunk }];
  });
  const one = held.length === 0 ? undefined : held[randomInt(held.length)];
  if (one === undefined) return undefined;
  return { ...one, stripe: record.id, segment: randomInt(segmentCount(record.chunkBytes)) };
}

/**
 * Asks for the segment. Whatever comes is checked against the chunk id, so nobody passes without the bytes; that they lay at
 * the peer itself is only likely, because of the deadline.
 */
export async function ask(question: AuditQuestion, network: AuditNetwork, signal: AbortSignal): Promise<AuditOutcome> {
  const { links, book, auditTimeoutMs = AUDIT_TIMEOUT_MS } = network;
  const { peer, chunk, segment } = question;
  const late = (): StorageError => new StorageError('TIMEOUT', 'The audit was not answered in time.');
  using patience = timeLimit(auditTimeoutMs, signal, late);
  try {
    await links.remote(peer).audit(chunk, segment, { signal: patience.signal });
    book.reportSuccess(peer);
    return 'passed';
  } catch (error) {
    signal.throwIfAborted();
    const { code } = wrapError(error, 'An audit');
    if (code === 'NOT_FOUND') return 'missing';
    if (code === 'CORRUPT') return 'corrupt';
    // It may be gone, or cut off; or it answers what costs it nothing, and not this.
    return (await links.ping(peer, signal)) === undefined ? 'unreachable' : 'stalled';
  }
}

/**
 * What is wrong is settled by a second look, because the chunk may have been moved, or its file removed by its owner, and
 * this peer has not heard of it yet. A chunk counts as missing only while k others of its stripe are there: an owner takes
 * back all of them.
 *
 * @returns undefined when nothing can be said
 */
export async function askAgain(
  question: AuditQuestion,
  network: AuditNetwork,
  signal: AbortSignal,
): Promise<AuditOutcome | undefined> {
  const record = await recordNaming(question, network);
  if (record === undefined) return undefined;
  const outcome = await ask(question, network, signal);
  if (outcome !== 'missing') return outcome;
  const { holders } = await askMembers(record, network, signal);
  const there = new Set(holders.map(({ index }) => index).filter((index) => record.chunks[index] !== question.chunk));
  return there.size >= record.k && (await recordNaming(question, network)) !== undefined ? outcome : undefined;
}

/** Undefined when the chunk need not be at the peer any more. */
export async function recordNaming(
  { stripe, chunk, peer }: AuditQuestion,
  { catalog, book }: { readonly catalog: Pick<Catalog, 'stripes'>; readonly book: { isMember(id: PeerId): boolean } },
): Promise<StripeRecord | undefined> {
  const [record] = await catalog.stripes([stripe]);
  const isNamed = record !== undefined && placeOf(record, chunk)?.peer === peer;
  return isNamed && book.isMember(peer) ? record : undefined;
}
