/** For tests: what a Devnet runs instead of a peer. `<home>/broken` makes it fail, `<home>/stubborn` deaf to SIGTERM. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FakePeer } from '../fake-peer.js';

const home = process.argv[4] ?? '';
if (existsSync(join(home, 'broken'))) {
  console.error('the disk of this peer is broken');
  process.exit(1);
}
await FakePeer.open({ locked: true }, home);
process.on('SIGTERM', () => {
  if (!existsSync(join(home, 'stubborn'))) process.exit(0);
});
