import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SshKey } from '../../catalog/catalog.js';
import { formatFingerprint } from '../../catalog/users/ssh-key.js';
import { StorageError } from '../../errors.js';
import { MAX_PASSPHRASE_BYTES, MAX_SSH_KEY_CHARS, MAX_USER_NAME_CHARS } from '../../limits.js';
import type { SshKeyReply } from './user-api.js';
import { timeOf } from './replies.js';
import { check } from './requests.js';
import type { Audience, GatewayParts, Routes } from './routes.js';

const name = z.string().max(MAX_USER_NAME_CHARS);
const passphrase = z.string().max(MAX_PASSPHRASE_BYTES);
const label = z.string().max(MAX_SSH_KEY_CHARS);

export const SSH_KEY_REQUESTS = {
  list: z.strictObject({ name }),
  add: z.strictObject({ name, passphrase, key: z.string().max(MAX_SSH_KEY_CHARS), label: label.default('') }),
  remove: z.strictObject({ name, passphrase, which: label }),
} as const;

/** The keys by which a user comes in over SFTP. */
export function sshKeyRoutes(
  server: FastifyInstance,
  routes: Routes,
  { catalog }: GatewayParts,
  audience: Audience,
): void {
  const demandOwn = (request: FastifyRequest, user: string): void => {
    if (audience === 'web' && routes.userOf(request) !== user) {
      throw new StorageError('PERMISSION_DENIED', 'Users see and change their own SSH keys alone.');
    }
  };

  server.get('/v1/users/ssh-keys', async (request) => {
    const { name: user } = check(SSH_KEY_REQUESTS.list, request.query);
    demandOwn(request, user);
    return (await catalog.sshKeys(user)).map(sshKeyReply);
  });

  server.post('/v1/users/ssh-keys', async (request) => {
    const added = check(SSH_KEY_REQUESTS.add, request.body);
    demandOwn(request, added.name);
    return (await catalog.addSshKey(added)).map(sshKeyReply);
  });

  server.post('/v1/users/ssh-keys/removal', async (request) => {
    const removed = check(SSH_KEY_REQUESTS.remove, request.body);
    demandOwn(request, removed.name);
    return (await catalog.removeSshKey(removed)).map(sshKeyReply);
  });
}

function sshKeyReply({ fingerprint, algorithm, name: label, addedMs }: SshKey): SshKeyReply {
  const added = timeOf(addedMs);
  return { fingerprint: formatFingerprint(fingerprint), algorithm, name: label, added };
}
