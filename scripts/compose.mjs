// @ts-check
/** The network of deploy/compose.yaml, driven through the Docker engine of this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const deploy = fileURLToPath(new URL('../deploy', import.meta.url));
const POLL_MS = 1000;

/**
 * @typedef {{ input?: AsyncIterable<Uint8Array> | string, output?: (part: Buffer) => void, env?: NodeJS.ProcessEnv,
 *   timeoutMs?: number }} RunOptions
 */

/**
 * Runs a program. What it writes goes to `output` piece by piece, or comes back.
 *
 * @param {readonly string[]} command @param {RunOptions} [options]
 * @returns {Promise<string>}
 */
export async function run(
  [program = '', ...args],
  { input = '', output, env = process.env, timeoutMs = 600_000 } = {},
) {
  const child = spawn(program, args, { cwd: deploy, env, timeout: timeoutMs });
  const said = text(child.stderr);
  const printed = output === undefined ? text(child.stdout) : (child.stdout.on('data', output), '');
  const closed = once(child, 'close');
  // A program that ends before it has read everything says why by itself.
  await Promise.all([
    closed,
    pipeline(typeof input === 'string' ? [input] : input, child.stdin).catch(() => undefined),
  ]);
  if (child.exitCode === 0) return printed;
  const why =
    child.exitCode === null ? `was ended by ${String(child.signalCode)}` : `exit code ${String(child.exitCode)}`;
  throw new Error(`${[program, ...args].join(' ')}: ${why}\n${(await said).trim()}`);
}

/** @typedef {{ name: string, service: string, state: string, health: string }} Container */

export class ComposeNetwork {
  /** @type {NodeJS.ProcessEnv} */ #env;
  #project;
  /** @type {readonly string[]} */ #compose = [];

  /** @param {string} project every container, volume and network of it goes in the end @param {NodeJS.ProcessEnv} env */
  constructor(project, env) {
    this.#project = project;
    this.#env = { ...process.env, ...env, COMPOSE_PROJECT_NAME: project };
  }

  /** Builds, starts, and comes back when it has made itself. @returns {Promise<void>} */
  async up() {
    await this.#run(['./up']);
  }

  /** @param {readonly string[]} args */
  async compose(...args) {
    if (this.#compose.length === 0) {
      const isV2 = await run(['docker', 'compose', 'version']).then(
        () => true,
        () => false,
      );
      const files = this.#env.COUCHDB_SECRET ? ['--file', 'compose.couchdb.yaml'] : [];
      this.#compose = [...(isV2 ? ['docker', 'compose'] : ['docker-compose']), '--file', 'compose.yaml', ...files];
    }
    return this.#run([...this.#compose, ...args]);
  }

  /**
   * Runs a program in a container.
   *
   * @param {string} service @param {readonly string[]} command @param {RunOptions} [options]
   */
  async exec(service, command, options) {
    return this.#run(['docker', 'exec', '--interactive', await this.#nameOf(service), ...command], options);
  }

  /** As a crash would end it. @param {string} service */
  async kill(service) {
    await this.#run(['docker', 'kill', await this.#nameOf(service)]);
  }

  /** @param {string} service */
  async start(service) {
    await this.#run(['docker', 'start', await this.#nameOf(service)]);
  }

  /** @returns {Promise<Container[]>} */
  async containers() {
    const label = `label=com.docker.compose.project=${this.#project}`;
    const format = '{{.Names}}\t{{.Label "com.docker.compose.service"}}\t{{.State}}\t{{.Status}}';
    const lines = await this.#run(['docker', 'ps', '--all', '--filter', label, '--format', format]);
    return lines.split('\n').flatMap((line) => {
      const [name = '', service = '', state = '', status = ''] = line.split('\t');
      return name === '' ? [] : [{ name, service, state, health: /\((?:health: )?(\w+)\)/.exec(status)?.[1] ?? '' }];
    });
  }

  /** Until every container that stays is healthy. @param {number} timeoutMs */
  async healthy(timeoutMs) {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const waiting = (await this.containers()).filter(
        ({ state, health }) => state !== 'exited' && health !== 'healthy' && health !== '',
      );
      if (waiting.length === 0) return;
      const names = waiting.map(({ service, health }) => `${service} (${health})`).join(', ');
      if (Date.now() > until) throw new Error(`Not healthy after ${String(timeoutMs / 1000)} s: ${names}`);
      await sleep(POLL_MS);
    }
  }

  /** With everything that was stored. @param {string} image */
  async remove(image) {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
    await this.#run(['docker', 'image', 'rm', image]);
  }

  /** @param {string} service */
  async #nameOf(service) {
    const found = (await this.containers()).find((container) => container.service === service);
    if (found === undefined) throw new Error(`There is no container for ${service}.`);
    return found.name;
  }

  /** @param {readonly string[]} command @param {RunOptions} [options] */
  #run(command, options) {
    return run(command, { ...options, env: this.#env });
  }
}
