import assert from 'node:assert/strict';
import { fastify, type FastifyInstance } from 'fastify';
import { after, before, describe, it } from 'node:test';
import { PASSPHRASE, Planet } from '../../../test/planet/planet.js';
import { WebCaller } from '../../../test/planet/web-caller.js';
import type { Administration } from '../../enrolment/administration.js';
import { silentLogger } from '../../log.js';
import { addRoutes, type ApiParts } from '../http/api-routes.js';
import { ROUTES } from '../http/description/routes.js';
import type { GatewayParts, ReceiverParts, Routes, SenderParts } from '../http/routes.js';
import { ServiceClient } from '../http/service-client.js';
import { describeApi, serveDescription } from './open-api.js';
import type { Entrance } from './session-routes.js';
import { sessionRoutes } from './session-routes.js';
import { signInRoutes } from './sign-in-routes.js';
import type { WebAccess } from './web-access.js';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly required?: boolean }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Nobody asks anything of it. */
const NOTHING: unknown = {};

/** The File Sender and the File Receiver in processes of their own, and in this one. */
const SERVICES: readonly Pick<ApiParts, 'sender' | 'receiver'>[] = [
  {
    sender: new ServiceClient('file-sender', '/nowhere'),
    receiver: new ServiceClient('file-receiver', '/nowhere'),
  },
  {
    sender: { engine: { telemetry: { counts: {} } }, healing: {} } as unknown as SenderParts,
    receiver: {} as ReceiverParts,
  },
];

/** The routes alone: nothing of them is called. */
async function bare(
  services: Pick<ApiParts, 'sender' | 'receiver'>,
): Promise<{ readonly app: FastifyInstance; readonly routes: Set<string> }> {
  const app = fastify({ exposeHeadRoutes: false });
  const routes = new Set<string>();
  await app.register(
    async (scope) => {
      await describeApi(scope);
      scope.addHook('onRoute', ({ method, url }) => {
        for (const each of [method].flat()) routes.add(`${each} ${url.replace(/^\/api/, '')}`);
      });
      const parts = {
        health: { services: [], missing: async () => [] },
        gateway: {} as GatewayParts,
        network: {
          administration: NOTHING as Administration,
          links: { pingAll: async () => new Map() },
          nowMs: Date.now,
        },
        live: {},
        records: {},
        settings: {},
        metrics: {},
        ...services,
        logger: silentLogger(),
      } as unknown as ApiParts;
      addRoutes(scope, parts, {} as Routes, 'web');
      const access = NOTHING as WebAccess;
      signInRoutes(scope, { gateway: {} as GatewayParts, access, ...({} as Entrance), note: () => undefined });
      sessionRoutes(scope, {} as Routes, {} as Entrance);
      await serveDescription(scope);
    },
    { prefix: '/api' },
  );
  await app.ready();
  return { app, routes };
}

describe('the OpenAPI description', () => {
  let planet: Planet;
  let caller: WebCaller;
  let description: Description;

  before(async () => {
    planet = await Planet.open({ peers: 3, web: true });
    caller = new WebCaller(planet.peer(1).webPort ?? 0);
    description = await caller.json('GET', '/api/openapi.json');
    await caller.signIn('demo', PASSPHRASE);
  });
  after(() => planet[Symbol.asyncDispose]());

  it('has every route, and none that is not there', async () => {
    for (const services of SERVICES) {
      const { app, routes } = await bare(services);
      try {
        const own = [...routes].filter((route) => route.includes(' /v1/'));
        assert.deepEqual(own.sort(), Object.keys(ROUTES).sort());
      } finally {
        await app.close();
      }
    }
    const told = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/^\/api/, '')}`),
    );
    // A HEAD goes without saying where there is a GET.
    const said = Object.keys(ROUTES).filter((route) => route !== 'HEAD /v1/content');
    const named = said.map((route) => route.replace(/:(\w+)/, '{$1}'));
    assert.deepEqual(told.sort(), named.sort());
  });

  it('is version 3.1, and says of each route what it takes and gives', () => {
    assert.equal(description.openapi, '3.1.0');
    const list = description.paths['/api/v1/entries']?.['get'];
    assert.deepEqual(
      list?.parameters?.map(({ name, required }) => [name, required]),
      [
        ['path', true],
        ['recursive', false],
        ['offset', false],
        ['limit', false],
        ['order', false],
        ['descending', false],
      ],
    );
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const [method, { summary, tags, responses }] of Object.entries(operations)) {
        assert.ok(summary !== undefined && tags?.length === 1, `${method} ${path}`);
        assert.ok(Object.keys(responses).includes('4XX'), `${method} ${path}`);
      }
    }
    assert.ok(!JSON.stringify(description).includes('"$ref"'), 'it stands alone');
  });

  it('holds requests to it', async () => {
    for (const [method, path, json] of [
      ['GET', '/api/v1/stat', undefined],
      ['GET', '/api/v1/stat?path=/a&more=1', undefined],
      ['POST', '/api/v1/move', { from: '/a' }],
      ['POST', '/api/v1/tokens', { name: 'x', scope: 'root', days: 1 }],
    ] as const) {
      assert.equal((await caller.ask(method, path, { json })).status, 400, path);
    }
  });

  it('tells replies as they are', async () => {
    await caller.ask('PUT', '/api/v1/content?path=/a/file', { bytes: new Uint8Array(5) });
    await caller.ask('POST', '/api/v1/tokens', { json: { name: 'x', scope: 'read', days: 1 } });
    await caller.ask('POST', '/api/v1/invitations', { json: {} });
    await caller.ask('PUT', '/api/v1/content?path=/gone', { bytes: new Uint8Array(5) });
    await caller.ask('DELETE', '/api/v1/entries?path=/gone');
    const query: Readonly<Record<string, string>> = {
      '/v1/stat': '?path=/a',
      '/v1/entries': '?path=/a',
      '/v1/search': '?text=file',
      '/v1/versions': '?path=/a/file',
      '/v1/where': '?path=/a/file',
      '/v1/users/ssh-keys': '?name=demo',
      '/v1/peers/drain': `?peer=${planet.peer(2).id}`,
    };
    let replies = 0;
    for (const [route, { reply }] of Object.entries(ROUTES)) {
      const [method = '', path = ''] = route.split(' ');
      if (method !== 'GET' || reply === undefined) continue;
      const said: unknown = await caller.json('GET', `/api${path}${query[path] ?? ''}`);
      const checked = reply.safeParse(said);
      assert.ok(checked.success, `${route}: ${checked.error?.message ?? ''}`);
      assert.deepEqual(checked.data, said, `${route} tells all that there is`);
      replies++;
    }
    assert.ok(replies > 15);
  });

  it('has a page to browse it, which needs nobody signed in and nothing from elsewhere', async () => {
    const stranger = new WebCaller(caller.port);
    const page = await stranger.ask('GET', '/api/docs/');
    assert.equal(page.status, 200);
    assert.match(String(page.headers['content-security-policy']), /script-src 'self'(;|$)/);
    assert.doesNotMatch(page.body.toString(), /https?:\/\//);
  });
});
