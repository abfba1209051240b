import type { SafetyReply, StatusReply } from '../api/types.js';
import { HEALTH } from '../strings-health.js';

export interface Verdict {
  readonly tone: 'good' | 'warn' | 'bad' | 'plain';
  /** The plain sentence. */
  readonly title: string;
  readonly detail: string;
}

/** Whether somebody's files are safe, in one sentence: from what is stored and who answers, not from the policy. */
export function verdictOf(status: Pick<StatusReply, 'peers' | 'safety' | 'network'>): Verdict {
  const { sentence } = HEALTH;
  const members = status.peers.filter(({ state }) => state !== 'removed');
  const all = members.length;
  const down = members.filter(({ up }) => !up).length;
  const machines = down > 0 ? sentence.down(down, all) : all === 1 ? sentence.oneUp : sentence.allUp(all);
  if (status.network.k === 0) return { tone: 'warn', title: sentence.tooFew, detail: sentence.tooFewDetail(all) };
  if (status.safety === null) return { tone: 'plain', title: sentence.unknown, detail: sentence.unknownDetail };
  const { mayFail, degraded, files } = status.safety;
  if (mayFail === null) {
    if (down > 0) return { tone: 'warn', title: sentence.empty, detail: machines };
    return { tone: 'good', title: sentence.empty, detail: sentence.emptyDetail(all) };
  }
  const total = filesIn(status.safety);
  if (files.lost.files > 0) {
    const why = down > 0 ? sentence.lostDetail : sentence.lostDetailUp;
    return { tone: 'bad', title: sentence.lost(files.lost.files, total), detail: `${machines} ${why}` };
  }
  const waits = degraded === 0 ? '' : ` ${sentence.degraded(degraded)}`;
  const detail = `${machines}${waits}`;
  if (mayFail <= 0) return { tone: 'warn', title: sentence.edge(files.atRisk.files, total), detail };
  const title = down === 0 ? sentence.safe(total, mayFail, all) : sentence.safeStill(total, mayFail);
  return { tone: down > 0 || degraded > 0 ? 'warn' : 'good', title, detail };
}

export function filesIn({ files }: Pick<SafetyReply, 'files'>): number {
  return files.healthy.files + files.degraded.files + files.atRisk.files + files.lost.files;
}
