import { readFileSync } from 'node:fs';
import { DiskStore } from '../../../src/store/disk-store.js';
import { silentLogger } from '../../../src/log.js';
import { PeerServer } from '../../../src/wire/server.js';
import type { TlsIdentity } from '../../../src/wire/tls.js';

/** wire-target DIRECTORY IDENTITY: a peer over the store of a folder, until it is killed. Says "port NUMBER" when it listens. */
const [, , directory = '', identity = ''] = process.argv;
const tls = JSON.parse(readFileSync(identity, 'utf8')) as TlsIdentity;
const store = await DiskStore.open({ directory, reserveBytes: 0 });
const server = await PeerServer.open({
  address: '127.0.0.1:0',
  tls,
  isMember: () => true,
  receiver: { store },
  sender: { store },
  logger: silentLogger(),
});
process.stdout.write(`port ${String(server.port)}\n`);
