/** For tests: the users of a peer, of whom `demo` was there before. */
import type { SshKeyToAdd } from '../catalog/catalog.js';
import { StorageError } from '../errors.js';
import type { PassphraseReply, SshKeyReply, UserReply } from '../gateways/http/user-api.js';

export const FAKE_PASSPHRASE = 'correct horse';

export const KIT_WORDS = Array.from({ length: 24 }, (_, index) => (index === 23 ? 'art' : 'abandon'));

const MADE = new Date(1_700_000_000_000).toISOString();
const SSH_KEY: SshKeyReply = { fingerprint: 'SHA256:abc', algorithm: 'ssh-ed25519', name: 'laptop', added: MADE };

interface Named {
  readonly name: string;
  readonly passphrase: string;
}

/** How `demo` is. */
interface Demo {
  locked?: boolean;
  kit?: boolean;
}

export class FakeUsers {
  /** The one that was set last. */
  passphrase: string | undefined;
  readonly #demo: Demo;
  /** Beside `demo`. */
  readonly #made: string[] = [];

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  /** @param read the body of the request @throws StorageError UNSUPPORTED for what is not about users */
  async answer(call: string, read: () => Promise<unknown>): Promise<unknown> {
    switch (call) {
      case 'POST /v1/unlock':
        demandPassphrase((await read()) as Named);
        this.#demo.locked = false;
        return demoUser(true);
      case 'POST /v1/lock':
        await read();
        return undefined;
      case 'GET /v1/users':
        return [this.#own(), ...this.#made.map((name) => ({ ...demoUser(false), name }))];
      case 'POST /v1/users':
        return this.#create((await read()) as Named);
      case 'POST /v1/users/passphrase':
        return this.#changePassphrase((await read()) as { name: string; old: string; next: string });
      case 'POST /v1/users/kit':
        demandPassphrase((await read()) as Named);
        return { user: demoUser(true), pendingHosts: [], words: KIT_WORDS, network: 'fake', created: MADE };
      case 'GET /v1/users/ssh-keys':
        return [SSH_KEY];
      case 'POST /v1/users/ssh-keys':
        return addSshKey((await read()) as SshKeyToAdd);
      case 'POST /v1/users/ssh-keys/removal':
        demandPassphrase((await read()) as Named);
        return [];
      case 'POST /v1/users/recover':
        return this.#recover((await read()) as { name: string; words: string; next: string });
      case 'POST /v1/users/adopt':
        return this.#adopt((await read()) as { name?: string; id?: string });
      default:
        throw new StorageError('UNSUPPORTED', `no route ${call}`);
    }
  }

  #own(): UserReply {
    return { ...demoUser(this.#demo.locked !== true), kit: this.#demo.kit === true };
  }

  #create({ name, passphrase }: Named): UserReply {
    if (name === 'demo') throw new StorageError('ALREADY_EXISTS', 'There is a user demo already.');
    this.#made.push(name);
    this.passphrase = passphrase;
    return { ...demoUser(false), name };
  }

  #changePassphrase({ name, old, next }: { name: string; old: string; next: string }): PassphraseReply {
    demandPassphrase({ name, passphrase: old });
    this.passphrase = next;
    return { user: demoUser(true), pendingHosts: ['cellar'], tokens: 2 };
  }

  #recover({ words, next }: { name: string; words: string; next: string }): PassphraseReply {
    if (words !== KIT_WORDS.join(' '))
      throw new StorageError('INVALID_ARGUMENT', 'Word 1 is not in the list of words.');
    this.passphrase = next;
    return { user: demoUser(false), pendingHosts: [], tokens: 0 };
  }

  #adopt({ name, id }: { name?: string; id?: string }): UserReply {
    if (name !== 'demo' && id !== demoUser(false).id)
      throw new StorageError('NOT_FOUND', 'No peer that answers remembers this user.');
    return demoUser(this.#demo.locked !== true);
  }
}

function demoUser(unlocked: boolean): UserReply {
  return { id: 'ab'.repeat(32), name: 'demo', unlocked, generation: 1, kit: false };
}

function addSshKey(added: SshKeyToAdd): SshKeyReply[] {
  demandPassphrase(added);
  if (!added.key.startsWith('ssh-ed25519 ')) throw new StorageError('INVALID_ARGUMENT', 'This is no public key.');
  return [SSH_KEY, { ...SSH_KEY, name: added.label === '' ? 'comment' : added.label }];
}

/** @throws StorageError UNAUTHENTICATED */
export function demandPassphrase({ name, passphrase }: Named): void {
  if (name !== 'demo' || passphrase !== FAKE_PASSPHRASE) {
    throw new StorageError('UNAUTHENTICATED', 'Wrong name or passphrase.');
  }
}
