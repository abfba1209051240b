import type { FastifyInstance } from 'fastify';
import { parseUserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { adoptOwner } from '../../file/recover/find-owner.js';
import { recoverCatalog, type RecoverEvents } from '../../file/recover/recover.js';
import type { FoundVersion } from '../../file/recover/version-drafts.js';
import type { AskedOwner } from '../../wire/get-owner.js';
import type { RecoveredReply, RecoveryCounts, RecoveryEvent } from './api.js';
import type { EventLines } from './event-lines.js';
import { timeOf } from './replies.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type Routes, type SenderParts } from './routes.js';
import { sendLines } from './send-lines.js';

/** Bringing back what the document databases knew, from what lies on the peers. */
export function recoveryRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.post('/v1/users/adopt', async (request, reply) => {
    return adoptOwner(engine, askedOf(request.body), signalOf(routes, reply));
  });

  server.post('/v1/recovery', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { dryRun } = check(REQUESTS.catalogRecovery, request.body);
    const signal = signalOf(routes, reply, session);
    return sendLines<RecoveryEvent>(routes, reply, async (events) => {
      const counts = { recovered: 0, bytes: 0, broken: 0, unread: 0, refused: 0 };
      const found = await recoverCatalog(engine, session, { signal, dryRun, ...tell(events, counts) });
      events.push({ event: 'done', dryRun, ...found, ...counts });
    });
  });
}

function askedOf(body: unknown): AskedOwner {
  const { name, id } = check(REQUESTS.adoption, body);
  if (id !== undefined) return { owner: parseUserId(id) };
  if (name !== undefined) return { name };
  throw new StorageError('INVALID_ARGUMENT', 'The request names no user, neither by "name" nor by "id".');
}

type Counting = { -readonly [Name in keyof RecoveryCounts]: number };

function tell(events: EventLines<RecoveryEvent>, counts: Counting): RecoverEvents {
  return {
    onPeer: ({ peer, name, chunks, badLabels, failure }) => {
      const reason = failure === undefined ? null : { code: failure.code, message: failure.message };
      events.push({ event: 'peer', peer, name, chunks, badLabels, failure: reason });
    },
    onStripes: (stripes) => {
      events.push({ event: 'stripes', stripes });
    },
    onStripe: () => {
      events.push({ event: 'stripe' });
    },
    onUnread: ({ stripe, chunks, k, error: { code, message } }) => {
      counts.unread++;
      events.push({ event: 'unread', stripe, chunks, needed: k, code, message });
    },
    onBroken: ({ path, version, bytes, missing }) => {
      counts.broken++;
      events.push({ event: 'broken', path, version, bytes, missing });
    },
    onRecovered: (version, path) => {
      counts.recovered++;
      counts.bytes += version.manifest.bytes;
      events.push({ event: 'recovered', ...recoveredReply(version, path) });
    },
    onFailed: ({ path, manifest: { version } }, { code, message }) => {
      counts.refused++;
      events.push({ event: 'refused', path, version, code, message });
    },
  };
}

function recoveredReply({ path: stored, manifest, createdMs }: FoundVersion, path: string): RecoveredReply {
  const { version, bytes, modifiedMs } = manifest;
  const [modified, created] = [timeOf(modifiedMs), timeOf(createdMs)];
  return { path, stored, version, bytes, modified, created };
}
