import { setTimeout as delay } from 'node:timers/promises';
import type { Config, Service } from '../config.js';
import { StorageError } from '../errors.js';
import { openBase, type Base, type PeerOptions } from './base.js';
import { CatalogService } from './catalog-service.js';
import { CouchService } from './couch-service.js';
import { DocumentService } from './document-service.js';
import { type Documents, openDocuments } from './documents.js';
import { type Opened, openAll } from './opened.js';

/** One service of a peer, in a process of its own. Its peer runs with the service among `separate`. */
export async function serveAlone(service: Service, config: Config, options: PeerOptions = {}): Promise<LoneService> {
  const base = await openBase(config, options);
  if (!config.separate.includes(service)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `The peer runs ${service} itself. Name it in the setting "separate" (SHOAL_SEPARATE) of both processes first.`,
    );
  }
  return openAll(async (opened) => {
    await open(service, base, opened);
    return new LoneService(service, base, opened);
  });
}

export class LoneService implements AsyncDisposable {
  readonly #service: Service;
  readonly #base: Base;
  readonly #opened: Opened;

  constructor(service: Service, base: Base, opened: Opened) {
    this.#service = service;
    this.#base = base;
    this.#opened = opened;
  }

  /** Serves until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger } = this.#base;
    logger.info({ service: this.#service }, 'service is up');
    // An aborted wait is the end that was asked for. The longest that a timer can wait keeps the process alive meanwhile.
    while (!signal.aborted) await delay(2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
    logger.info({ service: this.#service }, 'service is stopping');
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function open(service: Service, base: Base, opened: Opened): Promise<void> {
  switch (service) {
    case 'pouchdb':
      opened.keep(await DocumentService.open(base));
      break;
    case 'couchdb':
      opened.keep(await CouchService.open(base, async () => (await hostedDocuments(base, opened)).host));
      break;
    case 'db-service':
      opened.keep(await CatalogService.open(base, await hostedDocuments(base, opened)));
  }
}

/** The databases belong to one process, and the peer cannot be that one: it waits for its services when it starts. */
async function hostedDocuments(base: Base, opened: Opened): Promise<Documents> {
  if (!base.config.separate.includes('pouchdb')) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'This service reads the document databases: name pouchdb too in the setting "separate" (SHOAL_SEPARATE), and run `shoal serve pouchdb`.',
    );
  }
  return openDocuments(base, opened);
}
