import { join } from 'node:path';
import { PouchHosting } from '../../../src/documents/pouch-hosting.js';
import { silentLogger } from '../../../src/log.js';

/** pouch-hosting HOME: serves the document databases of a home until it is killed, and says "open" when it does. */
const [, , home = ''] = process.argv;
await PouchHosting.open({
  socket: join(home, 'pouchdb.sock'),
  secretFile: join(home, 'pouchdb.secret'),
  directory: join(home, 'documents'),
  logger: silentLogger(),
});
process.stdout.write('open\n');
