import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { StorageError } from '../../errors.js';

/** Below the ephemeral ports of Linux (32768) and of IANA (49152), so that no outgoing connection takes one meanwhile. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS_EACH = 50;

/** Different ports of 127.0.0.1 on which nobody listens now; random, so that two devnets hardly ever share one. */
export async function chooseFreePorts(amount: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let attempt = 0; held.size < amount && attempt < amount * ATTEMPTS_EACH; attempt += 1) {
      const port = randomInt(LOWEST, HIGHEST);
      if (held.has(port)) continue;
      const server = await tryListen(port);
      if (server !== undefined) held.set(port, server);
    }
    if (held.size < amount) throw new StorageError('UNAVAILABLE', 'There are not enough free ports on 127.0.0.1.');
    return [...held.keys()];
  } finally {
    for (const server of held.values()) server.close();
  }
}

async function tryListen(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  } catch {
    return undefined; // taken
  }
}
