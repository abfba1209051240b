import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import ssh2, { type Algorithms } from 'ssh2';
import { wrapError, StorageError } from '../../errors.js';
import { parseAddress } from '../../front/address.js';
import { CLOSE_GRACE_MS, MAX_SFTP_CONNECTIONS, SFTP_LOGIN_MS } from '../../limits.js';
import { settled } from '../http/in-progress.js';
import type { FileContent } from './content.js';
import { readHostKey } from './host-key.js';
import { OpenFiles } from './open-files.js';
import { ReadWindows } from './read-window.js';
import { SftpConnection, type ConnectionParts } from './sftp-connection.js';
import { clearSpools, type SpoolOptions } from './spool.js';

export interface SftpServerOptions extends Omit<ConnectionParts, 'files' | 'windows'> {
  /** HOST:PORT. */
  readonly address: string;
  /** File of the server's key, made when missing. */
  readonly hostKey: string;
  readonly content: FileContent;
  readonly spool: SpoolOptions;
}

/**
 * What all clients of these years speak and nobody has broken. No ChaCha20: in JavaScript it is several times slower than the
 * system's AES-GCM, and clients prefer it. No compression: what is compressed before it is encrypted leaks (CRIME).
 */
const ALGORITHMS: Algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  serverHostKey: ['ssh-ed25519'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
};

/** Connections that have not said a word of SSH; ssh2 tells of those only that have. Known by where they come from. */
class SilentSockets {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  add(socket: Socket): void {
    const from = `${socket.remoteAddress ?? ''} ${String(socket.remotePort)}`;
    this.forget(from);
    const timer = setTimeout(() => socket.destroy(), SFTP_LOGIN_MS).unref();
    this.#timers.set(from, timer);
    socket.once('close', () => {
      if (this.#timers.get(from) === timer) this.forget(from);
    });
  }

  forget(from: string): void {
    clearTimeout(this.#timers.get(from));
    this.#timers.delete(from);
  }
}

/** How often a drain looks whether the clients are done. */
const DRAIN_LOOK_MS = 100;

/** SFTP over SSH, for whoever is unlocked at this peer. */
export class SftpServer implements AsyncDisposable {
  /** Of TCP. */
  readonly #listener: Server;
  readonly #connections = new Set<SftpConnection>();
  #closing: Promise<void> | undefined;

  private constructor(options: SftpServerOptions, hostKey: string) {
    const { catalog, sessions, content, spool, space, logger } = options;
    const files = new OpenFiles({ catalog, content, spool });
    const parts = { catalog, sessions, space, logger, files, windows: new ReadWindows() };
    const protocol = new ssh2.Server({ hostKeys: [hostKey], ident: 'Shoal', algorithms: ALGORITHMS });
    const silent = new SilentSockets();
    // Requests and replies are small and wait for each other: without noDelay each costs 40 ms.
    this.#listener = createServer({ noDelay: true }, (socket) => {
      silent.add(socket);
      protocol.injectSocket(socket);
    });
    this.#listener.maxConnections = MAX_SFTP_CONNECTIONS;
    protocol.on('connection', (connection, { ip, port }) => {
      silent.forget(`${ip} ${String(port)}`);
      const client = new SftpConnection(connection, parts);
      this.#connections.add(client);
      connection.once('close', () => void this.#forget(client));
    });
    const stops = [
      sessions.onEnd((user) => {
        for (const client of this.#connections) if (client.loggedIn?.user === user) client.end();
      }),
      // Keys of SSH are none of what was replaced.
      sessions.onReplaced((user) => {
        for (const client of this.#connections) {
          if (client.loggedIn?.user === user && client.loggedIn.by === 'passphrase') client.end();
        }
      }),
    ];
    this.#listener.once('close', () => {
      for (const stop of stops) stop();
    });
  }

  /** @throws StorageError UNAVAILABLE for a port that is taken; CORRUPT for a bad host key */
  static async open(options: SftpServerOptions): Promise<SftpServer> {
    const { address, spool } = options;
    await clearSpools(spool.folder);
    const opened = new SftpServer(options, await readHostKey(options.hostKey));
    const { host, port } = parseAddress(address);
    try {
      opened.#listener.listen(port, host);
      await once(opened.#listener, 'listening');
    } catch (error) {
      const { message } = wrapError(error, `Listening on ${address} for SFTP`);
      throw new StorageError(
        'UNAVAILABLE',
        `${message}. Another program, or another peer of this machine, uses the port: stop it, choose another with the setting "sftp" (SHOAL_SFTP), or go without by SHOAL_SFTP=off.`,
        { cause: error },
      );
    }
    return opened;
  }

  /** As it came out: with port 0 the system chose. */
  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Nobody new comes in; files that are open may be closed, for a while. */
  async drain(withinMs: number): Promise<void> {
    this.#listener.close();
    const until = Date.now() + withinMs;
    while (Date.now() < until && [...this.#connections].some(({ isBusy }) => isBusy)) await delay(DRAIN_LOOK_MS);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What was closed by clients before is still committed; what is open is not. */
  async #close(): Promise<void> {
    this.#listener.close();
    const clients = [...this.#connections];
    for (const client of clients) client.end();
    await settled(
      clients.map((client) => client.ended()),
      CLOSE_GRACE_MS,
    );
  }

  async #forget(client: SftpConnection): Promise<void> {
    await client.ended();
    this.#connections.delete(client);
  }
}
