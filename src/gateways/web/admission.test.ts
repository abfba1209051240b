/** Until when requests go on, on the control socket and on TCP, with services that take as long as a test wants. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/contract/offer.js';
import { answerTo, problemIn, type WebAnswer, WebCaller } from '../../../test/planet/web-caller.js';
import type { Session } from '../../catalog/catalog.js';
import { parsePeerId, parseUserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { Healing } from '../../healing/healing.js';
import { silentLogger } from '../../log.js';
import { Admitted } from '../http/admitted.js';
import type { ApiParts } from '../http/api-routes.js';
import type { GatewayParts } from '../http/routes.js';
import { ControlServer } from '../http/server.js';
import { Transfers } from '../http/transfers.js';
import { BrowserSessions } from './browser-sessions.js';
import type { Entrance } from './session-routes.js';
import type { ApiToken } from './token-book.js';
import { WebServer } from './web-server.js';

const SELF = parsePeerId(new Uint8Array(32).fill(1));
const SESSION: Session = {
  token: 'token',
  background: 'background',
  user: parseUserId(new Uint8Array(32).fill(7)),
  name: 'ann',
  publicKey: new Uint8Array(32).fill(9),
  generation: 1,
  kit: true,
};
const TOKEN = 'a-token-of-a-program';
/** What a peer does for nobody in particular. */
const OF_NOBODY = ['/v1/scrub', '/v1/repairs', '/v1/audits'];

