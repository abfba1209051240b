import { Server, ServerCredentials } from '@grpc/grpc-js';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import { StorageError, wrapError } from '../errors.js';
import { DbServiceService } from '../gen/shoal/v1/db.js';
import { CLOSE_GRACE_MS, MAX_DB_MESSAGE_BYTES } from '../limits.js';
import type { Logger } from '../log.js';
import { silentTelemetry, type Telemetry } from '../telemetry.js';
import { dbHandlers } from './db-handlers.js';

export interface DbServiceOptions {
  /** The service does not close it: whoever opened it does. */
  readonly catalog: Catalog;
  /** Path of the unix socket; its folder is made, and closed to others, when missing. */
  readonly socket: string;
  readonly logger: Logger;
  /** Absent: nothing is counted. */
  readonly telemetry?: Telemetry;
}

/** A socket that a killed process left behind keeps its name. Whoever may open the catalog is alone with it. */
async function removeStale(socket: string): Promise<void> {
  const found = await lstat(socket).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new StorageError('CONFLICT', `${socket} is in the way of the DB Service's socket. Move it away.`);
  }
  await rm(socket, { force: true });
}

/** The DB Service on a unix socket that only this system user can open. */
export class DbService {
  readonly #server: Server;
  readonly #socket: string;
  #closing: Promise<void> | undefined;

  private constructor(server: Server, socket: string) {
    this.#server = server;
    this.#socket = socket;
  }

  static async open(options: DbServiceOptions): Promise<DbService> {
    const { socket, catalog, logger, telemetry = silentTelemetry() } = options;
    const server = new Server({
      'grpc.max_receive_message_length': MAX_DB_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_DB_MESSAGE_BYTES,
    });
    server.addService(DbServiceService, dbHandlers({ catalog, edge: { logger, telemetry } }));
    try {
      await mkdir(dirname(socket), { recursive: true, mode: 0o700 });
      await removeStale(socket);
      await bind(server, socket);
      // Between the two lines the folder's own mode keeps others out.
      await chmod(socket, 0o600);
    } catch (error) {
      server.forceShutdown();
      throw wrapError(error, `Opening the DB Service at ${socket}`);
    }
    return new DbService(server, socket);
  }

  /** Calls in progress get CLOSE_GRACE_MS to finish. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await new Promise<void>((resolve) => {
      const impatience = setTimeout(() => this.#server.forceShutdown(), CLOSE_GRACE_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(impatience);
        resolve();
      });
    });
    await rm(this.#socket, { force: true });
  }
}

function bind(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
