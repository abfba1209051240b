import { join } from 'node:path';
import { CertificateWatch } from '../../../src/front/certificate-watch.js';
import { NodeFront } from '../../../src/front/node-front.js';
import { silentLogger } from '../../../src/log.js';
import { readTls } from '../../front/stage.js';

/** The built-in front as a process: ADDRESS FOLDER. Says on standard output when it listens. */
const [address = '', folder = ''] = process.argv.slice(2);
const logger = silentLogger();
const read = (): ReturnType<typeof readTls> => readTls(folder);
const front = await NodeFront.open({
  address,
  readTls: read,
  socketOf: (name) => join(folder, `${name}.sock`),
  couch: { socket: join(folder, 'couchdb.sock') },
  logger,
});
const watch = new CertificateWatch({ front, readTls: read, logger, everyMs: 50 }, (await read()).certificate);
process.stdout.write('listening\n');
process.once('SIGTERM', () => {
  watch.close();
  void front.close();
});
