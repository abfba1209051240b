import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import { runCommand } from '../measure/command.js';
import { median } from '../measure/median.js';
import { loopbackBytes } from '../measure/processes.js';
import type { BenchNetwork } from '../network.js';
import { remotePath } from './shoal.js';
import { differs, type Original, type Stage } from './stage.js';
import { timeoutFor } from './work.js';

export interface RangeResult {
  readonly bytes: number;
  /** `shoal cat --offset --length`, start of the program included. Medians, all of them. */
  readonly commandMs: number;
  /** Over the control socket, as a program that stays would. */
  readonly socketMs: number;
  /** Through the loopback interface for one range: TLS and headers included. */
  readonly movedBytes: number;
  /** From the request for the whole file to its first bytes. */
  readonly firstByteMs: number;
}

const RANGE_BYTES = 64 * 1024;
const COMMAND_RUNS = 5;
const SOCKET_RUNS = 9;
/** Each run reads another place, so that none profits from the one before. */
const STEP_BYTES = 3 * RANGE_BYTES;

/** Ranges from the middle of the big file, and how long its stream takes to begin. */
export async function measureRange(stage: Stage, network: BenchNetwork, original: Original): Promise<RangeResult> {
  const reader = new RangeReader(stage, network, original);
  await using client = new ControlClient(network.source.home, { signal: stage.signal });
  await reader.overSocket(client, 0); // connections between peers may have gone to sleep
  const command: number[] = [];
  for (let run = 0; run < COMMAND_RUNS; run++) command.push(await reader.byCommand(run));
  const socket: { ms: number; moved: number }[] = [];
  for (let run = 0; run < SOCKET_RUNS; run++) socket.push(await reader.overSocket(client, COMMAND_RUNS + run));
  const first: number[] = [];
  for (let run = 0; run < COMMAND_RUNS; run++) first.push(await firstByteMs(client, original));
  return {
    bytes: RANGE_BYTES,
    commandMs: median(command),
    socketMs: median(socket.map(({ ms }) => ms)),
    movedBytes: median(socket.map(({ moved }) => moved)),
    firstByteMs: median(first),
  };
}

class RangeReader {
  readonly #stage: Stage;
  readonly #network: BenchNetwork;
  readonly #original: Original;

  constructor(stage: Stage, network: BenchNetwork, original: Original) {
    this.#stage = stage;
    this.#network = network;
    this.#original = original;
  }

  async byCommand(run: number): Promise<number> {
    const offset = this.#offset(run);
    const words = ['cat', remotePath(this.#original), '--offset', String(offset), '--length', String(RANGE_BYTES)];
    const command = this.#network.command(words, timeoutFor(RANGE_BYTES, 1));
    const { seconds, stdout } = await runCommand(command, this.#stage.signal);
    await this.#compare(offset, stdout);
    return seconds * 1000;
  }

  async overSocket(client: ControlClient, run: number): Promise<{ readonly ms: number; readonly moved: number }> {
    const offset = this.#offset(run);
    const loopback = loopbackBytes();
    const started = performance.now();
    const parts: Uint8Array[] = [];
    const range = { offset, length: RANGE_BYTES };
    for await (const part of client.download(remotePath(this.#original), { range })) parts.push(part);
    const ms = performance.now() - started;
    await this.#compare(offset, Buffer.concat(parts));
    return { ms, moved: loopbackBytes() - loopback };
  }

  #offset(run: number): number {
    const middle = Math.floor(this.#original.bytes / 2);
    return Math.min(middle + run * STEP_BYTES, this.#original.bytes - RANGE_BYTES);
  }

  async #compare(offset: number, bytes: Buffer): Promise<void> {
    const file = await open(this.#original.path, 'r');
    try {
      const { buffer } = await file.read(Buffer.alloc(RANGE_BYTES), 0, RANGE_BYTES, offset);
      if (!buffer.equals(bytes)) throw differs(`The range at ${String(offset)}`);
    } finally {
      await file.close();
    }
  }
}

/** The peer needs this long to notice that its reader has gone; what it moves meanwhile belongs to nobody's figure. */
const CANCEL_MS = 300;

async function firstByteMs(client: ControlClient, original: Original): Promise<number> {
  const started = performance.now();
  const stream = client.download(remotePath(original));
  try {
    await stream.next();
    return performance.now() - started;
  } finally {
    await stream.return(undefined);
    await sleep(CANCEL_MS);
  }
}
