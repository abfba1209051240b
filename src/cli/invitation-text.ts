import { renderUnicodeCompact } from 'uqr';
import type { InvitationReply, PeerReply } from '../gateways/http/network-api.js';
import { printable } from './printable.js';
import { table } from './table.js';
import { formatTime } from './units.js';

/** Bright white on black: a terminal with dark letters on a light ground would show the code inside out. */
const WHITE_ON_BLACK = '\u001b[97;40m';
const RESET = '\u001b[0m';

/** Capitals, digits and a dash have a mode of their own in a QR code, which makes it a third smaller. */
export function qrCode(token: string, { color }: { readonly color: boolean } = { color: false }): string {
  const code = renderUnicodeCompact(token.toUpperCase(), { ecc: 'L', border: 2 });
  if (!color) return code;
  const lines = code.split('\n').map((line) => WHITE_ON_BLACK + line + RESET);
  return lines.join('\n');
}

export function invitationTable(invitations: readonly InvitationReply[], peers: readonly PeerReply[]): string {
  const nameOf = (id: string): string => printable(peers.find((peer) => peer.id === id)?.name ?? id.slice(0, 12));
  const rows = invitations.map(({ id, note, state, expires, authority, peer }) => [
    id,
    printable(note),
    state === 'used' && peer !== null ? `used by ${nameOf(peer)}` : state,
    formatTime(expires),
    authority ? 'authority' : '',
  ]);
  return rows.length === 0 ? '' : table(['invitation', 'for', '', 'expires', 'role'], rows);
}
