import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { latestRecords } from '../catalog/records/latest-record.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { DocumentHost } from '../documents/document-database.js';
import { wrapError } from '../errors.js';
import { HOME } from '../home.js';
import { RecordMemory } from '../store/record-memory.js';
import { CouchHosting } from '../services/couch-hosting.js';
import type { CouchTarget } from '../wire/couch-route.js';
import { RecordProblems } from '../catalog/records/record-problems.js';
import { type Base, serviceAddress } from './base.js';
import { openAll, type Opened } from './opened.js';

/** Where the front finds CouchDB hosting, and what it proves itself with. */
export interface CouchAddress {
  readonly target: CouchTarget;
  readonly secret: string;
}

/** CouchDB hosting of a backup host: the embedded server, or one that is administered by URL. */
export class CouchService implements AsyncDisposable {
  readonly address: CouchAddress;
  readonly #opened: Opened;

  private constructor(address: CouchAddress, opened: Opened) {
    this.address = address;
    this.#opened = opened;
  }

  /** @param documents this peer's own databases, where they are needed @throws StorageError CONFLICT, UNSUPPORTED; see CouchHosting */
  static open(base: Base, documents: () => Promise<DocumentHost>): Promise<CouchService> {
    return openAll(async (opened) => {
      const { config, identity, logger, clock } = base;
      const { home, couch } = config;
      const memory = opened.keep(await RecordMemory.open(join(home, HOME.state, 'couchdb')));
      const records = {
        membership: identity.membership,
        memory,
        problems: new RecordProblems(logger),
        now: clock,
      };
      const embedded = { directory: join(home, HOME.couch), ...serviceAddress(home, 'couchdb') };
      const options =
        couch === undefined
          ? { hosting: embedded }
          : { hosting: couch, network: opened.keep(await (await documents()).open(NETWORK_DATABASE)) };
      const hosting = opened.keep(
        await CouchHosting.open({ ...options, records, latestIn: latestRecords(identity.membership), logger }),
      );
      return new CouchService({ target: hosting.target, secret: hosting.secret }, opened);
    });
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The address of CouchDB hosting that a process of its own runs. @throws StorageError UNAVAILABLE when it never ran */
export async function couchAddress({ config: { home, couch } }: Base): Promise<CouchAddress> {
  const { socket, secretFile } = serviceAddress(home, 'couchdb');
  const file = couch?.secretFile ?? secretFile;
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    return { target: couch === undefined ? { socket } : { url: couch.url }, secret };
  } catch (error) {
    throw wrapError(error, `Reading ${file}, which \`shoal serve couchdb\` makes:`);
  }
}
