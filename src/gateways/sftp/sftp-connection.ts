import type { AuthContext, Connection, ServerChannel, Session as SshSession } from 'ssh2';
import type { Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import { MAX_SFTP_CHANNELS, SFTP_IDLE_MS, SFTP_LOGIN_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { UserSessions } from '../../services/user-sessions.js';
import { type LoggedIn, Login, type LoginParts } from './login.js';
import { SftpChannel, type ChannelOptions } from './sftp-channel.js';

export interface ConnectionParts extends LoginParts, Pick<ChannelOptions, 'files' | 'windows' | 'space'> {
  readonly sessions: UserSessions;
  readonly logger: Logger;
}

const ONLY_SFTP =
  'This is the SFTP of Shoal: there is no shell here. Use sftp, sshfs, rclone, or scp without -O (docs/sftp.md).';

/** One SSH connection: who it is, and its SFTP channels. Nothing else is offered: no shell, no forwarding. */
export class SftpConnection {
  readonly #connection: Connection;
  readonly #parts: ConnectionParts;
  readonly #login: Login;
  readonly #channels = new Set<SftpChannel>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout;
  #loggedIn: LoggedIn | undefined;

  constructor(connection: Connection, parts: ConnectionParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#login = new Login(parts);
    this.#timer = setTimeout(() => {
      this.end();
    }, SFTP_LOGIN_MS).unref();
    // How it ends is told by 'close'; a broken network is nobody's fault.
    connection.on('error', (error: Error) => {
      parts.logger.debug({ reason: error.message }, 'SFTP connection broke');
    });
    connection.on('authentication', (attempt) => void this.#authenticate(attempt));
    connection.on('session', (accept) => {
      this.#offerSftp(accept());
    });
    connection.on('close', () => {
      clearTimeout(this.#timer);
    });
  }

  /** Who has logged in, and how. */
  get loggedIn(): LoggedIn | undefined {
    return this.#loggedIn;
  }

  get isBusy(): boolean {
    return [...this.#channels].some(({ isBusy }) => isBusy);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#connection.end();
  }

  /** What its channels still have to commit. Does not fail. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #authenticate(attempt: AuthContext): Promise<void> {
    try {
      const decided = await this.#login.decide(attempt);
      if (decided === 'end') this.end();
      else if (decided !== undefined) this.#welcome(decided);
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'SFTP login failed');
      attempt.reject();
    }
  }

  #welcome(loggedIn: LoggedIn): void {
    this.#loggedIn = loggedIn;
    this.#parts.logger.info({ user: loggedIn.user, by: loggedIn.by }, 'SFTP client logged in');
    this.#stayAwhile();
  }

  /** The connection is in use: the time until it is idle begins anew. A long request is use, too. */
  #stayAwhile(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if ([...this.#channels].some(({ isWorking }) => isWorking)) this.#stayAwhile();
      else this.end();
    }, SFTP_IDLE_MS).unref();
  }

  #offerSftp(session: SshSession): void {
    session.on('subsystem', (accept, reject, { name }) => {
      if (name !== 'sftp' || this.#channels.size >= MAX_SFTP_CHANNELS) reject();
      else this.#serve(accept());
    });
    const refuse = (accept: () => ServerChannel): void => {
      turnAway(accept(), ONLY_SFTP);
    };
    session.on('exec', refuse);
    session.on('shell', refuse);
    session.on('pty', (accept: (() => void) | undefined) => accept?.());
  }

  #serve(channel: ServerChannel): void {
    const { sessions, files, windows, space, catalog, logger } = this.#parts;
    const user = this.#loggedIn?.user ?? '';
    const session = (): Session => sessions.get(user);
    try {
      session();
    } catch (error) {
      // A key says who somebody is, and opens nothing.
      turnAway(channel, error instanceof StorageError ? error.message : 'This user is locked.');
      return;
    }
    const onRequest = (): void => {
      this.#stayAwhile();
    };
    const served = new SftpChannel(channel, { catalog, files, windows, space, logger, session, onRequest });
    this.#channels.add(served);
    const running = served.run().finally(() => {
      this.#channels.delete(served);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}

function turnAway(channel: ServerChannel, sentence: string): void {
  channel.on('error', () => undefined);
  channel.stderr.write(`shoal: ${sentence}\r\n`);
  channel.exit(1);
  channel.end();
}
