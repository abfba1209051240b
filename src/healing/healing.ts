import type { Catalog } from '../catalog/catalog.js';
import type { PeerId, StripeId } from '../chunk/ids.js';
import type { Counts } from '../counts.js';
import type { PeerLinks } from '../file/peer-links.js';
import {
  DEPARTURE_POLL_MS,
  HOLDINGS_POLL_MS,
  LIVENESS_INTERVAL_MS,
  REPAIR_POLL_MS,
  SAFETY_FORGET_MS,
  SURPLUS_INTERVAL_MS,
} from '../limits.js';
import type { Logger } from '../log.js';
import type { DiskStore } from '../store/disk-store.js';
import type { Database } from '../store/sqlite.js';
import { PeerView } from './assessment.js';
import { AuditBook, type AuditResult } from './audit-book.js';
import { Auditor } from './auditor.js';
import { FileSafety } from './file-safety.js';
import type { FilesCatalog } from './file-stripes.js';
import { Holdings } from './holdings.js';
import { Liveness } from './liveness.js';
import type { RepairNetwork } from './repair-stripe.js';
import { Repairer } from './repairer.js';
import { Rounds } from './rounds.js';
import { SurplusSweep } from './surplus.js';
import type { Withheld } from './withheld.js';

/** The peers around this one, and the stripes that it knows. */
export interface NeighbourNetwork extends RepairNetwork {
  readonly catalog: Pick<Catalog, 'stripes' | 'stripeIds' | 'moveChunks'>;
  readonly links: Pick<PeerLinks, 'store' | 'remote' | 'ping' | 'holdings'>;
}

export interface HealingOptions {
  readonly network: NeighbourNetwork;
  /** Files and their stripes, of users who are unlocked. */
  readonly files: FilesCatalog;
  /** Of the File Sender: src/store/schema/state. */
  readonly state: Database;
  /** Silence after which a peer is gone. */
  readonly graceMs: number;
  readonly auditsPerHour: number;
  readonly repairBytesPerSecond: number;
  /** The own chunks, where they are written in this process: only there surplus ones are dropped. */
  readonly own: DiskStore | undefined;
  /** What the File Sender sends nobody for a moment. */
  readonly withheld: Withheld;
  /** Of a put under way here. */
  readonly isPinned: (stripe: StripeId) => boolean;
  /** Transfers are under way. */
  readonly isBusy: () => boolean;
  readonly counts: Pick<Counts, 'audits' | 'repair'>;
  /** Unix time. */
  readonly clock: () => number;
  readonly logger: Logger;
}

/** Watches the peers around this one, audits them, and repairs what they lose: in the background, and when somebody asks. */
export class Healing implements AsyncDisposable {
  readonly self: PeerId;
  readonly liveness: Liveness;
  readonly audits: AuditBook;
  readonly auditor: Auditor;
  /** What members say that they have. */
  readonly holdings: Holdings;
  /** What may happen to files of users who are unlocked. */
  readonly safety: FileSafety;
  readonly repairer: Repairer;
  /** Absent where another process writes the own chunks. */
  readonly surplus: SurplusSweep | undefined;
  readonly #rounds: readonly Rounds[];

  private constructor(options: HealingOptions) {
    const { network, state, graceMs, clock, counts, isPinned, isBusy, logger } = options;
    const { self, book, links } = network;
    this.self = self;
    this.liveness = Liveness.open({ self, book, links, state, graceMs, clock });
    this.audits = new AuditBook(state, clock, (peers) => {
      book.distrust(peers);
    });
    const onResult = (result: AuditResult): void => {
      counts.audits[result.outcome]++;
      if (result.outcome !== 'passed') this.#tell(options, result);
    };
    this.auditor = new Auditor({ network, book: this.audits, perHour: options.auditsPerHour, clock, onResult });
    const view = new PeerView(book, this.liveness, this.audits);
    const ownDamages = (): number => options.own?.mending.scrubs.damageCount() ?? 0;
    this.holdings = new Holdings({ network, denials: this.audits.denials, isPinned, ownDamages, clock });
    this.safety = new FileSafety({ catalog: options.files, book, view, audits: this.audits, clock });
    const repairing = { bytesPerSecond: options.repairBytesPerSecond, isPinned, isBusy, counts: counts.repair };
    this.repairer = new Repairer({ network, view, audits: this.audits, clock, ...repairing });
    this.surplus =
      options.own && new SurplusSweep({ network, view, local: options.own, withheld: options.withheld, clock });
    const never = (): boolean => false;
    this.#rounds = [
      // A small call for each peer is in nobody's way.
      this.#every('Asking who is there', LIVENESS_INTERVAL_MS, (signal) => this.liveness.round(signal), never),
      this.#every('Auditing', this.auditor.pauseMs, (signal) => this.auditor.round(signal), isBusy),
      this.#every('Asking who has what', HOLDINGS_POLL_MS, (signal) => this.holdings.round(signal), never),
      this.#every('Forgetting files of locked users', SAFETY_FORGET_MS, () => this.safety.forgetLocked(), never),
      this.#every('Repairing', REPAIR_POLL_MS, (signal) => this.repairer.round(signal), isBusy),
      this.#every('Moving what leaves', DEPARTURE_POLL_MS, (signal) => this.repairer.departures(signal), isBusy),
      this.#every(
        'Looking for surplus chunks',
        SURPLUS_INTERVAL_MS,
        (signal) => this.#dropSurplus(options, signal),
        isBusy,
      ),
    ].map((rounds) => new Rounds({ ...rounds, logger }));
  }

  /** Begins at once. */
  static open(options: HealingOptions): Healing {
    return new Healing(options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#rounds.map((rounds) => rounds.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #every(
    doing: string,
    pauseMs: number,
    work: (signal: AbortSignal) => Promise<void>,
    isBusy: () => boolean,
  ): Omit<ConstructorParameters<typeof Rounds>[0], 'logger'> {
    return { doing, pauseMs: () => pauseMs, work, isBusy };
  }

  async #dropSurplus({ counts }: HealingOptions, signal: AbortSignal): Promise<void> {
    counts.repair.droppedChunks += (await this.surplus?.round(signal)) ?? 0;
  }

  #tell({ network, logger }: HealingOptions, { peer, chunk, outcome }: AuditResult): void {
    const name = network.book.nameOf(peer);
    const trusted = network.book.isTrusted(peer);
    logger.warn({ peer: name, chunk, outcome, trusted }, 'a peer did not stand an audit');
  }
}