/** Work that the test lets go on. */
class Gate {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #reach: () => void = () => undefined;
  open: () => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#opened = new Promise((resolve) => (this.open = resolve));
  }

  async pass(signal?: AbortSignal): Promise<void> {
    this.#reach();
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
    await Promise.race([this.#opened, aborted]);
    signal?.throwIfAborted();
  }
}

interface Stage {
  readonly gate: Gate;
  readonly lock: () => void;
  readonly web: WebCaller;
  readonly browsers: BrowserSessions;
  readonly tokens: Set<string>;
  readonly moved: string[];
  /** Asks at the control socket. */
  readonly local: (method: string, path: string) => Promise<WebAnswer>;
}

async function openStage(context: TestContext): Promise<Stage> {
  const gate = new Gate();
  const ends: ((user: string) => void)[] = [];
  const sessions = {
    list: () => [SESSION],
    get: () => SESSION,
    onEnd: (tell: (user: string) => void) => {
      ends.push(tell);
      return () => undefined;
    },
  };
  const admitted = new Admitted(sessions);
  const moved: string[] = [];
  const browsers = new BrowserSessions(Date.now);
  browsers.onEnd(({ id }) => {
    const ended = new StorageError('UNAUTHENTICATED', 'This session has ended. Sign in again.');
    admitted.end(({ caller }) => caller === id, ended);
  });
  const tokens = new Set([TOKEN]);
  const token = { id: 'program', userName: SESSION.name, user: SESSION.user, scope: 'all' } as ApiToken;
  const entrance = {
    browsers,
    tokens: { find: (given: string) => (tokens.has(given) ? token : undefined) },
  } as unknown as Entrance;
  const api = apiOf(gate, { sessions, admitted, moved });
  const socket = join(await temporaryFolder(context), 'control');
  const control = await ControlServer.open({ ...api, socket });
  const web = await WebServer.open({ address: '127.0.0.1:0', hosts: [], api, entrance });
  context.after(async () => {
    gate.open();
    await control.close();
    await web.close();
  });
  const caller = new WebCaller(web.port);
  const host = caller.host;
  const { secret, session } = browsers.open({ user: SESSION.name, userId: SESSION.user, name: 'a browser', host });
  caller.cookie = `shoal-${SELF.slice(0, 8)}=${secret}`;
  caller.csrf = session.csrf;
  const local = (method: string, path: string): Promise<WebAnswer> =>
    answerTo(http.request({ socketPath: socket, method, path, agent: false }).end());
  const lock = (): void => {
    for (const tell of ends) tell(SESSION.name);
  };
  return { gate, lock, web: caller, browsers, tokens, moved, local };
}

interface ApiStage {
  readonly sessions: unknown;
  readonly admitted: Admitted;
  readonly moved: string[];
}

function apiOf(gate: Gate, { sessions, admitted, moved }: ApiStage): ApiParts & { readonly gateway: GatewayParts } {
  const catalog = {
    stat: () => gate.pass().then(() => ({ path: '/file', version: 'another' })),
    manifest: () => gate.pass().then(() => ({ version: 'one', modifiedMs: 0, bytes: 0, extents: [] })),
    move: (_session: unknown, from: string) => moved.push(from),
  };
  const nothing = async function* (signal: AbortSignal): AsyncGenerator<never> {
    await gate.pass(signal);
  };
  const healing = {
    auditor: { now: (_audits: number, signal: AbortSignal) => nothing(signal) },
    repairer: { now: nothing },
    audits: { distrusted: () => [] },
    holdings: { now: async () => undefined },
  } as unknown as Healing;
  const scrub = {
    run: ({ signal }: { readonly signal: AbortSignal }) => gate.pass(signal).then(() => ({})),
    state: () => ({ damaged: 0 }),
  };
  const engine = { catalog, telemetry: { counts: { repair: {} } } };
  const links = { pingAll: (signal: AbortSignal) => gate.pass(signal).then(() => new Map()) };
  const safety = async (): Promise<object> => ({});
  const gateway = { self: SELF, catalog, links, safety, sessions, admitted, transfers: new Transfers(Date.now) };
  return {
    health: { services: [], missing: async () => [] },
    gateway,
    sender: { engine, healing },
    receiver: { engine, scrub },
    logger: silentLogger(),
  } as unknown as ApiParts & { readonly gateway: GatewayParts };
}

describe('what is asked of a peer', () => {
  for (const path of OF_NOBODY) {
    it(`in nobody's name goes on at the control socket when a user is locked: ${path}`, async (context) => {
      const { gate, lock, local } = await openStage(context);
      const told = local('POST', path);
      await Promise.race([gate.reached, told]);
      lock();
      gate.open();
      assert.match((await told).body.toString().trimEnd().split('\n').at(-1) ?? '', /^{"event":"done"/);
    });

    it(`on TCP needs somebody who is signed in, and ends with that: ${path}`, async (context) => {
      const { gate, web, browsers } = await openStage(context);
      assert.equal((await new WebCaller(web.port).ask('POST', `/api${path}`)).status, 401);
      const request = web.open('POST', `/api${path}`);
      request.end();
      const told = answerTo(request);
      await gate.reached;
      browsers.endAll(SESSION.name);
      assert.match((await told).body.toString(), /^{"event":"error","code":"UNAUTHENTICATED"/m);
    });
  }

  it("in a user's name ends when that user is locked", async (context) => {
    const { gate, lock, web } = await openStage(context);
    const request = web.ask('PUT', '/api/v1/content?path=/file', {
      bytes: new Uint8Array(1),
      headers: { 'if-none-match': '*' },
    });
    await gate.reached;
    lock();
    gate.open();
    assert.equal(problemIn(await request).code, 'LOCKED');
  });

  it("in a user's name ends when that user is locked while other peers are asked for it", async (context) => {
    const { gate, lock, local } = await openStage(context);
    const request = local('GET', '/v1/safety');
    await gate.reached;
    lock();
    gate.open();
    assert.equal(problemIn(await request).code, 'LOCKED');
  });

  it('ends, too, when the sign-in does while it is looked whether it may begin', async (context) => {
    for (const [method, headers] of [
      ['PUT', { 'if-match': '"another"' }],
      ['GET', {}],
      ['GET', { 'if-none-match': '"one"' }],
    ] as const) {
      const { gate, web, browsers } = await openStage(context);
      const bytes = method === 'PUT' ? { bytes: new Uint8Array(1) } : {};
      const request = web.ask(method, '/api/v1/content?path=/file', { ...bytes, headers });
      await gate.reached;
      browsers.endAll(SESSION.name);
      gate.open();
      assert.equal(problemIn(await request).code, 'UNAUTHENTICATED', method);
    }
  });

  it('by a token that is revoked while the request still comes is refused', async (context) => {
    const { web, tokens, moved } = await openStage(context);
    const program = new WebCaller(web.port);
    program.authorization = `Bearer ${TOKEN}`;
    const body = JSON.stringify({ from: '/from', to: '/to' });
    const ask = async (during: () => void): Promise<number> => {
      const request = program.open('POST', '/api/v1/move', { 'content-type': 'application/json' });
      request.write(body.slice(0, 5));
      // Another answer on the way says that the server is past the first check of this one.
      await program.ask('GET', '/api/v1/live');
      during();
      request.end(body.slice(5));
      return (await answerTo(request)).status;
    };
    assert.equal(await ask(() => undefined), 204);
    assert.equal(await ask(() => tokens.delete(TOKEN)), 401);
    assert.deepEqual(moved, ['/from']);
  });
});
