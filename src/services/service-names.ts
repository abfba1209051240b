import { StorageError } from '../errors.js';

/** What `shoal serve NAME` runs alone; each comes after those that it begins with. */
export const SERVICES = [
  'pouchdb',
  'couchdb',
  'db-service',
  'file-receiver',
  'file-sender',
  'front',
  'gateway',
] as const;
export type Service = (typeof SERVICES)[number];

/** As people know them. */
const TITLES: Readonly<Record<Service, string>> = {
  pouchdb: 'PouchDB hosting',
  couchdb: 'CouchDB hosting',
  'db-service': 'The DB Service',
  'file-receiver': 'The File Receiver',
  'file-sender': 'The File Sender',
  front: 'The front',
  gateway: 'The gateway',
};

/** What a service asks something of. Without some of it, it goes on as well as it can, and says what is missing. */
export const NEEDS: Readonly<Record<Service, readonly Service[]>> = {
  pouchdb: [],
  couchdb: [],
  'db-service': ['pouchdb'],
  'file-receiver': ['pouchdb', 'db-service'],
  'file-sender': ['pouchdb', 'db-service', 'file-receiver'],
  front: ['pouchdb', 'db-service', 'file-receiver', 'file-sender'],
  gateway: ['pouchdb', 'db-service', 'file-receiver', 'file-sender'],
};

export function titleOf(service: Service): string {
  return TITLES[service];
}

/** A service of this peer does not answer, or broke off. */
export function serviceMissing(service: Service, how: 'does not answer' | 'broke off', cause?: unknown): StorageError {
  const message = `${TITLES[service]} of this peer ${how}. If it does not run, start it with \`shoal serve ${service}\`.`;
  return new StorageError('UNAVAILABLE', message, { cause });
}

/**
 * The socket in the home, by its name, on which the process that runs a service says how it is: `control` of whichever runs
 * the gateway.
 *
 * @param service absent: of the process that runs whatever is not separate
 */
export function controlSocketOf(service: Service | undefined, separate: readonly Service[]): string {
  if (service !== undefined && service !== 'gateway' && separate.includes(service)) return `${service}-control`;
  return service !== 'gateway' && separate.includes('gateway') ? 'peer-control' : 'control';
}
