import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram, needs } from '../needs.js';
import { Switch } from './switch.js';

const run = promisify(execFile);

export interface LabHost {
  readonly name: string;
  /** Its network namespace. */
  readonly namespace: string;
  addresses: readonly string[];
}

const DEVICE_PATIENCE_MS = 5_000;
const MTU = 1_400;

/** Options of a suite that needs hosts of its own: namespaces and TUN devices take root. */
export function needsHosts(): { skip?: string } {
  if (userInfo().uid !== 0) return { skip: 'network namespaces need root' };
  if (!existsSync('/dev/net/tun')) return { skip: 'there is no /dev/net/tun' };
  return needs('ip', 'socat');
}

/**
 * Several hosts on this machine: each a network namespace with one TUN device, whose packets socat carries to a switch of
 * our own. So delay, loss and partitions are the test's to set, with real TCP above them.
 */
export class Lab implements AsyncDisposable {
  readonly wires = new Switch();
  readonly #hosts = new Map<string, LabHost>();
  readonly #cables = new Map<string, ChildProcess>();
  readonly #tag = process.pid.toString(36);

  /** A host, up and reachable from the others. Addresses with the length of their prefix: "10.77.0.1/24", "fd00:77::1/64". */
  async add(name: string, addresses: readonly string[]): Promise<LabHost> {
    const namespace = `shoal-${this.#tag}-${name}`;
    const device = `s${this.#tag}${name}`.slice(0, 15);
    const port = await this.wires.connect(name, addresses.map(bare));
    await ip('netns', 'add', namespace);
    const host: LabHost = { name, namespace, addresses: addresses.map(bare) };
    this.#hosts.set(name, host);
    const tun = `TUN,tun-name=${device},tun-type=tun,iff-no-pi`;
    const wire = `UDP4:127.0.0.1:${String(port)},sndbuf=4194304,rcvbuf=4194304`;
    const cable = spawn(findProgram('socat') ?? 'socat', ['-b', '65535', tun, wire], { stdio: 'ignore' });
    this.#cables.set(name, cable);
    await until(() => existsSync(`/sys/class/net/${device}`), `the device ${device}`);
    // The device moves, and socat keeps hold of its other end out here.
    await ip('link', 'set', device, 'netns', namespace);
    await ip('-n', namespace, 'link', 'set', device, 'name', 'net0');
    await ip('-n', namespace, 'link', 'set', 'net0', 'mtu', String(MTU), 'txqueuelen', '10000');
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    await ip('-n', namespace, 'link', 'set', 'net0', 'up');
    for (const address of addresses) await this.#assign(namespace, address);
    return host;
  }

  /** The host's old addresses are gone; whatever was connected to them finds out by itself. */
  async readdress(host: LabHost, addresses: readonly string[]): Promise<void> {
    await ip('-n', host.namespace, 'addr', 'flush', 'dev', 'net0');
    for (const address of addresses) await this.#assign(host.namespace, address);
    host.addresses = addresses.map(bare);
    this.wires.readdress(host.name, host.addresses);
  }

  /** A command line that runs in the host. */
  within(
    host: LabHost,
    command: string,
    words: readonly string[],
  ): { readonly command: string; readonly words: string[] } {
    return { command: findProgram('ip') ?? 'ip', words: ['netns', 'exec', host.namespace, command, ...words] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cable of this.#cables.values()) {
      if (cable.exitCode !== null || cable.signalCode !== null) continue;
      const ended = once(cable, 'exit');
      cable.kill('SIGKILL');
      await ended;
    }
    for (const { namespace } of this.#hosts.values()) await ip('netns', 'del', namespace);
    this.wires[Symbol.dispose]();
  }

  async #assign(namespace: string, address: string): Promise<void> {
    // Without nodad an IPv6 address cannot be used until nobody has objected to it (RFC 4862 section 5.4).
    const options = address.includes(':') ? ['nodad'] : [];
    await ip('-n', namespace, 'addr', 'add', address, 'dev', 'net0', ...options);
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  await run(findProgram('ip') ?? 'ip', words);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + DEVICE_PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not appear`);
    await sleep(20);
  }
}

/** Without the length of the prefix. */
function bare(address: string): string {
  return address.replace(/\/\d+$/, '');
}
