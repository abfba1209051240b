import { signal, type Signal } from '@preact/signals';
import { keepCsrf } from '../api/client.js';
import { messageOf } from '../api/problem.js';
import { sessionApi } from '../api/session-api.js';
import { setupApi, untilPeerIsUp } from '../api/setup-api.js';
import { usersApi } from '../api/admin-api.js';
import type { SessionReply, SetupReply, UserReply } from '../api/types.js';
import { SETUP } from '../strings-setup.js';
import { draftOf, joinRequest, networkRequest, type MachineDraft } from './machine.js';

export type Step =
  | { readonly at: 'choose' }
  | { readonly at: 'machine'; readonly kind: 'create' | 'join' }
  /** Of a network that is being made. */
  | { readonly at: 'user' }
  | { readonly at: 'working'; readonly text: string }
  | { readonly at: 'stuck' }
  /** In a network that was joined. */
  | { readonly at: 'who'; readonly network: string; readonly users: readonly UserReply[] }
  | { readonly at: 'kit'; readonly user: UserReply; readonly passphrase: string; readonly session: SessionReply };

/** How often whoever has joined looks for the network's users, which arrive with its databases. */
const USERS_POLL_MS = 1500;

/** The first run, from an empty home to somebody who is signed in. */
export class Wizard {
  readonly proposal: SetupReply;
  readonly step: Signal<Step> = signal({ at: 'choose' });
  readonly draft: Signal<MachineDraft>;
  /** Why the last attempt failed; empty when none did. */
  readonly failure = signal('');

  constructor(proposal: SetupReply) {
    this.proposal = proposal;
    this.draft = signal(draftOf(proposal));
  }

  go(step: Step): void {
    this.failure.value = '';
    this.step.value = step;
  }

  async create(user: string, passphrase: string): Promise<void> {
    const from = this.step.value;
    this.go({ at: 'working', text: SETUP.making });
    await this.#orBack(from, async () => {
      await setupApi.create(networkRequest(this.draft.value, user, passphrase));
      if (await this.#started()) await this.#signIn(user, passphrase);
    });
  }

  async join(): Promise<void> {
    const from = this.step.value;
    this.go({ at: 'working', text: SETUP.joining });
    await this.#orBack(from, async () => {
      const { network, link } = await setupApi.join(joinRequest(this.draft.value));
      if (!(await this.#started())) return;
      keepCsrf((await sessionApi.signInByLink(link)).csrf);
      this.go({ at: 'who', network, users: await usersApi.list() });
      this.#lookForUsers();
    });
  }

  /** @param isNew a user of this name is to be made first */
  async beUser(user: string, passphrase: string, isNew: boolean): Promise<void> {
    const from = this.step.value;
    this.go({ at: 'working', text: SETUP.signingIn });
    await this.#orBack(from, async () => {
      if (isNew) await usersApi.create(user, passphrase);
      await this.#signIn(user, passphrase);
    });
    this.#lookForUsers();
  }

  async #started(): Promise<boolean> {
    this.go({ at: 'working', text: SETUP.starting });
    const isUp = await untilPeerIsUp();
    if (!isUp) this.go({ at: 'stuck' });
    return isUp;
  }

  async #signIn(name: string, passphrase: string): Promise<void> {
    const session = await sessionApi.signIn(name.trim(), passphrase);
    keepCsrf(session.csrf);
    if (session.user !== null) this.go({ at: 'kit', user: session.user, passphrase, session });
  }

  async #orBack(from: Step, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Once the peer is up, there is no way back into its set-up: what is left to do is at the present step.
      const made = from.at !== 'who' && this.step.value.at === 'working' && this.step.value.text === SETUP.starting;
      this.go(made ? { at: 'stuck' } : from);
      this.failure.value = messageOf(error);
    }
  }

  #lookForUsers(): void {
    setTimeout(() => {
      const step = this.step.value;
      if (step.at !== 'who') return;
      usersApi
        .list()
        .then((users) => {
          if (this.step.value === step && users.length !== step.users.length) this.step.value = { ...step, users };
        })
        .catch((error: unknown) => (this.failure.value = messageOf(error)))
        .finally(() => this.#lookForUsers());
    }, USERS_POLL_MS);
  }
}
