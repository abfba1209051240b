import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DEVNET_USER } from '../../src/cli/devnet/layout.js';
import { ControlClient } from '../../src/cli/control-client.js';
import { assert, StorageError } from '../../src/errors.js';
import { runCommand, type Command } from '../measure/command.js';
import { median } from '../measure/median.js';
import { measure } from '../measure/use.js';
import type { BenchNetwork } from '../network.js';
import { quiet } from '../phases/quiet.js';
import type { Original, Stage } from '../phases/stage.js';
import { timeoutFor, type WorkName, type WorkResult } from '../phases/work.js';
import type { Listing } from './gateways.js';

const LISTINGS = 7;
/** Entries of a page, as the web UI asks for them. */
const PAGE = 200;

/** The HTTP API on TCP as a program uses it: curl with a token. */
export class HttpGateway {
  readonly #stage: Stage;
  readonly #network: BenchNetwork;
  readonly #origin: string;
  readonly #token: string;

  private constructor(stage: Stage, network: BenchNetwork, { origin, token }: { origin: string; token: string }) {
    this.#stage = stage;
    this.#network = network;
    this.#origin = origin;
    this.#token = token;
  }

  static async open(stage: Stage, network: BenchNetwork): Promise<HttpGateway> {
    const { home, web } = network.source;
    assert(web !== null, 'the source peer of the benchmark has a web server');
    await using client = new ControlClient(home, { user: DEVNET_USER, signal: stage.signal });
    const { token } = await client.makeToken({ name: 'benchmark', scope: 'all', days: 1 });
    return new HttpGateway(stage, network, { origin: web, token });
  }

  async putAndGet(original: Original): Promise<WorkResult[]> {
    const url = `${this.#origin}/api/v1/content?path=${encodeURIComponent('/over-http')}`;
    const copy = this.#stage.workshop.path(`http-${basename(original.path)}`);
    const body = ['-T', original.path, '-H', 'content-type: application/octet-stream'];
    const results = [
      await this.#run(original, 'put', [...body, '-o', join(this.#stage.workshop.folder, 'reply'), url]),
      await this.#run(original, 'get', ['-o', copy, url]),
    ];
    await original.compare(copy);
    await rm(copy);
    return results;
  }

  /** All entries in one reply, and the first page of them, over a connection that stays. */
  async list(path: string, entries: number): Promise<Listing[]> {
    const whole = { path };
    const page = { path, offset: '0', limit: String(PAGE), order: 'name' };
    return [
      { system: 'shoal-http', what: 'GET entries, all', entries, ms: await this.#median(whole, entries) },
      { system: 'shoal-http', what: 'GET entries, the first page', entries: PAGE, ms: await this.#median(page, PAGE) },
    ];
  }

  async #median(query: Readonly<Record<string, string>>, expected: number): Promise<number> {
    const url = `${this.#origin}/api/v1/entries?${new URLSearchParams(query).toString()}`;
    const times: number[] = [];
    for (let turn = 0; turn < LISTINGS; turn++) {
      const began = performance.now();
      const reply = await fetch(url, {
        headers: { authorization: `Bearer ${this.#token}` },
        signal: this.#stage.signal,
      });
      const entries: unknown = await reply.json();
      times.push(performance.now() - began);
      if (!reply.ok || !Array.isArray(entries) || entries.length !== expected) {
        throw new StorageError('CORRUPT', `GET entries answers ${String(reply.status)} with something else.`);
      }
    }
    return median(times);
  }

  async #run(original: Original, work: WorkName, words: readonly string[]): Promise<WorkResult> {
    const { files, bytes } = original;
    await this.#network.forgetSourcePeak();
    await quiet(this.#network, this.#stage.signal);
    const common = ['-sS', '--fail-with-body', '--noproxy', '*', '-H', `authorization: Bearer ${this.#token}`];
    const command: Command = { file: 'curl', args: [...common, ...words], timeoutMs: timeoutFor(bytes, files) };
    const use = await measure(
      () => this.#network.cpuSeconds(),
      () => runCommand(command, this.#stage.signal),
    );
    const sourcePeakBytes = this.#network.sourcePeakBytes();
    return { system: 'shoal-http', work, files, bytes, ...use, sourcePeakBytes };
  }
}
