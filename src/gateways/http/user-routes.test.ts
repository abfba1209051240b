/** New keys sign out whoever came in by the former ones, however the rotation goes. */
import assert from 'node:assert/strict';
import { fastify } from 'fastify';
import { describe, it, type TestContext } from 'node:test';
import type { KeyRotation, Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { GatewayParts, Routes } from './routes.js';
import { userRoutes } from './user-routes.js';

const SESSION = { name: 'ann', user: 'id of ann', generation: 1 } as unknown as Session;
const OLD: KeyRotation = { generation: 1, state: 'none', done: 0, total: 0 };
const NEW: KeyRotation = { generation: 2, state: 'running', done: 0, total: 9 };
const FAILURE = new StorageError('UNAVAILABLE', 'It broke off.');

interface Stage {
  /** What the catalog says when it is asked, one after the other. */
  readonly known: readonly (KeyRotation | StorageError)[];
  readonly told: readonly (KeyRotation | StorageError)[];
}

interface Outcome {
  readonly events: readonly string[];
  /** Of each sign-out: whether tokens ended, too. */
  readonly signedOut: readonly boolean[];
}

async function rotate(context: TestContext, { known, told }: Stage, revokeTokens: boolean): Promise<Outcome> {
  const answers = [...known];
  const signedOut: boolean[] = [];
  const catalog = {
    keyRotation: async () => orThrow(answers.shift() ?? FAILURE),
    async *rotateKeys() {
      for (const each of told) yield orThrow(each);
    },
  };
  const routes = {
    sessionOf: () => SESSION,
    stopping: new AbortController().signal,
    track: <T>(work: Promise<T>) => work,
    note: () => undefined,
    onSecret: async (_request: unknown, _user: unknown, revoke: boolean) => {
      signedOut.push(revoke);
      return 3;
    },
  } as unknown as Routes;
  const server = fastify();
  context.after(() => server.close());
  userRoutes(server, routes, { catalog, sessions: { replaced: () => undefined } } as unknown as GatewayParts, 'local');
  const payload = { passphrase: 'a passphrase', revokeTokens };
  const { body } = await server.inject({ method: 'POST', url: '/v1/keys', payload });
  const events = body.trimEnd().split('\n');
  return { events: events.map((line) => (JSON.parse(line) as { event: string }).event), signedOut };
}

function orThrow(answer: KeyRotation | StorageError): KeyRotation {
  if (answer instanceof StorageError) throw answer;
  return answer;
}

describe('a rotation of keys', () => {
  it('that makes new ones signs out, once', async (context) => {
    const made = await rotate(context, { known: [OLD], told: [NEW, NEW] }, false);
    assert.deepEqual(made, { events: ['replaced', 'rotation', 'rotation', 'done'], signedOut: [false] });
  });

  it('that goes on with one before signs out only who asks for the end of tokens', async (context) => {
    const resumed: Stage = { known: [NEW], told: [NEW] };
    assert.deepEqual((await rotate(context, resumed, false)).signedOut, []);
    const revoking = await rotate(context, resumed, true);
    assert.deepEqual(revoking, { events: ['replaced', 'rotation', 'done'], signedOut: [true] });
  });

  it('that fails when the keys are made signs out all the same', async (context) => {
    for (const known of [
      [OLD, NEW],
      [OLD, FAILURE],
    ]) {
      const failed = await rotate(context, { known, told: [FAILURE] }, true);
      assert.deepEqual(failed, { events: ['replaced', 'error'], signedOut: [true] });
    }
    const late = await rotate(context, { known: [OLD, NEW], told: [NEW, FAILURE] }, true);
    assert.deepEqual(late, { events: ['replaced', 'rotation', 'error'], signedOut: [true] });
  });

  it('that makes none, as with a wrong passphrase, signs nobody out', async (context) => {
    const refused = await rotate(context, { known: [OLD, OLD], told: [FAILURE] }, true);
    assert.deepEqual(refused, { events: ['error'], signedOut: [] });
  });
});
