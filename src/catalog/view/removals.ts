import type { PeerId, StripeId } from '../../chunk/ids.js';
import { idBytes } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_COMMIT_VERSIONS, REMOVAL_GRACE_MS, TRASHED_PER_COMMIT } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { Batch } from './batch.js';
import { CommitPlan, type PlanContext } from './commit-plan.js';
import type { CommitQueue, Turn } from './commit-queue.js';
import { compareOver, type Doom, encodeDoom } from './dooms.js';
import { Keepers } from './keepers.js';
import { covers, encodeKnowledge, type Knowledge, knowledgeOf, knows } from './knowledge.js';
import type { ManifestReader } from './manifest-reader.js';
import type { ChangeOperation } from './operation.js';
import { find } from './lookup.js';
import { findTrashed, newcomersInTrash } from './trash.js';
import { demandRemovable, planRemoval } from './tree-plan.js';
import type { Tree } from './tree.js';
import { isFolder, type ViewNode } from './view-node.js';
import type { View } from './view.js';

export interface RemovalsOptions {
  /** This one. */
  readonly peer: PeerId;
  /** Where the user is at home: who may have written what has not come yet. */
  readonly homes: () => Promise<readonly PeerId[]>;
  /** Unix time. */
  readonly now: () => number;
  readonly queue: CommitQueue;
  readonly manifests: ManifestReader;
  readonly folderId: PlanContext['folderId'];
  readonly logger: Logger;
}

/** Most that somebody waits longer before he announces again. */
const MOST_WAIT_MS = 6 * 24 * 60 * 60 * 1000;
/** A time further ahead was told by a clock that was wrong. */
const CLOCK_AHEAD_MS = 24 * 60 * 60 * 1000;

interface GiveUp {
  readonly untilMs: number;
  readonly homes: readonly PeerId[];
  readonly seen: Knowledge;
}

/** An announced removal that can be carried out. */
export interface DueNode {
  readonly node: string;
  /** That something in it refers to; others may, too. */
  readonly stripes: readonly StripeId[];
  /** It is not waited for anybody, or anything, any more. */
  readonly isOverdue: boolean;
}

export interface DueNodes {
  readonly due: readonly DueNode[];
  /** Homes whose answer to others is awaited. */
  readonly waitingFor: readonly PeerId[];
}

/**
 * Removing for ever. It is announced first; what is announced is not shown any more. Each home answers when it has seen that,
 * and whatever it had written before comes before its answer. Only then is it carried out, and chunks are given back:
 * nobody can have taken up again what lies in it, unseen by whoever gives it back.
 *
 * Whatever somebody did in the meantime, in ignorance of it, calls the removal off. docs/decisions/0012
 */
export class Removals {
  readonly #options: RemovalsOptions;
  readonly #keepers = new Keepers();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /** @throws StorageError UNAVAILABLE: what is missing may lie in it */
  announce({ view, batch }: Turn, nodes: readonly ViewNode[]): void {
    const seen = knowledgeOf(view.arrivals.known);
    if (!view.isComplete || !nodes.every((node) => isAllKnown(view.tree, node, seen))) {
      throw new StorageError(
        'UNAVAILABLE',
        'A part of the catalog is missing, so nothing can be removed for ever yet. `shoal rm` moves it into the trash.',
      );
    }
    const issuedMs = this.#options.now();
    addAll(
      batch,
      nodes.map((node) => {
        const doom = encodeDoom({ over: node.set, issuedMs, seen });
        return { $case: 'removeEntry', value: { node: idBytes(node.id), versions: [], doom, seen: [] } };
      }),
    );
  }

  /**
   * Answers the announcements of others, and does right by what others did in ignorance of a removal. To be called after
   * changes have come.
   */
  async tend(): Promise<void> {
    const { queue } = this.#options;
    // What was called off shows newcomers, and of these some are taken back at a time. Each pass leaves less to do.
    for (let isAny = queue.view.isDisturbed; isAny;) {
      isAny = await queue.run((turn) => this.#tendOnce(turn), { alone: true });
    }
  }

  /** @returns whether there was anything to do */
  #tendOnce({ view, batch }: Turn): boolean {
    // An answer says that everything is known.
    if (!view.isComplete) return false;
    view.isDisturbed = false;
    const callOffs = this.#callOffs(view);
    addAll(batch, [...callOffs, ...this.#answers(view)]);
    if (callOffs.length > 0) {
      this.#options.logger.info(
        { removals: callOffs.length },
        'somebody wrote into what was to be removed: it is kept',
      );
    }
    return this.#takeBackNewcomers(view, batch) + callOffs.length > 0;
  }

  #callOffs({ tree }: View): ChangeOperation[] {
    // Over a SetEntry that has not come, nothing that is written here would call it off.
    const here = tree.dooms.list().filter(([node, { over }]) => compareOver(node.set, over) >= 0);
    const inIgnorance = here.filter(([node, { seen }]) => !isAllKnown(tree, node, seen));
    return inIgnorance.map(([node]) => planCallOff(tree, node));
  }

