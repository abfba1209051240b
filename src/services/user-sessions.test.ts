import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Catalog, Session, SessionToken } from '../catalog/catalog.js';
import type { UserId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { UserSessions } from './user-sessions.js';

/** As much of a catalog as sessions need. Whoever is named "… of NAME" is called NAME, and is somebody else. */
function catalogOf(locked: string[]): Catalog {
  let count = 0;
  const some: Pick<Catalog, 'unlock' | 'lock' | 'isUnlocked' | 'changePassphrase'> = {
    unlock: async (name: string, passphrase: string): Promise<Session> => {
      if (passphrase !== `${name}'s`) throw new StorageError('UNAUTHENTICATED', 'Wrong name or passphrase.');
      return {
        token: `${name} ${String(++count)}`,
        user: `id of ${name}` as UserId,
        name: name.replace(/^.* of /, ''),
        publicKey: new Uint8Array(32),
        background: `${name} in the background`,
        generation: 1,
        kit: false,
      };
    },
    lock: async ({ token }: SessionToken): Promise<void> => {
      locked.push(token);
    },
    isUnlocked: async ({ token }) => !locked.includes(token),
    changePassphrase: async ({ name, keep }) => {
      const user = { id: `id of ${name}` as UserId, name, unlocked: true, generation: 1, kit: false };
      return { user, pendingHosts: [keep?.token ?? 'nobody'] };
    },
  };
  return some as Catalog;
}

describe('UserSessions', () => {
  it('acts for the only user, and for a named one', async () => {
    const sessions = new UserSessions(catalogOf([]));
    const ada = { id: 'id of ada', name: 'ada', unlocked: true, generation: 1, kit: false };
    assert.deepEqual(await sessions.unlock('ada', "ada's"), ada);
    assert.equal(sessions.get().name, 'ada');
    await sessions.unlock('bob', "bob's");
    assert.equal(sessions.get('bob').token, 'bob 2');
    assert.deepEqual(
      sessions.list().map(({ name }) => name),
      ['ada', 'bob'],
    );
  });

  it('is LOCKED without a user, and says how to unlock', () => {
    const sessions = new UserSessions(catalogOf([]));
    assert.throws(() => sessions.get(), { code: 'LOCKED', message: /shoal unlock NAME/ });
    assert.throws(() => sessions.get('ada'), { code: 'LOCKED', message: /shoal unlock ada/ });
  });

  it('asks which one when several are unlocked', async () => {
    const sessions = new UserSessions(catalogOf([]));
    await sessions.unlock('ada', "ada's");
    await sessions.unlock('bob', "bob's");
    assert.throws(() => sessions.get(), { code: 'INVALID_ARGUMENT', message: /ada, bob/ });
  });

  it('locks the former session of a user who unlocks again', async () => {
    const locked: string[] = [];
    const sessions = new UserSessions(catalogOf(locked));
    await sessions.unlock('ada', "ada's");
    await sessions.unlock('ada', "ada's");
    assert.deepEqual(locked, ['ada 1']);
    assert.equal(sessions.get().token, 'ada 2');
  });

  for (const how of ['unlock', 'signIn'] as const) {
    it(`lets nobody in as another user of the same name by ${how}`, async () => {
      const locked: string[] = [];
      const sessions = new UserSessions(catalogOf(locked));
      await sessions.unlock('ada', "ada's");
      await assert.rejects(sessions[how]('namesake of ada', "namesake of ada's"), { code: 'CONFLICT' });
      assert.deepEqual([sessions.get('ada').user, sessions.get('ada').token], ['id of ada', 'ada 1']);
      assert.deepEqual(locked, ['namesake of ada 2']);
      locked.push('ada 1');
      const ended: string[] = [];
      sessions.onEnd((user) => ended.push(user));
      await sessions[how]('namesake of ada', "namesake of ada's");
      assert.deepEqual([sessions.get('ada').user, ended], ['id of namesake of ada', ['ada']]);
    });
  }

  it('lets one in of two namesakes who come at once', async () => {
    const sessions = new UserSessions(catalogOf([]));
    const both = ['ada', 'namesake of ada'].map((name) => sessions.signIn(name, `${name}'s`));
    const outcomes = (await Promise.allSettled(both)).map(({ status }) => status);
    assert.deepEqual(outcomes, ['fulfilled', 'rejected']);
    assert.equal(sessions.get('ada').user, 'id of ada');
  });

  it('leaves a session alone when somebody fails to unlock it again', async () => {
    const locked: string[] = [];
    const sessions = new UserSessions(catalogOf(locked));
    await sessions.unlock('ada', "ada's");
    await assert.rejects(sessions.unlock('ada', 'wrong'), { code: 'UNAUTHENTICATED' });
    assert.equal(sessions.get().token, 'ada 1');
    assert.deepEqual(locked, []);
  });

  it('locks, and locking what is not unlocked is a success', async () => {
    const locked: string[] = [];
    const sessions = new UserSessions(catalogOf(locked));
    await sessions.unlock('ada', "ada's");
    await sessions.lock('ada');
    await sessions.lock('ada');
    assert.deepEqual(locked, ['ada 1']);
    assert.throws(() => sessions.get(), { code: 'LOCKED' });
  });

  it('forgets sessions that have ended by themselves, and no other', async () => {
    const locked: string[] = [];
    const sessions = new UserSessions(catalogOf(locked));
    await sessions.unlock('ada', "ada's");
    await sessions.unlock('bob', "bob's");
    locked.push('ada 1');
    await sessions.refresh();
    assert.deepEqual(
      sessions.list().map(({ name }) => name),
      ['bob'],
    );
    assert.throws(() => sessions.get('ada'), { code: 'LOCKED' });
  });

  it('gives background work a token of its own', async () => {
    const sessions = new UserSessions(catalogOf([]));
    await sessions.unlock('ada', "ada's");
    assert.deepEqual(
      sessions.background().map(({ name, token }) => [name, token]),
      [['ada', 'ada in the background']],
    );
  });

  it('keeps its own session when the passphrase is changed', async () => {
    const sessions = new UserSessions(catalogOf([]));
    assert.deepEqual((await sessions.changePassphrase('ada', 'a', 'b')).pendingHosts, ['nobody']);
    await sessions.unlock('ada', "ada's");
    assert.deepEqual((await sessions.changePassphrase('ada', 'a', 'b')).pendingHosts, ['ada 1']);
  });
});
