import { join } from 'node:path';
import { SERVICES, type Config, type Service } from '../config.js';
import { StorageError } from '../errors.js';
import { titleOf } from '../services/service-names.js';
import { ProcessLock } from '../store/process-lock.js';
import type { Opened } from './opened.js';

/** The folder of the locks, in the home: one for each service. */
const LOCKS = 'locks';

/**
 * Which services a process runs: the one that was asked for, or whatever is not separate.
 *
 * @throws StorageError INVALID_ARGUMENT for what does not go together
 */
export function servicesOf({ separate, couch }: Config, alone: Service | undefined): ReadonlySet<Service> {
  const apart = (service: Service): boolean => separate.includes(service);
  for (const service of ['file-receiver', 'file-sender'] as const) {
    if (apart(service) && !apart('front')) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `Other peers reach a ${service} of its own through a front of its own: name front too in the setting "separate" (SHOAL_SEPARATE), and run \`shoal serve front\`.`,
      );
    }
  }
  if (alone === undefined) {
    const left = SERVICES.filter((service) => !apart(service));
    if (left.length > 0) return new Set(left);
    throw new StorageError(
      'INVALID_ARGUMENT',
      'All services are in the setting "separate" (SHOAL_SEPARATE): start each by its name, `shoal serve gateway` and so on.',
    );
  }
  if (!apart(alone)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `The peer runs ${alone} itself. Name it in the setting "separate" (SHOAL_SEPARATE) of both processes first.`,
    );
  }
  // A backup host's own CouchDB keeps the records that it goes by; beside another one, they are read here.
  const readsDocuments = alone === 'db-service' || (alone === 'couchdb' && couch !== undefined);
  if (readsDocuments && !apart('pouchdb')) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'This service reads the document databases: name pouchdb too in the setting "separate" (SHOAL_SEPARATE), and run `shoal serve pouchdb`.',
    );
  }
  return new Set([alone]);
}

/** No other process runs any of them for this home. @throws StorageError CONFLICT that names the service */
export async function claimServices(home: string, services: Iterable<Service>, opened: Opened): Promise<void> {
  for (const service of services) {
    const taken = `${titleOf(service)} of ${home} runs already, in another process. Stop that one first, or choose another home with --home.`;
    opened.keep(await ProcessLock.open(join(home, LOCKS, service), taken));
  }
}
