import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { silentLogger } from '../log.js';
import { currentRequest } from '../request-context.js';
import type { HostingRules } from './http-access.js';
import { createDocumentServer } from './http-server.js';
import { LevelHost } from './level-host.js';

it('what a document server does belongs to the request that is named, before and after a body was read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-http-requests-'));
  const seen: string[] = [];
  const rules: HostingRules = {
    authorize: async (_request, { database }) => {
      seen.push(`authorize ${String(currentRequest()?.id)}`);
      return { db: database ?? '', name: 'somebody', roles: ['_admin'] };
    },
    validate: () => {
      seen.push(`validate ${String(currentRequest()?.id)}`);
    },
  };
  const host = await LevelHost.open({ directory, logger: silentLogger() });
  const server = createDocumentServer(host, { rules, logger: silentLogger(), uuid: 'server' });
  try {
    await server.listen({ host: '127.0.0.1', port: 0 });
    const origin = `http://127.0.0.1:${String((server.server.address() as AddressInfo).port)}`;
    const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
      const headers = { 'x-request-id': method, ...(body !== undefined && { 'content-type': 'application/json' }) };
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      return (await fetch(origin + path, { method, headers, ...text })).status;
    };
    assert.equal(await ask('PUT', '/network'), 201);
    assert.equal(await ask('POST', '/network/_bulk_docs', { docs: [{ _id: 'a', n: 1 }] }), 201);
    assert.deepEqual(seen, ['authorize PUT', 'authorize POST', 'validate POST']);
  } finally {
    await server.close();
    await host.close();
    await rm(directory, { recursive: true });
  }
});
