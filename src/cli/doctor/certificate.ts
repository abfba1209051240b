import { readCertificate } from '../../crypto/peer-identity.js';
import { isDue } from '../../enrolment/renewal.js';
import { ok, problem, warning, type Finding } from './finding.js';

const NAME = 'certificate';
const DAY_MS = 24 * 3600 * 1000;

/** @param certificate of this peer, PEM */
export function checkCertificate(certificate: string, nowMs: number): Finding {
  const { validFrom, validTo } = readCertificate(certificate);
  const [fromMs, untilMs] = [Date.parse(validFrom), Date.parse(validTo)];
  const until = new Date(untilMs).toISOString().slice(0, 10);
  if (nowMs >= untilMs) {
    const remedy = 'Ask for an invitation and run `shoal peer join`: the peer keeps its id and its chunks.';
    return problem(NAME, `The certificate of this peer has expired on ${until}: no other peer lets it in.`, remedy);
  }
  if (nowMs < fromMs) {
    const from = new Date(fromMs).toISOString().slice(0, 10);
    const found = `The certificate of this peer is valid only from ${from} on: the clock of this machine is wrong.`;
    return problem(NAME, found, 'Set the clock: `timedatectl set-ntp true`.');
  }
  const days = Math.floor((untilMs - nowMs) / DAY_MS);
  if (isDue(certificate, nowMs)) {
    const found = `The certificate of this peer ends in ${String(days)} days and has not been renewed.`;
    const remedy =
      'Let the peer run, and reach a peer with the authority’s role (`shoal peer list`): it renews it by itself.';
    return warning(NAME, found, remedy);
  }
  return ok(NAME, `Valid until ${until}; it is renewed by itself.`);
}
