import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { catalogContract } from '../../test/contract/catalog.js';
import { SampleNetwork } from '../../test/contract/sample-network.js';
import { LocalCatalog } from '../catalog/local-catalog.js';
import { RemoteCatalog } from '../catalog/remote-catalog.js';
import { StorageError } from '../errors.js';
import { MAX_DB_MESSAGE_BYTES } from '../limits.js';
import { silentLogger } from '../log.js';
import { DbService } from './db-service.js';

catalogContract('RemoteCatalog', async () => {
  const home = await mkdtemp(join(tmpdir(), 'shoal-db-'));
  const socket = join(home, 'db.sock');
  const logger = silentLogger();
  const membership = await (await SampleNetwork.open()).member('attic', { authority: true });
  const options = { directory: join(home, 'catalog'), state: join(home, 'state'), membership, logger };

  const start = async (): Promise<{ stop(): Promise<void> }> => {
    const local = await LocalCatalog.open(options);
    const service = await DbService.open({ catalog: local, socket, logger });
    return {
      async stop() {
        await service.close();
        await local.close();
      },
    };
  };

  let running = await start();
  const catalog = await RemoteCatalog.open(socket);
  return {
    catalog,
    membership,
    // The same client: it finds the service again by itself.
    async reopen() {
      await running.stop();
      running = await start();
      return catalog;
    },
    async close() {
      await catalog.close();
      await running.stop();
      await rm(home, { recursive: true });
    },
  };
});

interface Corner {
  readonly folder: string;
  readonly socket: string;
  readonly catalog: LocalCatalog;
}

async function corner(context: TestContext): Promise<Corner> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-db-'));
  const membership = await (await SampleNetwork.open()).member('attic');
  const places = { directory: join(folder, 'catalog'), state: join(folder, 'state') };
  const catalog = await LocalCatalog.open({ ...places, membership, logger: silentLogger() });
  context.after(async () => {
    await catalog.close();
    await rm(folder, { recursive: true });
  });
  return { folder, socket: join(folder, 'run', 'db.sock'), catalog };
}

test('only the system user of the peer may open the socket, and it goes with the service', async (context) => {
  const { socket, catalog } = await corner(context);
  const service = await DbService.open({ catalog, socket, logger: silentLogger() });
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(socket))).mode & 0o777, 0o700);
  await service.close();
  await service.close();
  await assert.rejects(stat(socket), /ENOENT/);
});

test('a socket that a killed process left is replaced; anything else is left alone', async (context) => {
  const { socket, catalog } = await corner(context);
  await mkdir(dirname(socket));
  const program = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program, socket], { stdio: 'ignore' }), 'exit');
  assert.ok((await stat(socket)).isSocket());
  const service = await DbService.open({ catalog, socket, logger: silentLogger() });
  await service.close();

  await writeFile(socket, 'precious');
  await assert.rejects(DbService.open({ catalog, socket, logger: silentLogger() }), (error) =>
    StorageError.is(error, 'CONFLICT'),
  );
  assert.equal(await readFile(socket, 'utf8'), 'precious');
});

test('without a service every call says so at once', async (context) => {
  const { socket } = await corner(context);
  const remote = await RemoteCatalog.open(socket);
  context.after(() => remote.close());
  await assert.rejects(remote.users(), (error) => StorageError.is(error, 'UNAVAILABLE'));
});

test('oversized messages are refused, and an error tells no more than it should', async (context) => {
  const { socket, catalog } = await corner(context);
  const service = await DbService.open({ catalog, socket, logger: silentLogger() });
  const remote = await RemoteCatalog.open(socket);
  context.after(async () => {
    await remote.close();
    await service.close();
  });
  const session = { token: 'x' };
  await assert.rejects(remote.sign(session, 'label', new Uint8Array(MAX_DB_MESSAGE_BYTES + 1)), (error) =>
    StorageError.is(error, 'LIMIT_EXCEEDED'),
  );
  await assert.rejects(remote.stat(session, '/'), {
    name: 'StorageError',
    message: 'The session has ended. Unlock the user first.',
  });
  catalog.users = () => Promise.reject(new Error('a detail that is nobody else’s business'));
  await assert.rejects(remote.users(), (error) => {
    return StorageError.is(error, 'INTERNAL', 'UNAVAILABLE') && !error.message.includes('detail');
  });
});
