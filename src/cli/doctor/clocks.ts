import { request } from 'node:https';
import type { PeerId } from '../../chunk/ids.js';
import { CLOCK_SKEW_MS, PING_TIMEOUT_MS } from '../../limits.js';
import { timeLimit } from '../../time-limit.js';
import { expectPeer, secureContextOptions, type TlsIdentity } from '../../wire/tls.js';
import { formatSeconds } from '../units.js';
import { ok, problem, unknown, warning, type Finding } from './finding.js';

const NAME = 'clock';

/** Another peer's clock, as milliseconds that it is ahead of this machine's. */
export interface ClockOffset {
  readonly peer: string;
  readonly aheadMs: number;
}

/** What time synchronization leaves, and the second that a `Date` header is rounded to. */
const NEGLIGIBLE_MS = 10_000;

/** When most of the others agree against this machine, it is this one that is wrong. */
export function judgeClocks(offsets: readonly ClockOffset[]): readonly Finding[] {
  if (offsets.length === 0) return [unknown(NAME, 'No other peer told its time.')];
  const ahead = offsets.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b);
  const middle = ahead[ahead.length >> 1] ?? 0;
  if (Math.abs(middle) > NEGLIGIBLE_MS) {
    const found = `The clock of this machine is ${apart(-middle)} the clocks of most other peers.`;
    const remedy = 'Let the machine keep its clock right: `timedatectl set-ntp true`.';
    return [judge(middle)(NAME, found, remedy)];
  }
  const wrong = offsets.filter(({ aheadMs }) => Math.abs(aheadMs - middle) > NEGLIGIBLE_MS);
  if (wrong.length === 0) return [ok(NAME, 'The clocks of this machine and of the peers that answer agree.')];
  return wrong.map(({ peer, aheadMs }) => {
    const remedy = `Let the machine of ${peer} keep its clock right: \`timedatectl set-ntp true\` there.`;
    return judge(aheadMs)(NAME, `The clock of ${peer} is ${apart(aheadMs)} this machine’s.`, remedy);
  });
}

/** Grants and signatures of peers whose clocks differ by more than CLOCK_SKEW_MS are refused. */
function judge(byMs: number): typeof problem {
  return Math.abs(byMs) > CLOCK_SKEW_MS / 2 ? problem : warning;
}

function apart(ms: number): string {
  return `${formatSeconds(Math.abs(ms) / 1000)} ${ms > 0 ? 'ahead of' : 'behind'}`;
}

export interface AskedPeer {
  readonly id: PeerId;
  readonly name: string;
  /** "host:port" of its front. */
  readonly address: string;
}

/** The `Date` header (RFC 9110 section 6.6.1) of whatever a peer's front answers. undefined when it does not. */
export async function askClock(
  { id, name, address }: AskedPeer,
  tls: TlsIdentity,
  { signal, nowMs }: { readonly signal: AbortSignal; readonly nowMs: () => number },
): Promise<ClockOffset | undefined> {
  const { hostname, port } = new URL(`https://${address}`);
  using patience = timeLimit(PING_TIMEOUT_MS, signal);
  const began = nowMs();
  const told = await new Promise<string | undefined>((resolve) => {
    const asking = request({
      ...secureContextOptions(tls),
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port || 443,
      method: 'GET',
      path: '/',
      agent: false,
      servername: '',
      checkServerIdentity: expectPeer(id, () => undefined),
      signal: patience.signal,
    });
    // Who does not answer is another check's to tell.
    asking.once('error', () => {
      resolve(undefined);
    });
    asking.once('response', (response) => {
      response.resume();
      resolve(response.headers.date);
    });
    asking.end();
  });
  const theirs = Date.parse(told ?? '');
  return Number.isNaN(theirs) ? undefined : { peer: name, aheadMs: theirs - (began + nowMs()) / 2 };
}
