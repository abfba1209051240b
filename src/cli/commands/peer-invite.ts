import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { InvitedReply } from '../../gateways/http/network-api.js';
import { Invocation } from '../invocation.js';
import { NetworkClient } from '../network-client.js';
import { printable } from '../printable.js';
import { parseDuration } from '../quantities.js';
import { wantsColor, type Runtime } from '../runtime.js';
import { formatTime } from '../units.js';

const AFTER = `
The token is for one machine, once: \`shoal peer join TOKEN\` there. Whoever has it first is in, so hand it over as you would a
key. On a terminal it is shown as a QR code too; in a pipe it is one line.

With --authority the new peer, or a member that joins again, gets the authority's key: it can invite, renew and remove.

Examples:
  shoal peer invite
  shoal peer invite --name attic --valid 2h
  shoal peer invite --authority
  shoal peer invite --list
  shoal peer invite --revoke 3f9a0c1d2e4b
`;

interface InviteOptions {
  readonly name?: string;
  readonly valid?: number;
  readonly authority?: true;
  readonly qr?: boolean;
  readonly list?: true;
  readonly revoke?: string;
}

export function definePeerInvite(command: Command, runtime: Runtime): void {
  command
    .description('let a machine join: print an invitation')
    .option('--name <who>', 'for whom it is; only for your list')
    .option('--valid <time>', 'how long it is good for: 30m, 24h, 7d (default: 24h)', parseDuration)
    .option('--authority', 'give the authority’s role with it')
    .option('--no-qr', 'show no QR code')
    .option('--list', 'list the invitations of this peer')
    .option('--revoke <id>', 'take back one that nobody has used')
    .addHelpText('after', AFTER)
    .action(async (options: InviteOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      if (options.list === true) await list(invocation, client);
      else if (options.revoke !== undefined) await revoke(invocation, client, options.revoke);
      else await invite(invocation, client, options);
    });
}

async function invite(invocation: Invocation, client: NetworkClient, options: InviteOptions): Promise<void> {
  const { name: note, valid: lifetimeMs, authority } = options;
  const invited = await client.invite({ note, lifetimeMs, authority });
  const { stdout, env } = invocation.runtime;
  const { qrCode } = await import('../invitation-text.js');
  const color = wantsColor(stdout, env);
  const code = stdout.isTTY === true && options.qr !== false ? `${qrCode(invited.token, { color })}\n\n` : '';
  invocation.result(invited, () => code + invited.token);
  invocation.note(advice(invited));
}

function advice({ expires, id, authority }: InvitedReply): string {
  const role = authority ? ' It gives the authority’s role.' : '';
  return `Good for one machine until ${formatTime(expires)}: \`shoal peer join TOKEN\` there.${role} Take it back with \`shoal peer invite --revoke ${id}\`.`;
}

async function list(invocation: Invocation, client: NetworkClient): Promise<void> {
  const invitations = await client.invitations();
  const peers = await client.peers();
  const { invitationTable } = await import('../invitation-text.js');
  invocation.result(invitations, () => invitationTable(invitations, peers));
}

async function revoke(invocation: Invocation, client: NetworkClient, id: string): Promise<void> {
  if (!/^[0-9a-f]{12}$/.test(id)) {
    throw new StorageError('INVALID_ARGUMENT', `"${printable(id)}" is no invitation: \`--list\` shows their ids.`);
  }
  await client.revoke(id);
  invocation.result({ revoked: id }, () => `Nobody joins by invitation ${id} any more.`);
}
