import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { MAX_COMMON_NAME_CHARS } from '../crypto/certificate-request.js';
import { readIfThere } from '../durable-file.js';
import { demandAdvertisable } from '../enrolment/client.js';
import { createNetwork } from '../enrolment/create-network.js';
import { joinNetwork } from '../enrolment/join-network.js';
import { type NewPeer, roomIn } from '../enrolment/new-peer.js';
import { demandName } from '../enrolment/peer-name.js';
import { parseToken } from '../enrolment/token.js';
import { StorageError } from '../errors.js';
import { parseAddress } from '../front/address.js';
import type {
  JoinNetworkRequest,
  MadeReply,
  NewNetworkRequest,
  NewPeerRequest,
  SetupReply,
} from '../gateways/web/setup-api.js';
import type { SetupParts } from '../gateways/web/setup-routes.js';
import { HOME } from '../home.js';
import type { Logger } from '../log.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { likelyAddresses } from './reachable.js';

/** Of a link: nobody guesses it. */
const LINK_BYTES = 32;
/** Where a new peer listens unless the environment says otherwise: other machines are to reach it. */
const EVERYWHERE = '0.0.0.0';

/** Whether no peer was made in this home yet. */
export async function isWithoutPeer(home: string): Promise<boolean> {
  return (await readIfThere(join(home, HOME.key))) === undefined;
}

export interface SetupOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Unix time. */
  readonly nowMs: () => number;
}

/** Makes the peer of an empty home as somebody at a browser decides, once. */
export class Setup implements SetupParts {
  /** Resolves with the link of the MadeReply, when that has left. */
  readonly finished: Promise<string>;
  readonly #options: SetupOptions;
  readonly #link = randomBytes(LINK_BYTES).toString('base64url');
  #state: 'open' | 'making' | 'made' = 'open';
  #finish: (link: string) => void = () => undefined;

  constructor(options: SetupOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  async proposal(): Promise<SetupReply> {
    const { home, listen, reserveBytes, address } = this.#options.config;
    const { host, port } = parseAddress(listen);
    const isLocal = host.startsWith('127.') || host === '::1' || host === 'localhost';
    const addresses = likelyAddresses(port);
    return {
      home,
      peer: hostname().slice(0, MAX_COMMON_NAME_CHARS),
      listen: isLocal ? `${EVERYWHERE}:${String(port)}` : listen,
      addresses: address === undefined ? addresses : [...new Set([address, ...addresses])],
      roomBytes: await roomIn(home, reserveBytes),
    };
  }

  async create(request: NewNetworkRequest): Promise<MadeReply> {
    return await this.#once(async () => {
      const { name, tolerate, user, passphrase } = request;
      demandName(name);
      const { home } = this.#options.config;
      const peer = await this.#newPeer(request, { backup: true });
      const common = { ...this.#options, home, name, tolerate, peer };
      const { fingerprint } = await createNetwork({ ...common, user: { name: user, passphrase } });
      return { network: name, fingerprint, link: this.#link };
    });
  }

  async join(request: JoinNetworkRequest, signal: AbortSignal): Promise<MadeReply> {
    return await this.#once(async () => {
      const { token, backup = false } = request;
      const { home } = this.#options.config;
      const peer = (former: PeerProfile | undefined): Promise<NewPeer> =>
        this.#newPeer(request, { backup: backup || former?.backup === true });
      const common = { ...this.#options, home, peer, signal };
      const joined = await joinNetwork({ ...common, token: parseToken(token) });
      return { network: joined.name, fingerprint: null, link: this.#link };
    });
  }

  finish(): void {
    if (this.#state === 'made') this.#finish(this.#link);
  }

  async #once(make: () => Promise<MadeReply>): Promise<MadeReply> {
    if (this.#state !== 'open') {
      throw new StorageError('CONFLICT', 'This peer is being made already, from another page. Load this one again.');
    }
    this.#state = 'making';
    try {
      const made = await make();
      this.#state = 'made';
      return made;
    } finally {
      if (this.#state === 'making') this.#state = 'open';
    }
  }

  async #newPeer(request: NewPeerRequest, { backup }: { readonly backup: boolean }): Promise<NewPeer> {
    const { peer: name, listen, address, zone, capacityBytes } = request;
    demandName(name);
    demandAdvertisable(address);
    const { home, reserveBytes } = this.#options.config;
    return {
      ...{ listen, address, name, zone, backup },
      capacityBytes: capacityBytes ?? this.#options.config.capacityBytes ?? (await roomIn(home, reserveBytes)),
    };
  }
}
