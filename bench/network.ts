import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Devnet } from '../src/cli/devnet/devnet.js';
import { createLayout, DEFAULT_PEERS, type DevnetPeer } from '../src/cli/devnet/layout.js';
import { MAIN, NODE_FLAGS, runningPeer, signalPeer } from '../src/cli/devnet/peer-process.js';
import type { Runtime } from '../src/cli/runtime.js';
import { assert } from '../src/errors.js';
import { provisionDevnet } from '../src/provision.js';
import type { Command } from './measure/command.js';
import { cpuSeconds, isReaped, peakBytes, resetPeak } from './measure/processes.js';

const SOURCE = 1;
/** The peers that `--profile` is about: the source and one target. */
const PROFILED = [SOURCE, 2];
const REAP_TIMEOUT_MS = 5_000;
const POLL_MS = 10;

/** The peers under measurement, each a process of its own, and the source peer as its user sees it. */
export class BenchNetwork implements AsyncDisposable {
  readonly #devnet: Devnet;
  readonly #profiled: readonly Devnet[];

  private constructor(devnet: Devnet, profiled: readonly Devnet[]) {
    this.#devnet = devnet;
    this.#profiled = profiled;
  }

  /** @param profile where the CPU profiles of two peers go when they end */
  static async open(folder: string, runtime: Runtime, profile: string | undefined): Promise<BenchNetwork> {
    const layout = await createLayout(join(folder, 'net'), { peers: DEFAULT_PEERS }, provisionDevnet);
    const profiled = PROFILED.map((n) => {
      if (profile === undefined) return new Devnet(layout, runtime);
      return new Devnet(layout, runtime, ['--cpu-prof', `--cpu-prof-dir=${join(profile, `peer-${String(n)}`)}`, MAIN]);
    });
    const network = new BenchNetwork(new Devnet(layout, runtime), profiled);
    // Whatever ends this process, the peers do not outlive it: they have no terminal that would tell them.
    process.once('exit', () => {
      for (const home of network.homes) signalPeer(home, 'SIGKILL');
    });
    try {
      await network.#up();
      return network;
    } catch (error) {
      await network.close({ kill: true });
      throw error;
    }
  }

  get source(): DevnetPeer {
    return this.#devnet.peer(SOURCE);
  }

  get homes(): readonly string[] {
    return this.#devnet.layout.peers.map(({ home }) => home);
  }

  get runningHomes(): readonly string[] {
    return this.homes.filter((home) => runningPeer(home) !== undefined);
  }

  /** CPU seconds so far of all peers that run. */
  cpuSeconds(): number {
    return this.#pids().reduce((sum, pid) => sum + cpuSeconds(pid).own, 0);
  }

  /** `shoal` with these words, at the source peer, under the flags of bin/shoal. */
  command(words: readonly string[], timeoutMs: number): Command {
    const env = { SHOAL_HOME: this.source.home, NO_COLOR: '1' };
    return { file: process.execPath, args: [...NODE_FLAGS, MAIN, ...words], env, timeoutMs };
  }

  /** From here on `sourcePeakBytes` tells of what comes; where the system cannot forget a peak, by a fresh process. */
  async forgetSourcePeak(): Promise<void> {
    const pid = runningPeer(this.source.home)?.pid;
    if (pid !== undefined && resetPeak(pid)) return;
    await this.#devnet.stop(this.source, { kill: false });
    if (pid !== undefined) await reaped(pid);
    await this.#up();
  }

  sourcePeakBytes(): number {
    const pid = runningPeer(this.source.home)?.pid;
    return (pid === undefined ? undefined : peakBytes(pid)) ?? 0;
  }

  /** kill -9. The source peer and those that are profiled are spared, those that `preferred` names come first. */
  async killPeers(count: number, preferred: ReadonlySet<string>): Promise<void> {
    const victims = this.#devnet.layout.peers
      .filter(({ n }) => !PROFILED.includes(n))
      .sort((a, b) => Number(preferred.has(b.id)) - Number(preferred.has(a.id)))
      .slice(0, count);
    assert(victims.length === count, 'fewer peers than are to die');
    for (const victim of victims) {
      const pid = runningPeer(victim.home)?.pid;
      await this.#devnet.stop(victim, { kill: true });
      if (pid !== undefined) await reaped(pid);
    }
  }

  /** By SIGTERM. */
  async stopPeer(n: number): Promise<void> {
    const peer = this.#devnet.peer(n);
    const pid = runningPeer(peer.home)?.pid;
    await this.#devnet.stop(peer, { kill: false });
    if (pid !== undefined) await reaped(pid);
  }

  /** Its user is unlocked, too. */
  async startPeer(n: number): Promise<void> {
    await this.#devnet.start(this.#devnet.peer(n));
  }

  /** By SIGTERM, so that profiles are written. */
  async close(options: { readonly kill: boolean } = { kill: false }): Promise<void> {
    const pids = this.#pids();
    await this.#devnet.down(options);
    for (const pid of pids) await reaped(pid);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #up(): Promise<void> {
    for (const [index, devnet] of this.#profiled.entries()) await devnet.start(devnet.peer(PROFILED[index] ?? SOURCE));
    await this.#devnet.up();
  }

  #pids(): number[] {
    return this.homes.map((home) => runningPeer(home)?.pid).filter((pid) => pid !== undefined);
  }
}

/** Its CPU time is charged to this process at that moment, which must not be in the middle of a measurement. */
async function reaped(pid: number): Promise<void> {
  for (const deadline = performance.now() + REAP_TIMEOUT_MS; performance.now() < deadline && !isReaped(pid);) {
    await sleep(POLL_MS);
  }
}
