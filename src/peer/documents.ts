import type { DocumentHost } from '../documents/document-database.js';
import { HttpHost } from '../documents/http-host.js';
import type { DamagedDatabase } from '../documents/level-host.js';
import type { StreamState } from '../documents/replication/stream.js';
import { type Base, serviceAddress } from './base.js';
import { DocumentService } from './document-service.js';
import type { Opened } from './opened.js';

/** How the document databases of a peer stand. */
export interface DocumentStatus {
  readonly replication: readonly StreamState[];
  readonly damaged: readonly DamagedDatabase[];
}

/** The document databases of a peer, wherever they are hosted. */
export interface Documents {
  readonly host: DocumentHost;
  readonly status: () => Promise<DocumentStatus>;
}

/** In this process, when it runs PouchDB hosting. */
export async function openDocuments(base: Base, here: boolean, opened: Opened): Promise<Documents> {
  const { home } = base.config;
  if (!here) {
    const host = opened.keep(new HttpHost(serviceAddress(home, 'pouchdb')));
    return { host, status: async () => statusFrom(await host.status()) };
  }
  const service = opened.keep(await DocumentService.open(base));
  return {
    host: service.host,
    status: async () => ({ replication: service.replication(), damaged: service.damaged() }),
  };
}

function statusFrom(status: Awaited<ReturnType<HttpHost['status']>>): DocumentStatus {
  const { damaged, replication } = status;
  return { damaged, replication: Array.isArray(replication) ? (replication as StreamState[]) : [] };
}
