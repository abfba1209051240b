import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { ControlClient } from '../../src/cli/control-client.js';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { NetworkClient } from '../../src/cli/network-client.js';
import { runCli } from '../../src/cli/run-cli.js';
import { makeCertificateRequest } from '../../src/crypto/certificate-request.js';
import { certificateToPem, issueCertificate, privateKeyFromPem } from '../../src/crypto/certificates.js';
import { readCertificate } from '../../src/crypto/peer-identity.js';
import { askEnrolment, Refused } from '../../src/enrolment/client.js';
import { ANSWERS, PATHS, toBase64 } from '../../src/enrolment/messages.js';
import { changeSettings, readAuthority, readIdentity, writeCertificate } from '../../src/home.js';
import type { PeerReply } from '../../src/gateways/http/network-api.js';
import { NEVER } from '../contract/offer.js';
import { ServeProcess } from '../sync/processes.js';
import { eventually } from '../sync/sync-network.js';

const PASSPHRASE = 'a passphrase for tests';
const DAY_MS = 86_400_000;

/** Homes on one machine, made by the command line; each peer is a process. */
class Machines implements AsyncDisposable {
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #running = new Map<number, ServeProcess>();

  private constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#ports = ports;
  }

  static async open(): Promise<Machines> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-joining-'));
    await writeFile(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 });
    return new Machines(folder, await chooseFreePorts(5));
  }

  home(n: number): string {
    return join(this.#folder, `home-${String(n)}`);
  }

  address(n: number): string {
    return `127.0.0.1:${String(this.#ports[n])}`;
  }

  /** @returns what it printed */
  async cli(n: number, words: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await runCli(words, { home: this.home(n), input });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  }

  async create(): Promise<void> {
    const user = ['--user', 'alice', '--passphrase-file', join(this.#folder, 'passphrase')];
    await this.cli(1, [
      'network',
      'create',
      '--name',
      'test',
      '--peer-name',
      'p1',
      '--listen',
      this.address(1),
      ...user,
    ]);
  }

  /** By an invitation of peer `by`. */
  async join(n: number, by: number, options: { invite?: string[]; join?: string[] } = {}): Promise<void> {
    const token = await this.cli(by, ['peer', 'invite', ...(options.invite ?? [])]);
    const own = ['--name', `p${String(n)}`, '--listen', this.address(n), '--zone', `zone-${String(n)}`];
    await this.cli(n, ['peer', 'join', '-', ...own, ...(options.join ?? [])], token);
  }

  async start(n: number): Promise<void> {
    this.#running.set(n, await ServeProcess.start({ home: this.home(n), separate: [] }));
  }

  async stop(n: number): Promise<void> {
    await this.#running.get(n)?.end('SIGTERM');
    this.#running.delete(n);
  }

  /** Gives a peer another certificate for its key than it would get. */
  async reissue(n: number, terms: { readonly days: number; readonly nowMs: number }): Promise<void> {
    const authority = await readAuthority(this.home(1));
    assert.ok(authority !== undefined);
    const { publicKey } = readCertificate((await readIdentity(this.home(n))).tls.certificate);
    const certificate = await issueCertificate(authority, { publicKey, name: `p${String(n)}`, hosts: [], ...terms });
    await writeCertificate(this.home(n), certificateToPem(certificate));
  }

  /** The certificate that a peer's port shows now. */
  async shownBy(n: number): Promise<X509Certificate> {
    const socket = connect({ host: '127.0.0.1', port: this.#ports[n], rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    assert.ok(certificate !== undefined);
    return certificate;
  }

  /** The peers as one of them sees them, by name. */
  async peers(n: number): Promise<ReadonlyMap<string, PeerReply>> {
    await using client = new NetworkClient(this.home(n), NEVER);
    return new Map((await client.peers()).map((peer) => [peer.name, peer]));
  }

  control(n: number): ControlClient {
    return new ControlClient(this.home(n), { signal: NEVER });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Peer 1 makes the network, 2 gets the authority's role by it, 3 joins through 2, 4 through 1. */
describe('machines that join a network', () => {
  let machines: Machines;
  before(async () => {
    machines = await Machines.open();
    await machines.create();
    await machines.start(1);
    const second = machines.join(2, 1, { invite: ['--authority'], join: ['--backup'] });
    const fourth = machines.join(4, 1).then(() => machines.start(4));
    await second;
    await machines.start(2);
    await machines.join(3, 2);
    await Promise.all([machines.start(3), fourth]);
  });
  after(() => machines[Symbol.asyncDispose]());

  it('know each other, whoever let them in', async () => {
    for (const n of [1, 2, 3, 4]) {
      await eventually(async () => {
        const peers = await machines.peers(n);
        const seen = [...peers.values()].map(({ name, up }) => `${name} ${String(up)}`).sort();
        assert.deepEqual(seen, ['p1 true', 'p2 true', 'p3 true', 'p4 true'], `as p${String(n)} sees it`);
        assert.deepEqual([peers.get('p2')?.authority, peers.get('p3')?.authority], [true, false]);
      });
    }
    const status = await machines.cli(3, ['network', 'status']);
    assert.match(status, /4: 3 data \+ 1 parity/);
    assert.match(status, /Authority +p1, p2/);
  });

  it('are invited, listed and changed by command', async () => {
    const { id } = JSON.parse(await machines.cli(1, ['peer', 'invite', '--name', 'cellar', '--json'])) as {
      id: string;
    };
    await machines.cli(1, ['peer', 'invite', '--revoke', id]);
    const invitations = await machines.cli(1, ['peer', 'invite', '--list']);
    assert.match(invitations, /used by p2 .*authority/);
    assert.ok(!invitations.includes('cellar'));
    await machines.cli(3, ['peer', 'set', '--zone', 'attic', '--capacity', '7GB']);
    await eventually(async () => {
      const third = (await machines.peers(1)).get('p3');
      assert.deepEqual([third?.zone, third?.capacityBytes], ['attic', 7e9]);
    });
    assert.match(await machines.cli(1, ['peer', 'list']), /p3 +[0-9a-f]{12} +up +7\.0 GB +attic/);
  });

  it('store at one what is read at another', async () => {
    await using first = machines.control(1);
    await using third = machines.control(3);
    await first.unlock('alice', PASSPHRASE);
    const { missingChunks } = await first.upload('/note', bytesOf('hello'));
    assert.equal(missingChunks, 0);
    await eventually(async () => {
      await third.unlock('alice', PASSPHRASE);
    });
    await eventually(async () => assert.equal(await textOf(third.download('/note')), 'hello'));
  });

  it('publish another address, and renew a certificate that is due, when they start', async () => {
    await machines.stop(3);
    const address = machines.address(3).replace('127.0.0.1', 'localhost');
    await changeSettings(machines.home(3), { address });
    // Two thirds of its 90 days are over.
    await machines.reissue(3, { days: 90, nowMs: Date.now() - 61 * DAY_MS });
    const due = readCertificate((await readIdentity(machines.home(3))).tls.certificate);
    await machines.start(3);
    for (const n of [1, 4]) {
      await eventually(async () => {
        const third = (await machines.peers(n)).get('p3');
        assert.deepEqual([third?.address, third?.up], [address, true]);
        assert.ok(Date.parse(third?.until ?? '') > Date.now() + 80 * DAY_MS);
      });
    }
    // The server that began with the former one shows the new one.
    const shown = await machines.shownBy(3);
    assert.notEqual(shown.serialNumber, due.serialNumber);
    assert.ok(shown.publicKey.equals(due.publicKey));
  });

  it('come back with a new invitation after their certificate has expired, as the same peer', async () => {
    await machines.stop(3);
    const { id } = await readIdentity(machines.home(3));
    await machines.reissue(3, { days: 1, nowMs: Date.now() - 3 * DAY_MS });
    await machines.join(3, 2);
    await machines.start(3);
    await eventually(async () => {
      const third = (await machines.peers(1)).get('p3');
      assert.deepEqual([third?.id, third?.up], [id, true]);
    });
  });

  it('are out at every other as soon as one with the authority’s role has removed them', async () => {
    const { id, tls } = await readIdentity(machines.home(4));
    await machines.cli(2, ['peer', 'remove', 'p4']);
    for (const n of [1, 2, 3]) {
      await eventually(async () => assert.equal((await machines.peers(n)).get('p4')?.state, 'removed', String(n)));
    }
    await eventually(async () => {
      const seen = [...(await machines.peers(4)).values()].filter((peer) => peer.id !== id && peer.up === true);
      assert.deepEqual(seen, [], 'nobody answers it');
    });
    const csr = toBase64(await makeCertificateRequest(privateKeyFromPem(tls.key), 'p4'));
    for (const n of [1, 2]) {
      const trust = { issuer: (await readIdentity(machines.home(n))).id, tls };
      const call = { path: PATHS.renewal, body: { request: csr }, answer: ANSWERS.renewed, signal: NEVER };
      const answer = await askEnrolment({ address: machines.address(n), trust }, call);
      assert.ok(answer instanceof Refused, `p${String(n)} renews nothing`);
      assert.equal(answer.error.code, 'PERMISSION_DENIED');
    }
    await using first = machines.control(1);
    const { missingChunks } = await first.upload('/later', bytesOf('still here'));
    assert.equal(missingChunks, 0);
  });
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(text);
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}
