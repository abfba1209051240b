import { renderUnicodeCompact } from 'uqr';
import type { InvitationReply, PeerReply } from '../gateways/http/network-api.js';
import { printable } from './printable.js';
import { table } from './table.js';
import { formatTime } from './units.js';

/** Capitals, digits and a dash have a mode of their own in a QR code, which makes it a third smaller. */
export function qrCode(token: string): string {
  return renderUnicodeCompact(token.toUpperCase(), { ecc: 'L', border: 2 });
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
