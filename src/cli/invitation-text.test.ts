import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { InvitationReply } from '../gateways/http/network-api.js';
import { invitationTable, qrCode } from './invitation-text.js';

it('the QR code of the longest usual token fits a terminal of 80 columns', () => {
  // 129 bytes, the length of an address and its port, and four of a checksum, in base32.
  const token = `shoal1-${'a'.repeat(Math.ceil(((129 + 64) * 8) / 5))}`;
  const lines = qrCode(token).split('\n');
  assert.ok(lines.every((line) => line.length === lines[0]?.length && line.length <= 80));
  assert.ok(lines.length <= 40);
  assert.equal(qrCode(token), qrCode(token.toUpperCase()), 'of capitals, whatever the token has');
  const coloured = qrCode(token, { color: true }).split('\n');
  assert.ok(coloured.every((line) => line.startsWith('\u001b[97;40m') && line.endsWith('\u001b[0m')));
});

it('invitations are listed with what became of them', () => {
  const times = { created: '2030-01-01T00:00:00Z', expires: '2030-01-02T00:00:00Z' };
  const one: InvitationReply = {
    id: 'aaaaaaaaaaaa',
    note: 'Léa',
    authority: true,
    ...times,
    state: 'open',
    peer: null,
  };
  const used = { ...one, id: 'bbbbbbbbbbbb', note: '', authority: false, state: 'used' as const, peer: 'c'.repeat(64) };
  const text = invitationTable([one, used], []);
  assert.match(text, /aaaaaaaaaaaa +Léa +open +2030-01-0\d \d\d:\d\d +authority/);
  assert.match(text, /bbbbbbbbbbbb +used by cccccccccccc/);
  assert.equal(invitationTable([], []), '');
});
