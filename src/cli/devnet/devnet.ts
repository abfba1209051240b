import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../errors.js';
import type { StatusReply } from '../../gateways/http/api.js';
import { ControlClient } from '../control-client.js';
import { readPassphraseFile } from '../passphrase.js';
import type { Runtime } from '../runtime.js';
import { DEVNET_USER, passphraseFile, type DevnetLayout, type DevnetPeer } from './layout.js';
import { launch, MAIN, runningPeer, startFailure, stopPeer } from './peer-process.js';

/** A peer starts in about a second on an idle core; six of them at once on a busy machine need many. */
const START_TIMEOUT_MS = 90_000;
const POLL_MS = 30;

/** The contract of `shoal devnet status --json`. */
export interface PeerState extends DevnetPeer {
  /** null when no process of this devnet runs for it. */
  readonly pid: number | null;
  /** Its control socket answers. */
  readonly up: boolean;
}

/** The running side of a devnet; every method may be called again, and does only what is left to do. */
export class Devnet {
  readonly layout: DevnetLayout;
  readonly #runtime: Pick<Runtime, 'env' | 'signal'>;
  readonly #program: readonly string[];

  /**
   * @param program what is run as `node program serve --home HOME`: options of Node's before it are welcome; tests have
   *   their own, and the benchmark profiles
   */
  constructor(
    layout: DevnetLayout,
    runtime: Pick<Runtime, 'env' | 'signal'>,
    program: string | readonly string[] = MAIN,
  ) {
    this.layout = layout;
    this.#runtime = runtime;
    this.#program = typeof program === 'string' ? [program] : program;
  }

  /** Starts what is down, all at once, and waits until every peer answers and its user is unlocked. */
  async up(): Promise<void> {
    await settleAll(this.layout.peers.map((peer) => this.start(peer)));
  }

  async down(options: { readonly kill: boolean } = { kill: false }): Promise<void> {
    await settleAll(this.layout.peers.map((peer) => stopPeer(peer.home, options)));
  }

  async start(peer: DevnetPeer): Promise<void> {
    this.#runtime.signal.throwIfAborted();
    await using client = new ControlClient(peer.home, { signal: this.#runtime.signal });
    if ((await statusIfUp(client)) === undefined && runningPeer(peer.home) === undefined) {
      // Peers of one machine cannot all have the usual ports.
      const off = { ...(peer.web === null && { SHOAL_WEB: 'off' }), ...(peer.sftp === null && { SHOAL_SFTP: 'off' }) };
      launch(peer.home, { ...this.#runtime.env, ...off }, this.#program);
    }
    const status = await this.#ready(client, peer);
    if (!status.users.some((user) => user.name === DEVNET_USER && user.unlocked)) {
      await client.unlock(DEVNET_USER, await readPassphraseFile(passphraseFile(peer.home)));
    }
  }

  async stop(peer: DevnetPeer, options: { readonly kill: boolean }): Promise<void> {
    await stopPeer(peer.home, options);
  }

  /** @throws StorageError NOT_FOUND */
  peer(n: number): DevnetPeer {
    const found = this.layout.peers.find((peer) => peer.n === n);
    if (found !== undefined) return found;
    const last = String(this.layout.peers.length);
    throw new StorageError('NOT_FOUND', `There is no peer ${String(n)} in this devnet: its peers are 1 to ${last}.`);
  }

  async status(): Promise<PeerState[]> {
    return Promise.all(
      this.layout.peers.map(async (peer) => {
        await using client = new ControlClient(peer.home, { signal: this.#runtime.signal });
        const up = (await statusIfUp(client)) !== undefined;
        return { ...peer, pid: runningPeer(peer.home)?.pid ?? null, up };
      }),
    );
  }

  async #ready(client: ControlClient, peer: DevnetPeer): Promise<StatusReply> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const alive = runningPeer(peer.home) !== undefined; // before the question: it may answer and end
      const status = await statusIfUp(client);
      if (status !== undefined) return status;
      if (!alive) throw startFailure(peer.home);
      await sleep(POLL_MS);
    }
    throw new StorageError('TIMEOUT', `${peer.name} runs, but does not answer: see the log in ${peer.home}.`);
  }
}

async function statusIfUp(client: ControlClient): Promise<StatusReply | undefined> {
  try {
    return await client.status();
  } catch (error) {
    if (StorageError.is(error, 'UNAVAILABLE')) return undefined;
    throw error;
  }
}

/** Waits for all of them, so that none works on behind the caller's back, then throws the first failure. */
export async function settleAll(works: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
