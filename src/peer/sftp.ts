import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import type { Engine, ReadEngine } from '../file/engine.js';
import type { GatewayParts } from '../gateways/http/routes.js';
import type { FileContent } from '../gateways/sftp/content.js';
import { enginePutting, engineReading } from '../gateways/sftp/engine-content.js';
import type { Space } from '../gateways/sftp/replies.js';
import { servicePutting, serviceReading } from '../gateways/sftp/service-content.js';
import { SftpServer } from '../gateways/sftp/sftp-server.js';
import { HOME } from '../home.js';
import { CALL_TIMEOUT_MS } from '../limits.js';
import { schemeFor } from '../peers/scheme.js';
import { timeLimit } from '../time-limit.js';
import type { UserSessions } from '../services/user-sessions.js';
import type { Base } from './base.js';
import type { Neighbours } from './neighbours.js';
import type { Opened } from './opened.js';

const NEVER = new AbortController().signal;

export interface SftpParts {
  readonly neighbours: Neighbours;
  readonly catalog: Catalog;
  readonly sessions: UserSessions | undefined;
  readonly gateway: Pick<GatewayParts, 'book' | 'usage'> | undefined;
  readonly receiver: ReadEngine | undefined;
  readonly sender: Engine | undefined;
}

/** SFTP where the gateway runs, unless the setting says `off`. @throws StorageError UNAVAILABLE for a port that is taken */
export async function openSftp(base: Base, parts: SftpParts, opened: Opened): Promise<SftpServer | undefined> {
  const { config, logger } = base;
  const { catalog, sessions, gateway } = parts;
  if (config.sftp === 'off' || sessions === undefined || gateway === undefined) return undefined;
  return opened.keep(
    await SftpServer.open({
      address: config.sftp,
      hostKey: join(config.home, HOME.sftpKey),
      spool: { folder: join(config.home, HOME.spool), reserveBytes: config.reserveBytes },
      content: contentOf(parts),
      space: () => spaceOf(parts.catalog, gateway),
      ...{ catalog, sessions, logger },
    }),
  );
}

function contentOf({ neighbours, catalog, receiver, sender }: SftpParts): FileContent {
  return {
    ...(receiver === undefined ? serviceReading(catalog, neighbours.client('file-receiver')) : engineReading(receiver)),
    ...(sender === undefined ? servicePutting(neighbours.client('file-sender')) : enginePutting(sender)),
  };
}

/** An estimate: other peers are taken to have as much free as this one. In bytes of files: a stripe is longer than what is in it. */
async function spaceOf(catalog: Catalog, { book, usage }: Pick<GatewayParts, 'book' | 'usage'>): Promise<Space> {
  const targets = book.targets();
  const { tolerate } = await catalog.network();
  const { k, m } = schemeFor(targets.length, tolerate);
  using limit = timeLimit(CALL_TIMEOUT_MS, NEVER);
  const { freeBytes, reserveBytes, bytes } = await usage(limit.signal);
  const share = (targets.length * k) / (k + m);
  const free = Math.max(freeBytes - reserveBytes, 0) * share;
  return { freeBytes: free, totalBytes: free + bytes * share };
}
