import type { FastifyInstance } from 'fastify';
import type { KeyRotation, PassphraseChange } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { KitReply, PassphraseReply, RotationEvent } from './api.js';
import { EventLines } from './event-lines.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type Audience, type GatewayParts, type Routes } from './routes.js';

/** Users, their passphrases, kits and keys. */
export function userRoutes(
  server: FastifyInstance,
  routes: Routes,
  { catalog, sessions }: GatewayParts,
  audience: Audience,
): void {
  server.get('/v1/users', async () => {
    await sessions.refresh();
    return catalog.users();
  });

  server.post('/v1/users', async (request) => {
    const { name, passphrase } = check(REQUESTS.credentials, request.body);
    return catalog.createUser(name, passphrase);
  });

  // Browsers sign in instead: web-api.ts.
  if (audience === 'local') {
    server.post('/v1/unlock', async (request) => {
      const { name, passphrase } = check(REQUESTS.credentials, request.body);
      const user = await sessions.unlock(name, passphrase);
      routes.note('user-unlocked', `${user.name} was unlocked.`);
      return user;
    });
  }

  server.post('/v1/lock', async (request, reply) => {
    const { name } = check(REQUESTS.name, request.body);
    if (audience === 'web' && routes.userOf(request) !== name) {
      throw new StorageError('PERMISSION_DENIED', 'Users lock themselves alone.');
    }
    await sessions.lock(name);
    return reply.code(204).send();
  });

  server.post('/v1/users/passphrase', async (request) => {
    const { name, old, next } = check(REQUESTS.passphrase, request.body);
    const change = await sessions.changePassphrase(name, old, next);
    routes.onSecret(request, change.user.name);
    return passphraseReply(change);
  });

  server.post('/v1/users/kit', async (request): Promise<KitReply> => {
    const { name, passphrase } = check(REQUESTS.credentials, request.body);
    const { words, network, createdMs, ...change } = await catalog.makeKit(name, passphrase);
    return { ...passphraseReply(change), words, network, created: new Date(createdMs).toISOString() };
  });

  // Whoever has forgotten the passphrase cannot sign in first. Guesses have to wait, as those of passphrases do.
  server.post('/v1/users/recover', { config: { open: true } }, async (request) => {
    const { name, words, next } = check(REQUESTS.recovery, request.body);
    const change = await catalog.recoverWithKit(name, words, next);
    routes.onSecret(request, change.user.name);
    return passphraseReply(change);
  });

  server.get('/v1/keys', async (request) => catalog.keyRotation(routes.sessionOf(request)));

  server.post('/v1/keys', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { passphrase, entriesPerSecond } = check(REQUESTS.rotation, request.body);
    const signal = signalOf(routes, reply);
    const options = entriesPerSecond === undefined ? {} : { entriesPerSecond };
    const events = new EventLines<RotationEvent>();
    void events.run(async () => {
      let last: KeyRotation | undefined;
      for await (const rotation of catalog.rotateKeys(session, passphrase, options)) {
        last = rotation;
        events.push({ event: 'rotation', ...rotation });
        // Leaving the iteration pauses the work.
        if (signal.aborted) return;
      }
      if (last === undefined) return;
      events.push({ event: 'done', ...last });
      if (last.state === 'none') routes.note('keys-rotated', `${session.name} has new keys.`);
    });
    return reply.type('application/x-ndjson').send(events.stream);
  });
}

function passphraseReply({ user, pendingHosts }: PassphraseChange): PassphraseReply {
  return { user, pendingHosts };
}
