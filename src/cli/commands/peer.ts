import type { Command } from 'commander';
import pc from 'picocolors';
import { StorageError } from '../../errors.js';
import type { PeerReply } from '../../gateways/http/network-api.js';
import { Invocation } from '../invocation.js';
import { NetworkClient } from '../network-client.js';
import { printable } from '../printable.js';
import { parseBytes, parseOnOff } from '../quantities.js';
import { wantsColor, type Runtime } from '../runtime.js';
import { table } from '../table.js';
import { formatBytes } from '../units.js';
import { definePeerDrain } from './peer-drain.js';
import { definePeerInvite } from './peer-invite.js';
import { definePeerJoin } from './peer-join.js';

const AFTER = `
Examples:
  shoal peer invite                                  at a peer with the authority’s role
  shoal peer join shoal1-…                           on the new machine
  shoal peer list
  shoal peer drain attic
  shoal peer remove attic
  shoal peer set --address nas.example:8485
`;

export function definePeer(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  definePeerInvite(command.command('invite'), runtime);
  definePeerJoin(command.command('join'), runtime);
  defineList(command.command('list'), runtime);
  definePeerDrain(command.command('drain'), runtime);
  defineRemove(command.command('remove'), runtime);
  defineSet(command.command('set'), runtime);
}

function defineList(command: Command, runtime: Runtime): void {
  command
    .description('list the peers of the network')
    .addHelpText('after', '\nExamples:\n  shoal peer list\n  shoal peer list --json\n')
    .action(async (_options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      const peers = [...(await client.peers())].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
      const colors = pc.createColors(wantsColor(runtime.stdout, runtime.env));
      invocation.result(peers, () => peerTable(peers, colors));
    });
}

function peerTable(peers: readonly PeerReply[], colors: ReturnType<typeof pc.createColors>): string {
  const rows = peers.map((peer) => [
    printable(peer.name),
    peer.id.slice(0, 12),
    peer.up === null ? peer.state : peer.up ? colors.green('up') : colors.red('down'),
    [peer.authority ? 'authority' : '', peer.backup ? 'backup' : ''].filter((role) => role !== '').join(', '),
    formatBytes(peer.capacityBytes),
    printable(peer.zone),
    peer.address,
    peer.until.slice(0, 10),
  ]);
  return table(['peer', 'id', '', 'roles', 'room', 'zone', 'address', 'certificate until'], rows, [
    ...(['left', 'left', 'left', 'left', 'right'] as const),
  ]);
}

function defineRemove(command: Command, runtime: Runtime): void {
  command
    .description('put a peer out of the network for good')
    .argument('<peer>', 'its name, or the first digits of its id')
    .addHelpText(
      'after',
      '\nEvery other peer refuses it as soon as it hears of it. Whoever has a copy of the network’s authority.key can undo\nthat: removing a peer with the authority’s role does not take the key away from it.\n\nExamples:\n  shoal peer remove attic\n  shoal peer remove 3f9a0c1d2e4b\n',
    )
    .action(async (meant: string, _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      const before = await client.peers();
      const removed = await client.removePeer(meant);
      invocation.result(removed, () => `${printable(removed.name)} is removed: the others refuse it from now on.`);
      if (before.find(({ id }) => id === removed.id)?.authority === true) {
        invocation.note(
          'It had the authority’s role, and still has the key: if it is in wrong hands, move to a new network.',
        );
      }
    });
}

interface SetOptions {
  readonly address?: string;
  readonly name?: string;
  readonly zone?: string;
  readonly capacity?: number;
  readonly backup?: boolean;
}

function defineSet(command: Command, runtime: Runtime): void {
  command
    .description('change what the network knows of this peer')
    .option('--address <host:port>', 'where other peers reach it')
    .option('--name <name>', 'what people call it')
    .option('--zone <name>', 'what fails together with it: a flat, a rack, a site')
    .option('--capacity <size>', 'room that it gives: 500GB, 2TB', parseBytes)
    .option('--backup <on|off>', 'whether it keeps the databases of all others', parseOnOff)
    .addHelpText(
      'after',
      '\nExamples:\n  shoal peer set --address nas.example:8485\n  shoal peer set --backup on --zone attic\n',
    )
    .action(async (options: SetOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      const { address, name, zone, capacity: capacityBytes, backup } = options;
      if ([address, name, zone, capacityBytes, backup].every((value) => value === undefined)) {
        throw new StorageError('INVALID_ARGUMENT', 'Say what to change. See `shoal peer set --help`.');
      }
      const changed = await client.setOwn({ address, name, zone, capacityBytes, backup });
      invocation.result(changed, () => `${printable(changed.name)} is changed; the others learn of it as it syncs.`);
      if (capacityBytes !== undefined || backup !== undefined) {
        invocation.note('Start the peer again for that to be in force here.');
      }
    });
}
