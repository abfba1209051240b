import assert from 'node:assert/strict';
import { connect, type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createDocumentServer } from '../../src/documents/http-server.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { silentLogger } from '../../src/log.js';

let directory: string;
let host: LevelHost;
let server: FastifyInstance;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-fuzz-'));
  host = await LevelHost.open({ directory, logger: silentLogger() });
  server = createDocumentServer(host, {
    rules: { authorize: async (_request, { database }) => ({ db: database ?? '', name: 'x', roles: [] }) },
    logger: silentLogger(),
    uuid: 'fuzz',
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const documents = await host.open('db');
  await documents.put([{ _id: 'a' }, { _id: 'b' }]);
});

after(async () => {
  await server.close();
  await host.close();
  await rm(directory, { recursive: true });
});

const HOSTILE = [
  '',
  '0',
  '-1',
  'true',
  'null',
  '[]',
  '{}',
  '"',
  '%',
  '%00',
  '%ff',
  '..',
  '__proto__',
  '9'.repeat(20),
  '1-a',
  'all',
  '"a"',
  '["1-a"]',
  'é',
  '_local/x',
  '_design/x',
];
const PATHS = [
  '',
  '_changes',
  '_all_docs',
  '_bulk_docs',
  '_bulk_get',
  '_revs_diff',
  '_local/x',
  '_design/x',
  '_security',
  '_compact',
  '_ensure_full_commit',
  'a',
  'none',
  '_odd',
  'a/b/c',
];
const PARAMETERS = [
  'since',
  'limit',
  'style',
  'include_docs',
  'filter',
  'doc_ids',
  'startkey',
  'endkey',
  'key',
  'skip',
  'descending',
  'rev',
  'revs',
  'open_revs',
  'latest',
  'new_edits',
  'conflicts',
  'revs_info',
];
const FIELDS = [
  'docs',
  'new_edits',
  'keys',
  'doc_ids',
  'selector',
  '_id',
  '_rev',
  '_deleted',
  '_revisions',
  'start',
  'ids',
  'id',
  'rev',
  'a',
  'admins',
  'members',
  '$or',
  '$regex',
  '$elemMatch',
  'constructor',
  'toString',
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(...HOSTILE, null, true, 0, -1, 1e300),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('any'), { maxKeys: 5 }),
  ),
})).any;

const request = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
  database: fc.constantFrom('db', 'db', 'db', 'none', '_users', '..', 'DB'),
  path: fc.constantFrom(...PATHS, ...HOSTILE),
  parameters: fc.dictionary(fc.constantFrom(...PARAMETERS), fc.constantFrom(...HOSTILE), { maxKeys: 3 }),
  body: fc.oneof(
    fc.constant(undefined),
    value,
    fc.record({ docs: fc.array(value, { maxLength: 4 }), new_edits: fc.boolean() }),
  ),
});

describe('the server of document databases', () => {
  test('answers whatever is asked, and never as if it had failed', async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ method, database, path, parameters, body }) => {
        // The subject itself stays.
        if (method === 'DELETE' && (path === '' || path === '..')) return;
        const query = new URLSearchParams(parameters);
        const reply = await server.inject({
          method: method as 'GET',
          url: `/${database}/${path}?${String(query)}`,
          ...(body !== undefined && { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        });
        const asked = `${method} /${database}/${path}?${String(query)} ${JSON.stringify(body)}`;
        assert.ok(reply.statusCode < 500, `${String(reply.statusCode)} ${reply.body} for ${asked}`);
        if (method !== 'HEAD') assert.doesNotThrow(() => JSON.parse(reply.body) as unknown, asked);
      }),
      { numRuns: 3000 },
    );
    assert.ok(await host.open('db').then((documents) => documents.get('b')));
  });

  test('survives what is no HTTP', async () => {
    const { port } = server.server.address() as AddressInfo;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, hasHead) => {
        await new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => {
            if (hasHead) socket.write('POST /db/_bulk_docs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
            socket.end(bytes);
          });
          socket.on('data', () => undefined);
          socket.on('error', () => undefined);
          socket.on('close', () => resolve());
        });
      }),
      { numRuns: 100 },
    );
    assert.equal((await server.inject({ url: '/db' })).statusCode, 200);
  });
});
