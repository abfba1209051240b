import { setTimeout as sleep } from 'node:timers/promises';
import { settleAll } from '../../src/cli/devnet/devnet.js';
import { StorageError } from '../../src/errors.js';
import { heal } from '../healing/heal.js';
import type { HealMeter } from '../healing/meter.js';
import type { Calm } from '../load/calm.js';
import type { CampaignNetwork } from '../network/peers.js';
import { Numbers } from '../numbers.js';
import type { Tally } from '../report/tally.js';
import { FAULTS } from './faults/all.js';
import { isDestructive, type Victim } from './fault.js';
import type { PlannedFault, Round } from './schedule.js';

export interface NemesisParts {
  readonly network: CampaignNetwork;
  readonly seed: number;
  readonly tally: Tally;
  readonly meter: HealMeter;
  /** Of the load. */
  readonly calm: Calm;
  readonly say: (text: string) => void;
}

/** Plays the rounds of the schedule, one after the other, each on a network that is whole. */
export class Nemesis {
  readonly #parts: NemesisParts;

  constructor(parts: NemesisParts) {
    this.#parts = parts;
  }

  /** Ends with the last round that began within the time. */
  async run(rounds: readonly Round[], { forMs, signal }: { forMs: number; signal: AbortSignal }): Promise<void> {
    const begun = performance.now();
    for (const [index, round] of rounds.entries()) {
      await sleep(round.quietMs, undefined, { signal });
      if (performance.now() - begun > forMs) return;
      const isWhole = await this.#play(index, round, signal);
      // What comes on top of damage that stays may be more than is tolerated.
      if (!isWhole) return;
    }
  }

  async #play(index: number, round: Round, signal: AbortSignal): Promise<boolean> {
    const { network, tally, say, seed, meter, calm } = this.#parts;
    const victims = round.faults.map((planned) => ({ planned, victim: this.#victim(index, planned, signal) }));
    say(`round ${String(index + 1)}: ${round.faults.map(({ kind, peer }) => `${kind} ${String(peer)}`).join(', ')}`);
    await settleAll(victims.map(({ planned, victim }) => this.#inject(planned, victim)));
    await sleep(round.holdMs, undefined, { signal });
    await settleAll(victims.map(({ planned, victim }) => this.#relieve(planned, victim)));
    tally.rounds++;
    const scrubbed = round.faults.filter(({ kind }) => isDestructive(kind)).map(({ peer }) => peer);
    const order = new Numbers(seed, `healing ${String(index)}`).shuffled(network.numbers).slice(0, 2);
    const begun = performance.now();
    const left = await heal(network, { scrubbed, repairing: order, meter, calm, signal });
    if (left === undefined) {
      say(`round ${String(index + 1)}: whole again ${((performance.now() - begun) / 1000).toFixed(1)} s after it`);
      return true;
    }
    const detail = `after round ${String(index + 1)}: ${left}`;
    tally.violations.push({ kind: 'unhealed', path: 'network', detail });
    say(detail);
    return false;
  }

  async #inject({ kind, peer }: PlannedFault, victim: Victim): Promise<void> {
    await this.#orPeerDown(peer, async () => {
      this.#parts.tally.fault(kind, await FAULTS[kind].inject(victim));
    });
  }

  async #relieve({ kind, peer }: PlannedFault, victim: Victim): Promise<void> {
    await this.#orPeerDown(peer, () => FAULTS[kind].relieve?.(victim) ?? Promise.resolve());
  }

  /** A peer that should start and does not is a violation; the campaign goes on without it, and tries again at its end. */
  async #orPeerDown(peer: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!StorageError.is(error, 'UNAVAILABLE', 'TIMEOUT')) throw error;
      const { name } = this.#parts.network.peer(peer);
      this.#parts.tally.violations.push({ kind: 'peer-down', path: name, detail: error.message });
    }
  }

  #victim(index: number, { peer }: PlannedFault, signal: AbortSignal): Victim {
    const { network, seed, tally, say } = this.#parts;
    const numbers = new Numbers(seed, `fault ${String(index)} ${String(peer)}`);
    const remark = (text: string): void => {
      tally.remark(text);
      say(text);
    };
    return { network, n: peer, numbers, signal, remark };
  }
}
