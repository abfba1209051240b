import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../needs.js';
import { PASSPHRASE, Planet } from '../planet/planet.js';

/** What became of a program. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const PATIENCE_MS = 180_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** A network of peers of which the first serves SFTP, and what programs need to come in by a key. */
export class SftpStage implements AsyncDisposable {
  readonly planet: Planet;
  /** For the test's own files. */
  readonly folder: string;
  readonly port: number;

  private constructor(planet: Planet, folder: string, port: number) {
    this.planet = planet;
    this.folder = folder;
    this.port = port;
  }

  static async open(): Promise<SftpStage> {
    const planet = await Planet.open({ peers: 3, sftp: true });
    const folder = await mkdtemp(join(tmpdir(), 'shoal-sftp-'));
    const port = planet.peer(1).sftpPort;
    assert.ok(port !== undefined);
    const stage = new SftpStage(planet, folder, port);
    await stage.#prepare();
    return stage;
  }

  /** Of an ssh_config: `-F` of ssh, sftp, scp and sshfs. */
  get config(): string {
    return join(this.folder, 'ssh_config');
  }

  get key(): string {
    return join(this.folder, 'key');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs a program to its end. @param input of its standard input */
  async run(program: string, args: readonly string[], input = ''): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.folder, timeout: PATIENCE_MS, maxBuffer: MAX_OUTPUT_BYTES };
      const child = execFile(program, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, stdout, stderr });
        else reject(error ?? new Error('no exit code'));
      });
      // A program that reads nothing may be gone by now.
      child.stdin?.on('error', () => undefined).end(input);
    });
  }

  /** As run, and it has to succeed. @returns what it wrote */
  async good(program: string, args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args, input);
    assert.equal(code, 0, `${program} ${args.join(' ')}: ${stdout}\n${stderr}`);
    return stdout;
  }

  /** Commands of OpenSSH's sftp; the first that fails ends it, unless it begins with "-". */
  sftp(commands: readonly string[], options: readonly string[] = []): Promise<Ran> {
    return this.run('sftp', ['-F', this.config, ...options, '-b', '-', 'shoal'], `${commands.join('\n')}\n`);
  }

  /** Mounts the user's files by sshfs, in the foreground, so that it ends with the test. */
  async mount(name: string, options: readonly string[] = []): Promise<Mount> {
    return Mount.open(this, name, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.planet[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    await this.good('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', this.key]);
    const key = await readFile(`${this.key}.pub`, 'utf8');
    await this.planet.engine.catalog.addSshKey({ name: 'demo', passphrase: PASSPHRASE, key, label: '' });
    const host = await readFile(join(this.planet.home(1), 'ssh_host_ed25519_key.pub'), 'utf8');
    await writeFile(this.path('known_hosts'), `[127.0.0.1]:${String(this.port)} ${host}`);
    const config = [
      'Host shoal',
      'HostName 127.0.0.1',
      `Port ${String(this.port)}`,
      'User demo',
      `IdentityFile ${this.key}`,
      'IdentitiesOnly yes',
      `UserKnownHostsFile ${this.path('known_hosts')}`,
      'StrictHostKeyChecking yes',
      'BatchMode yes',
    ];
    await writeFile(this.config, `${config.join('\n')}\n`);
  }
}

/** The user's files as a folder of this machine. */
export class Mount implements AsyncDisposable {
  readonly path: string;
  readonly #sshfs: ChildProcess;

  private constructor(path: string, sshfs: ChildProcess) {
    this.path = path;
    this.#sshfs = sshfs;
  }

  static async open(stage: SftpStage, name: string, options: readonly string[]): Promise<Mount> {
    const path = stage.path(name);
    await stage.good('mkdir', ['-p', path]);
    const args = ['-f', '-F', stage.config, ...options, 'shoal:/', path];
    const sshfs = spawn('sshfs', args, { stdio: 'inherit' });
    const mount = new Mount(path, sshfs);
    for (let tries = 0; (await stage.run('mountpoint', ['-q', path])).code !== 0; tries++) {
      assert.ok(tries < 600 && sshfs.exitCode === null, 'sshfs mounts');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return mount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#sshfs, 'exit');
    const fusermount = findProgram('fusermount3') ?? 'fusermount';
    // A mount that is busy is let go of, and gone when the last one leaves.
    const child = spawn(fusermount, ['-u', '-z', this.path], { stdio: 'ignore' });
    await once(child, 'exit');
    await ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
