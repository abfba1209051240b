import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, mock, test } from 'node:test';
import type { Connection } from 'ssh2';
import { SFTP_IDLE_MS, SFTP_LOGIN_MS } from '../../limits.js';
import { silentLogger } from '../../log.js';
import { UserSessions } from '../../services/user-sessions.js';
import { SESSION, MemoryFiles } from '../../../test/sftp/memory-files.js';
import { OpenFiles } from './open-files.js';
import { ReadWindows } from './read-window.js';
import { SftpConnection } from './sftp-connection.js';

class FakeConnection extends EventEmitter {
  hasEnded = false;

  end(): void {
    this.hasEnded = true;
  }
}

let connection: FakeConnection;
let client: SftpConnection;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const stored = new MemoryFiles();
  const { catalog } = stored;
  const sessions = new UserSessions(catalog);
  sessions.signIn = async () => {
    return { id: SESSION.user, name: 'ann', unlocked: true, generation: 1, kit: false };
  };
  const spool = { folder: '/nowhere', reserveBytes: 0 };
  connection = new FakeConnection();
  client = new SftpConnection(connection as unknown as Connection, {
    ...{ catalog, sessions, logger: silentLogger(), windows: new ReadWindows() },
    files: new OpenFiles({ catalog, content: stored, spool }),
    space: async () => ({ totalBytes: 0, freeBytes: 0 }),
  });
});

async function logIn(): Promise<void> {
  await new Promise<void>((resolve) => {
    const attempt = { method: 'password', username: 'ann', password: 'p', accept: resolve, reject: resolve };
    connection.emit('authentication', attempt);
  });
  await new Promise((resolve) => setImmediate(resolve));
}

test('who does not log in is cut off', (context) => {
  context.after(() => {
    mock.timers.reset();
  });
  mock.timers.tick(SFTP_LOGIN_MS - 1);
  assert.equal(connection.hasEnded, false);
  mock.timers.tick(1);
  assert.equal(connection.hasEnded, true);
});

test('who asks for nothing is cut off after a long time', async (context) => {
  context.after(() => {
    mock.timers.reset();
  });
  await logIn();
  assert.equal(client.loggedIn?.user, 'ann');
  mock.timers.tick(SFTP_IDLE_MS - 1);
  assert.equal(connection.hasEnded, false);
  mock.timers.tick(1);
  assert.equal(connection.hasEnded, true);
});
