import { once } from 'node:events';
import type { ServerChannel } from 'ssh2';
import { StorageError, wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { MAX_SFTP_REQUESTS } from '../../limits.js';

import { BadPacket } from './field-reader.js';
import { carryOutOfHandle } from './handle-requests.js';
import { FileHandle, Handles } from './handles.js';
import { readPackets } from './packet-reader.js';
import { carryOutOfPath } from './path-requests.js';
import { REQUEST, STATUS } from './protocol.js';
import { errorReply, statusReply, versionReply } from './replies.js';
import type { RequestParts } from './request-parts.js';
import { readRequest, type SftpRequest } from './requests.js';

export interface ChannelOptions extends Omit<RequestParts, 'handles' | 'inOrder'> {
  readonly logger: Logger;
  /** A request has come. */
  readonly onRequest: () => void;
}

/** What a person should read: most clients show their own words for a status, which are few. */
const WORTH_SAYING = new Set(['LOCKED', 'NO_SPACE', 'TOO_FEW_PEERS', 'UNAVAILABLE', 'LIMIT_EXCEEDED', 'CORRUPT']);
/** The same sentence is not said again within this. */
const SAID_MS = 10_000;

/**
 * One SFTP session on a channel of ssh2. Not by ssh2's own SFTP: that one announces no extensions, turns names that are no
 * UTF-8 into others, and buffers replies without bound for a client that does not read them.
 */
export class SftpChannel {
  readonly #channel: ServerChannel;
  readonly #options: ChannelOptions;
  readonly #parts: RequestParts;
  readonly #handles = new Handles();
  readonly #working = new Set<Promise<void>>();
  #names: Promise<unknown> = Promise.resolve();
  #isDrained: Promise<unknown> | undefined;
  readonly #said = new Map<string, number>();

  constructor(channel: ServerChannel, options: ChannelOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#parts = { ...options, handles: this.#handles, inOrder: (work) => this.#inOrder(work) };
  }

  /** Something of the client's is going on: a file is open, or a request is worked on. */
  get isBusy(): boolean {
    return this.#handles.size > 0 || this.isWorking;
  }

  get isWorking(): boolean {
    return this.#working.size > 0;
  }

  /** Until the client ends the channel, or sends what cannot be understood. What it closed before is committed. Does not fail. */
  async run(): Promise<void> {
    // Told by the end of the reading.
    this.#channel.on('error', () => undefined);
    try {
      await this.#serve();
    } catch (error) {
      const reason = wrapError(error, 'Reading an SFTP channel').message;
      this.#options.logger.info({ reason }, 'an SFTP channel was cut off');
    }
    await Promise.all(this.#working);
    for (const handle of this.#handles.takeAll()) if (handle instanceof FileHandle) await this.#letGo(handle);
    // Without this OpenSSH's clients wait for ever.
    this.#channel.exit(0);
    this.#channel.end();
  }

  /** One that cannot be let go of well must not keep the others. */
  async #letGo(handle: FileHandle): Promise<void> {
    try {
      await handle.close();
      await this.#options.files.release(handle.file);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'an open file of an SFTP client could not be closed');
    }
  }

  async #serve(): Promise<void> {
    let isGreeted = false;
    // Its end is told by us: a stream that is iterated to its end is destroyed, and the client would miss the exit status.
    for await (const packet of readPackets(this.#channel.iterator({ destroyOnReturn: false }))) {
      this.#options.onRequest();
      if (!isGreeted) {
        if (packet[0] !== REQUEST.INIT) throw new BadPacket('The client did not begin with INIT.');
        isGreeted = true;
        this.#send(versionReply());
        continue;
      }
      const work = this.#answer(packet);
      this.#working.add(work);
      void work.finally(() => this.#working.delete(work));
      while (this.#working.size >= MAX_SFTP_REQUESTS) await Promise.race(this.#working);
      // A client that does not read is not read either.
      await this.#isDrained;
    }
  }

  /** What it returns does not fail. @throws BadPacket at once */
  #answer(packet: Buffer): Promise<void> {
    const received = readRequest(packet);
    const { id } = received;
    let request: SftpRequest;
    try {
      request = received.decode();
    } catch (error) {
      if (error instanceof BadPacket) this.#send(statusReply(id, STATUS.BAD_MESSAGE, error.message));
      if (!StorageError.is(error)) throw error;
      this.#refuse(id, error);
      return Promise.resolve();
    }
    return this.#carryOut(id, request).then(
      (reply) => {
        this.#send(reply);
      },
      (error: unknown) => {
        this.#refuse(id, error);
      },
    );
  }

  /** What comes before its first wait is in the order of the requests. */
  async #carryOut(id: number, request: SftpRequest): Promise<Buffer> {
    // Who is locked learns nothing. A close goes on all the same: it gives back what was held, and says what is lost.
    if (request.kind !== 'close') this.#parts.session();
    if ('handle' in request) return carryOutOfHandle(this.#parts, id, request);
    return carryOutOfPath(this.#parts, id, request);
  }

  #refuse(id: number, thrown: unknown): void {
    const error = wrapError(thrown, 'The request');
    if (error.code === 'INTERNAL') this.#options.logger.error({ err: error }, 'SFTP request failed');
    else this.#options.logger.debug({ code: error.code }, 'SFTP request refused');
    if (WORTH_SAYING.has(error.code)) this.#say(error.message);
    this.#send(errorReply(id, error));
  }

  /** On the client's terminal. */
  #say(sentence: string): void {
    const now = Date.now();
    if ((this.#said.get(sentence) ?? 0) > now - SAID_MS) return;
    if (this.#said.size > MAX_SFTP_REQUESTS) this.#said.clear();
    this.#said.set(sentence, now);
    this.#channel.stderr.write(`shoal: ${sentence}\r\n`);
  }

  #send(reply: Buffer): void {
    if (this.#channel.destroyed || this.#channel.writableEnded) return;
    if (this.#channel.write(reply)) return;
    this.#isDrained ??= this.#drained();
  }

  async #drained(): Promise<void> {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    this.#channel.once('close', end);
    try {
      // A channel that closes is drained as well.
      await once(this.#channel, 'drain', { signal: over.signal }).catch(() => undefined);
    } finally {
      this.#channel.off('close', end);
      this.#isDrained = undefined;
    }
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#names.then(work);
    this.#names = turn.catch(() => undefined);
    return turn;
  }
}
