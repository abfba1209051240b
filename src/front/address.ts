import { once } from 'node:events';
import { createServer } from 'node:net';
import { StorageError, wrapError } from '../errors.js';

/** "host:port", "[v6]:port", as people write them. */
export const HOST_AND_PORT = /^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i;

export interface Address {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @param address "host:port", "[v6]:port" */
export function parseAddress(address: string): Address {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

export function portTaken(address: string, cause: unknown): StorageError {
  const why = wrapError(cause, `Listening on ${address}`).message;
  return new StorageError(
    'UNAVAILABLE',
    `${why}. If another program uses the port, stop it or choose another with --listen (SHOAL_LISTEN). Is \`front\` in the setting "separate" (SHOAL_SEPARATE) of the peer's other processes, too?`,
    { cause },
  );
}

/** @throws StorageError UNAVAILABLE when nobody could listen there now */
export async function checkAddress(address: string): Promise<void> {
  const { host, port } = parseAddress(address);
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    throw portTaken(address, error);
  }
  probe.close();
  await once(probe, 'close');
}
