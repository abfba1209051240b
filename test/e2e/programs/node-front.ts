import { join } from 'node:path';
import { NodeFront } from '../../../src/front/node-front.js';
import { silentLogger } from '../../../src/log.js';
import { LiveTls } from '../../../src/wire/live-tls.js';
import { readTls } from '../../front/stage.js';

/** The built-in front as a process: ADDRESS FOLDER. Says on standard output when it listens; SIGHUP: a new certificate. */
const [address = '', folder = ''] = process.argv.slice(2);
const tls = new LiveTls(await readTls(folder));
const front = await NodeFront.open({
  address,
  tls,
  socketOf: (name) => join(folder, `${name}.sock`),
  couch: { socket: join(folder, 'couchdb.sock') },
  logger: silentLogger(),
});
tls.onReplace(() => void front.renew());
process.on('SIGHUP', () => void readTls(folder).then(({ certificate }) => tls.replace(certificate)));
process.once('SIGTERM', () => void front.close().then(() => process.exit()));
process.stdout.write('listening\n');
