import { rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.js';
import { Devnet, settleAll } from '../../src/cli/devnet/devnet.js';
import {
  createLayout,
  DEVNET_USER,
  type DevnetLayout,
  type DevnetPeer,
  type Provision,
} from '../../src/cli/devnet/layout.js';
import { MAIN, signalPeer } from '../../src/cli/devnet/peer-process.js';
import { assert } from '../../src/errors.js';
import { changeSettings, HOME } from '../../src/home.js';
import { provisionDevnet } from '../../src/provision.js';
import { Relay } from '../../test/planet/relay.js';
import { BEND_VARIABLE, type Bend, type Start } from './bend.js';

/** So many lose no file, as the policy of the network says. */
export const TOLERATE = 2;
const PEERS = 8;
const BACKUP_HOSTS = 2;
const BENT_PEER = new URL('./bent-peer.js', import.meta.url).href;

/** Only what is written here: a setting of somebody's shell must not reach the peers. */
const SETTINGS = {
  SHOAL_WORKERS: '0',
  SHOAL_RESERVE_BYTES: '0',
  SHOAL_LOG: 'info',
  SHOAL_WEB: 'off',
  SHOAL_SFTP: 'off',
  SHOAL_DRAIN_SECONDS: '0',
  // About 7 s, 4 s between audits: what takes a day elsewhere is to happen within minutes.
  SHOAL_GRACE_HOURS: '0.002',
  SHOAL_AUDITS_PER_HOUR: '900',
  SHOAL_SCRUB_DAYS: '1',
};

/** Eight peers, each a process, and behind a wire of its own that can be cut and slowed. */
export class CampaignNetwork implements AsyncDisposable {
  readonly #folder: string;
  readonly #layout: DevnetLayout;
  readonly #signal: AbortSignal;
  readonly #wires: ReadonlyMap<number, Wire>;
  readonly #dispose: () => void;

  private constructor(folder: string, { layout, wires, signal }: Made) {
    this.#folder = folder;
    this.#layout = layout;
    this.#wires = wires;
    this.#signal = signal;
    // Whatever ends this process, neither peers nor files outlive it.
    this.#dispose = () => {
      for (const n of this.numbers) signalPeer(this.peer(n).home, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', this.#dispose);
  }

  /** @param folder is made, and removed at the end */
  static async open(folder: string, signal: AbortSignal): Promise<CampaignNetwork> {
    const wires = new Map<number, Wire>();
    const layout = await madeLayout(join(folder, 'net'), wires);
    const network = new CampaignNetwork(folder, { layout, wires, signal });
    try {
      await settleAll(network.numbers.map((n) => network.start(n)));
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Of the peers, from 1. */
  get numbers(): readonly number[] {
    return this.#layout.peers.map(({ n }) => n);
  }

  /** Those of them that host the databases of all. */
  get hosts(): readonly number[] {
    return this.numbers.slice(0, BACKUP_HOSTS);
  }

  peer(n: number): DevnetPeer {
    const peer = this.#layout.peers.find((each) => each.n === n);
    assert(peer !== undefined, `there is a peer ${String(n)}`);
    return peer;
  }

  /** Where its chunks lie: files in `chunks`, small ones and labels in `index.sqlite`. */
  storeOf(n: number): string {
    return join(this.peer(n).home, HOME.chunks);
  }

  client(n: number, signal: AbortSignal): ControlClient {
    return new ControlClient(this.peer(n).home, { user: DEVNET_USER, signal });
  }

  /** Where a host's databases lie. */
  couchOf(n: number): string {
    return join(this.peer(n).home, HOME.couch);
  }

  /** A folder of the campaign's own. */
  folderFor(name: string): string {
    return join(this.#folder, name);
  }

  /** @param bend what is wrong with it until it is started again */
  start(n: number, bend: Bend = {}): Promise<void> {
    return this.#devnet(n, bend).start(this.peer(n));
  }

  async stop(n: number, options: { readonly kill: boolean }): Promise<void> {
    await this.#devnet(n).stop(this.peer(n), options);
  }

  pause(n: number): void {
    signalPeer(this.peer(n).home, 'SIGSTOP');
  }

  resume(n: number): void {
    signalPeer(this.peer(n).home, 'SIGCONT');
  }

  /** A peer reads them when it starts. */
  changeSettings(n: number, changes: Readonly<Record<string, unknown>>): Promise<void> {
    return changeSettings(this.peer(n).home, changes);
  }

  /** Others do not reach it any more; it reaches them. */
  cutOff(n: number): void {
    this.#wire(n).relay.cut();
  }

  /** These peers and all others reach each other no more; each side sees itself. Until mendSplit. */
  split(side: readonly number[]): void {
    const others = this.numbers.filter((n) => !side.includes(n));
    for (const [here, there] of [
      [side, others],
      [others, side],
    ] as const) {
      for (const n of here) this.#wire(n).relay.block(new Set(there.map(addressOf)));
    }
  }

  mendSplit(): void {
    for (const { relay } of this.#wires.values()) relay.block(new Set());
  }

  slowDown(n: number, delayMs: number): void {
    this.#wire(n).relay.delayMs = delayMs;
  }

  mendWire(n: number): void {
    const { relay, port } = this.#wire(n);
    relay.lead(port);
    relay.flow();
  }

  async close(): Promise<void> {
    for (const n of this.numbers) this.resume(n);
    await settleAll(this.numbers.map((n) => this.stop(n, { kill: true })));
    await closeWires(this.#wires);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', this.#dispose);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #devnet(n: number, bend: Bend = {}): Devnet {
    const start: Start = { from: addressOf(n), ...bend };
    const inherited = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] };
    const env = { ...inherited, ...SETTINGS, [BEND_VARIABLE]: JSON.stringify(start) };
    return new Devnet(this.#layout, { env, signal: this.#signal }, ['--import', BENT_PEER, MAIN]);
  }

  #wire(n: number): Wire {
    const wire = this.#wires.get(n);
    assert(wire !== undefined, `peer ${String(n)} has no wire`);
    return wire;
  }
}

interface Made {
  readonly layout: DevnetLayout;
  readonly wires: ReadonlyMap<number, Wire>;
  readonly signal: AbortSignal;
}

interface Wire {
  readonly relay: Relay;
  /** Where the peer itself listens. */
  readonly port: number;
}

async function madeLayout(folder: string, wires: Map<number, Wire>): Promise<DevnetLayout> {
  try {
    const sizes = { peers: PEERS, tolerate: TOLERATE, backupHosts: BACKUP_HOSTS };
    return await createLayout(folder, sizes, behind(wires));
  } catch (error) {
    await closeWires(wires);
    throw error;
  }
}

async function closeWires(wires: ReadonlyMap<number, Wire>): Promise<void> {
  await Promise.all([...wires.values()].map(({ relay }) => relay[Symbol.asyncDispose]()));
}

/** Where a peer's connections begin. All of 127.0.0.0/8 is this machine. */
function addressOf(n: number): string {
  return `127.0.1.${String(n)}`;
}

/** Provisions a devnet whose peers know each other by the addresses of their wires. */
function behind(wires: Map<number, Wire>): Provision {
  return async (request) => {
    for (const { n, port } of request.peers) {
      const relay = await Relay.open();
      relay.lead(port);
      wires.set(n, { relay, port });
    }
    const peers = request.peers.map((peer) => ({ ...peer, port: wires.get(peer.n)?.relay.port ?? peer.port }));
    const made = await provisionDevnet({ ...request, peers });
    for (const { n, home, address } of made.peers) {
      const port = wires.get(n)?.port ?? 0;
      await changeSettings(home, { listen: `127.0.0.1:${String(port)}`, address });
    }
    return made;
  };
}
