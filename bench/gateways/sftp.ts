import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DEVNET_USER, passphraseFile } from '../../src/cli/devnet/layout.js';
import { ControlClient } from '../../src/cli/control-client.js';
import { readPassphraseFile } from '../../src/cli/passphrase.js';
import { assert, StorageError } from '../../src/errors.js';
import { runCommand, type CommandUse } from '../measure/command.js';
import { median } from '../measure/median.js';
import { measure } from '../measure/use.js';
import type { BenchNetwork } from '../network.js';
import { quiet } from '../phases/quiet.js';
import type { Original, Stage } from '../phases/stage.js';
import { timeoutFor, type WorkName, type WorkResult } from '../phases/work.js';
import type { Listing } from './gateways.js';

const LISTINGS = 5;

/** A server that OpenSSH's sftp is run against. */
export interface SftpTarget {
  readonly system: 'shoal-sftp' | 'sftp';
  /** ssh_config(5); the host is called "bench". */
  readonly config: string;
  readonly cpuSeconds: () => number;
  /** Before a measurement begins. */
  readonly ready?: () => Promise<void>;
  /** Until what a session took has been charged to the server. */
  readonly ended?: () => Promise<void>;
  readonly sourcePeakBytes?: () => number;
}

/** OpenSSH's own sftp, with a batch of commands: the same program against Shoal and against sftp-server. */
export class SftpClient {
  readonly #stage: Stage;
  readonly #target: SftpTarget;

  constructor(stage: Stage, target: SftpTarget) {
    this.#stage = stage;
    this.#target = target;
  }

  /** @param place where the file goes at the server */
  async putAndGet(original: Original, place: string): Promise<WorkResult[]> {
    const copy = this.#stage.workshop.path(`${this.#target.system}-${basename(original.path)}`);
    const results = [
      await this.#work(original, 'put', `put "${original.path}" "${place}"`),
      await this.#work(original, 'get', `get "${place}" "${copy}"`),
    ];
    await original.compare(copy);
    await rm(copy);
    return results;
  }

  /** Start and login of sftp included. */
  async list(folder: string, entries: number): Promise<Listing> {
    const times: number[] = [];
    for (let turn = 0; turn < LISTINGS; turn++) {
      const { seconds, stdout } = await this.#run([`ls -1 "${folder}"`], timeoutFor(0, entries));
      times.push(seconds * 1000);
      const listed = stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes('file-')).length;
      if (listed !== entries) throw new StorageError('CORRUPT', `sftp lists ${String(listed)} of ${String(entries)}.`);
    }
    return { system: this.#target.system, what: 'sftp, ls -1, login included', entries, ms: median(times) };
  }

  async #work(original: Original, work: WorkName, line: string): Promise<WorkResult> {
    const { files, bytes } = original;
    const { system, cpuSeconds, ready, ended, sourcePeakBytes } = this.#target;
    await ready?.();
    const use = await measure(cpuSeconds, async () => {
      const used = await this.#run([line], timeoutFor(bytes, files));
      await ended?.();
      return used;
    });
    return { system, work, files, bytes, ...use, ...(sourcePeakBytes && { sourcePeakBytes: sourcePeakBytes() }) };
  }

  async #run(lines: readonly string[], timeoutMs: number): Promise<CommandUse> {
    const batch = await writeBatch(this.#stage, lines);
    const args = ['-q', '-F', this.#target.config, '-b', batch, 'bench'];
    return runCommand({ file: 'sftp', args, timeoutMs }, this.#stage.signal);
  }
}

/** Logs in to the source peer by a key made for this run. */
export async function shoalSftp(stage: Stage, network: BenchNetwork): Promise<SftpClient> {
  const { home, sftp } = network.source;
  assert(sftp !== null, 'the source peer of the benchmark serves SFTP');
  const folder = stage.workshop.path('shoal-ssh');
  await mkdir(folder, { mode: 0o700 });
  const key = join(folder, 'user-key');
  const args = ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', key];
  await runCommand({ file: 'ssh-keygen', args, timeoutMs: timeoutFor(0, 1) }, stage.signal);
  await using client = new ControlClient(home, { signal: stage.signal });
  await client.addSshKey({
    name: DEVNET_USER,
    passphrase: await readPassphraseFile(passphraseFile(home)),
    key: await readFile(`${key}.pub`, 'utf8'),
    label: 'benchmark',
  });
  const config = join(folder, 'config');
  await writeFile(config, clientConfig(sftp, key));
  return new SftpClient(stage, {
    system: 'shoal-sftp',
    config,
    cpuSeconds: () => network.cpuSeconds(),
    ready: async () => {
      await network.forgetSourcePeak();
      await quiet(network, stage.signal);
    },
    sourcePeakBytes: () => network.sourcePeakBytes(),
  });
}

/** ssh_config(5). The peer was made a moment ago, on this machine: nobody has seen its host key before. */
function clientConfig(address: string, key: string): string {
  const { hostname, port } = new URL(`ssh://${address}`);
  return [
    'Host bench',
    `HostName ${hostname}`,
    `Port ${port}`,
    `User ${DEVNET_USER}`,
    `IdentityFile ${key}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    'UserKnownHostsFile /dev/null',
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking no',
    'BatchMode yes',
    'LogLevel ERROR',
    '',
  ].join('\n');
}

/** A batch file for `sftp -b`. */
async function writeBatch(stage: Stage, lines: readonly string[]): Promise<string> {
  const path = join(stage.workshop.folder, 'sftp-batch');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}
