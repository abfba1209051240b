import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogContract } from '../../test/contract/catalog.js';
import { LocalCatalog } from '../catalog/local-catalog.js';
import { RemoteCatalog } from '../catalog/remote-catalog.js';
import { parsePeerId } from '../chunk/ids.js';
import { silentLogger } from '../log.js';
import { DbService } from './db-service.js';

catalogContract('RemoteCatalog', async () => {
  const home = await mkdtemp(join(tmpdir(), 'shoal-db-'));
  const socket = join(home, 'db.sock');
  const logger = silentLogger();
  const options = { directory: join(home, 'catalog'), peer: parsePeerId(randomBytes(32)), logger };

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
