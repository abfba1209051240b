import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogContract } from '../../test/contract/catalog.js';
import { parsePeerId } from '../chunk/ids.js';
import { silentLogger } from '../log.js';
import { LocalCatalog } from './local-catalog.js';

catalogContract('LocalCatalog', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-catalog-'));
  const options = { directory, peer: parsePeerId(randomBytes(32)), logger: silentLogger() };
  let catalog = await LocalCatalog.open(options);
  return {
    catalog,
    async reopen() {
      await catalog.close();
      catalog = await LocalCatalog.open(options);
      return catalog;
    },
    async close() {
      await catalog.close();
      await rm(directory, { recursive: true });
    },
  };
});
