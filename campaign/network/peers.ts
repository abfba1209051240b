import { rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.js';
import { Devnet } from '../../src/cli/devnet/devnet.js';
import {
  createLayout,
  DEVNET_USER,
  type DevnetLayout,
  type DevnetPeer,
  type Provision,
} from '../../src/cli/devnet/layout.js';
import { signalPeer } from '../../src/cli/devnet/peer-process.js';
import { assert } from '../../src/errors.js';
import { changeSettings, HOME } from '../../src/home.js';
import { provisionDevnet } from '../../src/provision.js';
import { Relay } from '../../test/planet/relay.js';

/** So many lose no file, as the policy of the network says. */
export const TOLERATE = 2;
const PEERS = 8;

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
  readonly #devnet: Devnet;
  readonly #wires: ReadonlyMap<number, Wire>;
  readonly #dispose: () => void;

  private constructor(folder: string, devnet: Devnet, wires: ReadonlyMap<number, Wire>) {
    this.#folder = folder;
    this.#devnet = devnet;
    this.#wires = wires;
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
    const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], ...SETTINGS };
    const network = new CampaignNetwork(folder, new Devnet(layout, { env, signal }), wires);
    try {
      await network.#devnet.up();
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Of the peers, from 1. */
  get numbers(): readonly number[] {
    return this.#devnet.layout.peers.map(({ n }) => n);
  }

  peer(n: number): DevnetPeer {
    return this.#devnet.peer(n);
  }

  /** Where its chunks lie: files in `chunks`, small ones and labels in `index.sqlite`. */
  storeOf(n: number): string {
    return join(this.peer(n).home, HOME.chunks);
  }

  client(n: number, signal: AbortSignal): ControlClient {
    return new ControlClient(this.peer(n).home, { user: DEVNET_USER, signal });
  }

  start(n: number): Promise<void> {
    return this.#devnet.start(this.peer(n));
  }

  async stop(n: number, options: { readonly kill: boolean }): Promise<void> {
    await this.#devnet.stop(this.peer(n), options);
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
    await this.#devnet.down({ kill: true });
    await closeWires(this.#wires);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', this.#dispose);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wire(n: number): Wire {
    const wire = this.#wires.get(n);
    assert(wire !== undefined, `peer ${String(n)} has no wire`);
    return wire;
  }
}

interface Wire {
  readonly relay: Relay;
  /** Where the peer itself listens. */
  readonly port: number;
}

async function madeLayout(folder: string, wires: Map<number, Wire>): Promise<DevnetLayout> {
  try {
    return await createLayout(folder, { peers: PEERS, tolerate: TOLERATE }, behind(wires));
  } catch (error) {
    await closeWires(wires);
    throw error;
  }
}

async function closeWires(wires: ReadonlyMap<number, Wire>): Promise<void> {
  await Promise.all([...wires.values()].map(({ relay }) => relay[Symbol.asyncDispose]()));
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
