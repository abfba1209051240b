import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { RecordProblems } from '../../src/catalog/records/record-problems.js';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { createNetwork } from '../../src/enrolment/create-network.js';
import { Enrolment } from '../../src/enrolment/enrolment.js';
import { enrolmentHandler } from '../../src/enrolment/handler.js';
import { Invitations } from '../../src/enrolment/invitations.js';
import { joinNetwork, type Joined, type JoinRequest } from '../../src/enrolment/join-network.js';
import { Roll } from '../../src/enrolment/roll.js';
import { parseToken } from '../../src/enrolment/token.js';
import { StorageError, type ErrorCode } from '../../src/errors.js';
import { HOME, readAuthority, readIdentity, type PeerIdentity } from '../../src/home.js';
import { silentLogger } from '../../src/log.js';
import { RecordMemory } from '../../src/store/record-memory.js';
import { secureContextOptions } from '../../src/wire/tls.js';
import { NEVER } from '../contract/offer.js';

const logger = silentLogger();

/** A network of one peer, whose front lets others join. Its clock is the test's. */
export class Stage implements AsyncDisposable {
  readonly folder: string;
  readonly address: string;
  readonly identity: PeerIdentity;
  readonly enrolment: Enrolment;
  readonly roll: Roll;
  /** Added to the clock of the authority. */
  aheadMs = 0;
  /** Where the clock stands that requests are counted by; undefined: it runs. */
  frozenMs: number | undefined;
  readonly #parts: AsyncDisposable[];
  #homes = 0;

  private constructor(made: Pick<Stage, 'folder' | 'address' | 'identity'>, parts: AsyncDisposable[], opened: Opened) {
    this.folder = made.folder;
    this.address = made.address;
    this.identity = made.identity;
    this.#parts = parts;
    const { database, memory, invitations, authority } = opened;
    const { membership } = made.identity;
    const nowMs = (): number => Date.now() + this.aheadMs;
    const problems = new RecordProblems(logger);
    this.roll = new Roll({ database, membership, memory, problems, now: nowMs });
    this.enrolment = new Enrolment({ membership, authority, roll: this.roll, invitations, nowMs, logger });
  }

  static async open(name = 'network'): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-enrolment-'));
    const home = join(folder, 'authority');
    const [port = 0] = await chooseFreePorts(1);
    const address = `127.0.0.1:${String(port)}`;
    const peer = { name: 'first', zone: '', backup: true, capacityBytes: 1000, address, listen: address };
    await createNetwork({ home, name, peer, logger, nowMs: Date.now });
    const identity = await readIdentity(home);
    const parts: AsyncDisposable[] = [];
    const keep = <T extends AsyncDisposable>(part: T): T => (parts.push(part), part);
    const host = keep(await LevelHost.open({ directory: join(home, HOME.documents), logger }));
    const opened = {
      database: keep(await host.open('network')),
      memory: keep(await RecordMemory.open(join(home, HOME.state))),
      invitations: keep(await Invitations.open(join(home, HOME.state))),
      authority: await readAuthority(home),
    };
    const stage = new Stage({ folder, address, identity }, parts, opened);
    keep(await stage.#serve());
    return stage;
  }

  /** As a front does it, without a front's limits for one address, from which all tests come. */
  async #serve(): Promise<AsyncDisposable> {
    const handler = enrolmentHandler({
      enrolment: this.enrolment,
      logger,
      clockMs: () => this.frozenMs ?? performance.now(),
    });
    const tls = { ...secureContextOptions(this.identity.tls), requestCert: true, rejectUnauthorized: false };
    const server = createServer(tls, (request, response) => {
      const { socket } = request;
      assert.ok(socket instanceof TLSSocket);
      handler(request, response, { certificate: socket.authorized ? socket.getPeerCertificate().raw : undefined });
    });
    server.listen(Number(this.address.split(':')[1]), '127.0.0.1');
    await once(server, 'listening');
    return {
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  async token(authority = false): Promise<string> {
    return (await this.enrolment.invite({ authority, addresses: [this.address] })).token;
  }

  newHome(): string {
    return join(this.folder, `home-${String(++this.#homes)}`);
  }

  /** As a new machine would, unless told otherwise. */
  async join(token: string, options: Partial<JoinRequest> = {}): Promise<Joined> {
    const home = options.home ?? this.newHome();
    return await joinNetwork({ ...joinRequest(home), token: parseToken(token), ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.reverse()) await part[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

interface Opened {
  readonly database: Awaited<ReturnType<LevelHost['open']>>;
  readonly memory: RecordMemory;
  readonly invitations: Invitations;
  readonly authority: Awaited<ReturnType<typeof readAuthority>>;
}

export function joinRequest(home: string): Omit<JoinRequest, 'token'> {
  return {
    home,
    peer: async (former) => ({
      name: former?.name ?? 'newcomer',
      zone: '',
      backup: false,
      capacityBytes: 2000,
      address: '127.0.0.1:9',
      listen: '127.0.0.1:0',
    }),
    logger,
    nowMs: Date.now,
    signal: NEVER,
  };
}

/** What a call is refused with. */
export async function refusal(work: Promise<unknown>, code: ErrorCode): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(StorageError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    return error.message;
  }
  assert.fail('it was not refused');
}
