import type { StatusReply } from '../../gateways/http/api.js';
import { printable } from '../printable.js';
import { count } from '../units.js';
import { ok, problem, warning, type Finding } from './finding.js';

/** Which of the other peers answer, and what that means for the files. */
export function checkOthers({ peers, peer, safety }: StatusReply): readonly Finding[] {
  const others = peers.filter(({ id, state }) => id !== peer.id && state !== 'removed');
  if (others.length === 0) {
    return [warning('other peers', 'This network has one peer.', 'Invite others: `shoal peer invite`.')];
  }
  return [...reachable(others), ...safe(safety)];
}

function reachable(others: StatusReply['peers']): readonly Finding[] {
  const down = others.filter(({ up }) => !up);
  if (down.length === 0) return [ok('other peers', `${count(others.length, 'other peer')} answer.`)];
  if (down.length === others.length) {
    const remedy =
      'Look at this machine’s own connection first, then whether the others run, and whether a firewall lets their ports through.';
    return [problem('other peers', 'No other peer answers.', remedy)];
  }
  return down.map(({ name, address }) =>
    warning(
      'other peers',
      `${printable(name)} does not answer at ${printable(address)}.`,
      `Start it. If it has moved, \`shoal peer set --address\` there; if it is gone for good, \`shoal peer remove\`.`,
    ),
  );
}

/** Only while one user is unlocked: nobody else can tell. */
function safe(safety: StatusReply['safety']): readonly Finding[] {
  if (safety === null) return [];
  const { stripes, degraded, lost, mayFail } = safety;
  if (mayFail === null) return [];
  if (lost > 0) {
    const found = `Of ${count(lost, 'stripe')} it is not known who holds the chunks.`;
    return [problem('files', found, 'Let all peers run; if it stays, `shoal recover` finds them.')];
  }
  if (mayFail < 0) {
    return [problem('files', 'Some files cannot be read at the moment.', 'Start the peers that do not answer.')];
  }
  if (degraded > 0 || mayFail === 0) {
    const found = `Of ${count(stripes, 'stripe')}, ${String(degraded)} lack a chunk; ${mayFail === 0 ? 'no further peer' : count(mayFail, 'peer')} may fail.`;
    return [warning('files', found, 'Start the peers that do not answer, so that what is missing is stored again.')];
  }
  return [ok('files', `All stripes are whole; ${count(mayFail, 'peer')} may fail.`)];
}