  /** One for all that are open, or none. */
  #answers(view: View): ChangeOperation[] {
    const { tree, arrivals } = view;
    const { peer } = this.#options;
    const known = knowledgeOf(arrivals.known);
    const isOpen = ([, doom]: readonly [ViewNode, Doom]): boolean =>
      doom.stamp.change.peer !== peer && !tree.dooms.isAnsweredBy(peer, doom, known);
    const open = tree.dooms.list().filter(isOpen);
    // An answer that knows less than whoever announced it would not count. What is lacking has yet to come.
    const isRipe = ([, { seen }]: readonly [ViewNode, Doom]): boolean => covers(known, seen);
    view.isDisturbed ||= !open.every(isRipe);
    if (!open.some(isRipe)) return [];
    const value = { node: idBytes(tree.trash.id), versions: [], doom: undefined, seen: encodeKnowledge(known) };
    return [{ $case: 'removeEntry', value }];
  }

  /**
   * Announces that places which nothing needs any more, but for their keepers, are given up: keepers are removed for ever as any
   * node is. Those that were made before `untilMs`; and those again that were announced before it, and nobody goes on with,
   * when as much time again has passed: else who restarts daily would announce all of them daily.
   *
   * @returns how many such places are not given back yet, young ones and those that are announced included
   */
  async giveUpMoved(untilMs: number): Promise<number> {
    const { queue, manifests } = this.#options;
    const homes = await this.#options.homes();
    return queue.run(
      async (turn) => {
        const { view } = turn;
        // Of large versions that were not looked into nobody knows where they lie.
        const unread = await manifests.countLarge(view);
        const empty = this.#keepers.unneeded(view);
        // What a part of a dump has said ahead of what came before is not among what is known.
        if (unread || !view.isComplete || view.arrivals.isAhead) return empty.length;
        const seen = knowledgeOf(view.arrivals.known);
        const due = empty.filter((node) => this.#isToGiveUp(view, node, { untilMs, homes, seen }));
        for (let at = 0; at < due.length; at += TRASHED_PER_COMMIT) {
          this.announce(turn, due.slice(at, at + TRASHED_PER_COMMIT));
        }
        for (const node of due) this.#keepers.announced(view, node, seen);
        return empty.length;
      },
      { alone: true },
    );
  }

  #isToGiveUp(view: View, node: ViewNode, { untilMs, homes, seen }: GiveUp): boolean {
    const { set, changedMs } = node;
    if (set === undefined || !this.#acts(set.change.peer, homes) || !isAllKnown(view.tree, node, seen)) return false;
    const doom = view.tree.dooms.of(node);
    if (doom === undefined) return this.#past(changedMs) <= untilMs;
    // Where somebody else has announced it who carries on himself, this peer need not.
    if (this.#keepers.isFresh(view, node) && this.#acts(doom.stamp.change.peer, homes)) return false;
    const since = this.#past(doom.issuedMs);
    const waitedMs = Math.max(0, since - this.#past(changedMs));
    return since + Math.min(waitedMs, MOST_WAIT_MS) <= untilMs;
  }

  /** Unix time; long ago for one that a clock far ahead has told, lest it is waited for. */
  #past(timeMs: number): number {
    return timeMs > this.#options.now() + CLOCK_AHEAD_MS ? 0 : timeMs;
  }

  /** @param settled nothing of this peer's own waits to be brought in from a former generation */
  async due(settled: boolean): Promise<DueNodes> {
    const homes = await this.#options.homes();
    return this.#options.queue.run(
      async ({ view }) => {
        const waitingFor = this.#waitingFor(view, homes);
        const unread = await this.#options.manifests.countLarge(view);
        if (!settled || unread || !view.isComplete) return { due: [], waitingFor };
        const due = this.#dueNodes(view, homes).slice(0, TRASHED_PER_COMMIT);
        return { due: due.map((node) => this.#describe(view, node)), waitingFor };
      },
      { alone: true },
    );
  }

  /** @returns the stripes that no version refers to any more */
  async carryOut(nodes: readonly string[]): Promise<readonly StripeId[]> {
    const { queue, manifests } = this.#options;
    const homes = await this.#options.homes();
    const wanted = new Set(nodes);
    const touched = await queue.run(
      async ({ view, batch }) => {
        if ((await manifests.countLarge(view)) || !view.isComplete) return new Set<StripeId>();
        const due = this.#dueNodes(view, homes).filter(({ id }) => wanted.has(id));
        const stripes = due.flatMap((node) => stripesIn(view, node));
        // What lies in a node first: as long as that is not removed itself, all of it stays hidden.
        const operations = due.flatMap((node) => planRemoval(view.tree, node).operations.toReversed());
        for (let at = 0; at < operations.length; at += MAX_COMMIT_VERSIONS) {
          addAll(batch, operations.slice(at, at + MAX_COMMIT_VERSIONS));
        }
        return new Set(stripes);
      },
      { alone: true },
    );
    // Of a version that has moved the keepers may not be here: whoever looks later knows.
    if (queue.view.arrivals.isAheadOfMoves) return [];
    return [...touched].filter((stripe) => !queue.view.isReferenced(stripe));
  }

  #dueNodes(view: View, homes: readonly PeerId[]): ViewNode[] {
    const due = view.tree.dooms.list().filter((one) => this.#isDue(view, one, homes));
    return due.filter(([node, { seen }]) => isAllKnown(view.tree, node, seen)).map(([node]) => node);
  }

  #describe(view: View, node: ViewNode): DueNode {
    const doom = view.tree.dooms.of(node);
    const isOverdue = doom !== undefined && this.#isOverdue(view, [node, doom]);
    return { node: node.id, stripes: stripesIn(view, node), isOverdue };
  }

  /** Files that live lie where others were moved from, as a home may know them that has not answered: that waits for ever. */
  #isOverdue({ tree }: View, [node, { issuedMs }]: readonly [ViewNode, Doom]): boolean {
    return node.claimed !== tree.moved && this.#options.now() - issuedMs >= REMOVAL_GRACE_MS;
  }

  #isDue(view: View, [node, doom]: readonly [ViewNode, Doom], homes: readonly PeerId[]): boolean {
    // Over a SetEntry that has not come nobody knows what it was.
    if (compareOver(node.set, doom.over) < 0) return false;
    if (this.#isOverdue(view, [node, doom])) return true;
    if (node.claimed === view.tree.moved && !this.#keepers.isFresh(view, node)) return false;
    return this.#acts(doom.stamp.change.peer, homes) && this.#unanswered(view, doom, homes).length === 0;
  }

  /** Whether this peer carries on what `author` began. One peer does it; where its writer has left, another. */
  #acts(author: PeerId, homes: readonly PeerId[]): boolean {
    const { peer } = this.#options;
    const actor = homes.includes(author) ? author : [...homes].sort()[0];
    return author === peer || actor === peer;
  }

  #unanswered({ tree, arrivals }: View, doom: Doom, homes: readonly PeerId[]): PeerId[] {
    const known = knowledgeOf(arrivals.known);
    const { peer: author } = doom.stamp.change;
    const others = homes.filter((home) => home !== author && home !== this.#options.peer);
    return others.filter((home) => !tree.dooms.isAnsweredBy(home, doom, known));
  }

  #waitingFor(view: View, homes: readonly PeerId[]): PeerId[] {
    const own = view.tree.dooms.list().filter(([, { stamp }]) => stamp.change.peer === this.#options.peer);
    return [...new Set(own.flatMap(([, doom]) => this.#unanswered(view, doom, homes)))];
  }

  /** What was put into a folder while it went into the trash elsewhere is shown where it was put. @returns how many now */
  #takeBackNewcomers(view: View, batch: Batch): number {
    const { now, folderId, logger } = this.#options;
    let taken = 0;
    for (const { node, path } of newcomersInTrash(view.tree)) {
      if (taken === TRASHED_PER_COMMIT) break;
      const plan = new CommitPlan({ view, batch, nowMs: now(), folderId });
      try {
        plan.takeBack(node, path);
        plan.finish();
        taken++;
      } catch (error) {
        const { code } = wrapError(error, 'Taking back what was put into a removed folder');
        logger.warn(
          { node: node.id, code },
          'what was put into a folder that was removed elsewhere stays in the trash',
        );
      }
    }
    return taken;
  }
}

/** What is at `path`, or was removed from there last. */
export function removableEver(tree: Tree, path: string, recursive: boolean): ViewNode {
  const trashed = find(tree, path) === undefined ? findTrashed(tree, path) : undefined;
  return (trashed ?? demandRemovable(tree, path, recursive)).node;
}

function addAll(batch: Batch, operations: readonly ChangeOperation[]): void {
  if (operations.length > 0) batch.add({ operations, extents: [], nodes: new Map() });
}

/** Whether all that lies in a node was there, and placed there, as far as somebody knew. */
function isAllKnown(tree: Tree, start: ViewNode, seen: Knowledge): boolean {
  const ahead = [start];
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    if (node !== start && node.set !== undefined && !knows(seen, node.set.change)) return false;
    if (!node.versions.every(({ change }) => knows(seen, change))) return false;
    for (const [, child] of tree.children(node)) ahead.push(child);
  }
  return true;
}

/** Where it was, by a later word than the one that was to be removed. */
function planCallOff(tree: Tree, node: ViewNode): ChangeOperation {
  const { id, claimed, name, changedMs, trashedFrom = '' } = node;
  const seen = encodeKnowledge(tree.trashedBy(node) ?? new Map());
  const place = { parent: idBytes((claimed ?? tree.root).id), name, folder: isFolder(node), trashedFrom, seen };
  return { $case: 'setEntry', value: { node: idBytes(id), ...place, changedMs } };
}

function stripesIn(view: View, node: ViewNode): StripeId[] {
  const { versions } = planRemoval(view.tree, node);
  return [...new Set(versions.flatMap((version) => view.stripes(version)))];
}
