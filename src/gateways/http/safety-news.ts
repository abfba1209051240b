import { amount } from '../../healing/words.js';
import type { ActivityBook } from './activity-book.js';
import type { StatusReply } from './api.js';
import type { MachineReply, SafetyReply } from './safety-api.js';

const RANKS = ['healthy', 'degraded', 'atRisk', 'lost'] as const;
type Rank = (typeof RANKS)[number];

const KINDS = {
  healthy: 'files-safe',
  degraded: 'files-degraded',
  atRisk: 'files-at-risk',
  lost: 'files-lost',
} as const;

interface Seen {
  readonly user: string;
  readonly safety: SafetyReply;
}

/**
 * Writes down when the files of the user who is unlocked become less safe, or safer, and through whom. Once for each change,
 * and nothing for what is seen first; no name of a file.
 */
export class SafetyNews {
  readonly #activity: Pick<ActivityBook, 'add'>;
  #before: Seen | undefined;

  constructor(activity: Pick<ActivityBook, 'add'>) {
    this.#activity = activity;
  }

  take({ safety, users }: Pick<StatusReply, 'safety' | 'users'>): void {
    // Nobody knows while nobody is unlocked; what happened meanwhile is told then.
    if (safety === null) return;
    const user = users.flatMap(({ name, unlocked }) => (unlocked ? name : [])).join();
    const before = this.#before;
    this.#before = { user, safety };
    if (before?.user !== user) return;
    const [was, is] = [rankOf(before.safety), rankOf(safety)];
    const cause = causeOf(before.safety.machines, safety.machines);
    // More files that are stored meanwhile, and are as the others, are no news.
    const isMore = was === is && isBad(is) && cause !== '' && safety.files[is].files > before.safety.files[is].files;
    // Where the last of them were removed, nothing is healthy again.
    if ((was !== is && safety.files[is].files > 0) || isMore)
      this.#activity.add(KINDS[is], sentence(is, safety, cause));
  }
}

function rankOf({ files }: SafetyReply): Rank {
  return RANKS.findLast((rank) => files[rank].files > 0) ?? 'healthy';
}

function isBad(rank: Rank): boolean {
  return rank === 'atRisk' || rank === 'lost';
}

function sentence(rank: Rank, { files }: SafetyReply, cause: string): string {
  const { files: count } = files[rank];
  const [some, are] = [amount(count, 'file'), count === 1 ? 'is' : 'are'];
  if (rank === 'lost') return `${some} cannot be read now${cause}.`;
  if (rank === 'atRisk') return `${some} ${are} at risk${cause}: there is a machine that may not fail now.`;
  if (rank === 'degraded')
    return `${some} ${count === 1 ? 'lacks' : 'lack'} a chunk${cause}; any one machine may fail.`;
  return count === 1 ? 'Your file is healthy again.' : `All ${some} are healthy again.`;
}

/** " since attic went down"; empty where no machine changed for the worse. */
function causeOf(before: readonly MachineReply[], now: readonly MachineReply[]): string {
  const changed = (words: string, isSo: (was: MachineReply, is: MachineReply) => boolean): string[] => {
    const names = now.flatMap((is) => {
      const was = before.find(({ id }) => id === is.id);
      return was !== undefined && isSo(was, is) ? is.name : [];
    });
    return names.length === 0 ? [] : [`${names.join(' and ')} ${words}`];
  };
  const causes = [
    ...changed('went down', (was, { standing }) => was.standing === 'up' && standing === 'down'),
    ...changed('failed audits', (was, { standing }) => was.standing !== 'distrusted' && standing === 'distrusted'),
    ...changed('lost chunks', (was, is) => is.denied > was.denied),
  ];
  return causes.length === 0 ? '' : ` since ${causes.join(', and ')}`;
}
