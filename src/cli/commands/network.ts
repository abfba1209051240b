import type { Command } from 'commander';
import type { NetworkReply } from '../../gateways/http/network-api.js';
import { demandName } from '../../enrolment/peer-name.js';
import { homeOf, Invocation, type CommonOptions } from '../invocation.js';
import { fingerprint } from '../kit-page.js';
import { NetworkClient } from '../network-client.js';
import { addNewPeerOptions, loopbackNote, newPeerOf, serveCommand, type NewPeerOptions } from '../new-peer-options.js';
import { readNewPassphrase } from '../passphrase.js';
import { printable } from '../printable.js';
import { parseCount } from '../quantities.js';
import type { Runtime } from '../runtime.js';
import { formatTime } from '../units.js';

const AFTER = `
Examples:
  shoal network create --name family --listen 0.0.0.0:8485 --address nas.example:8485 --user alice
  shoal network status
`;

const AFTER_CREATE = `
The home must be empty. The network's authority lies in it too: whoever has the file authority.key lets peers in. With --user
a first user is made, whose passphrase is asked for.

Examples:
  shoal network create --name family --address nas.example:8485 --listen 0.0.0.0:8485
  shoal network create --name lab --home /srv/shoal --tolerate 2 --user alice
`;

export function defineNetwork(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  defineCreate(command.command('create'), runtime);
  command
    .command('status')
    .description('show the network, and what this peer is in it')
    .addHelpText('after', '\nExamples:\n  shoal network status\n  shoal network status --json\n')
    .action(async (_options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await using client = new NetworkClient(invocation.home, runtime.signal);
      const network = await client.network();
      invocation.result(network, () => statusLines(network).join('\n'));
    });
}

interface CreateOptions extends CommonOptions, NewPeerOptions {
  readonly name: string;
  readonly peerName?: string;
  readonly tolerate?: number;
  readonly passphraseFile?: string;
}

function defineCreate(command: Command, runtime: Runtime): void {
  addNewPeerOptions(
    command
      .description('make a network; this peer is its first and has the authority’s role')
      .requiredOption('--name <name>', 'of the network')
      .option('--peer-name <name>', 'of this peer (default: the name of the machine)')
      .option('--tolerate <m>', 'how many peers may be lost (default: 1, and 2 from 6 peers on)', parseCount),
  )
    .option('--passphrase-file <path>', 'of the user: read the passphrase from a file')
    .addHelpText('after', AFTER_CREATE)
    .action(async (_options: unknown, invoked: Command) => {
      const options = invoked.optsWithGlobals<CreateOptions>();
      await using invocation = new Invocation(invoked, runtime);
      const home = homeOf(options, runtime.env);
      const { createNetwork, demandEmptyHome } = await import('../../enrolment/create-network.js');
      const { silentLogger } = await import('../../log.js');
      await demandEmptyHome(home);
      demandName(options.name);
      const peer = await newPeerOf({ home, options, name: options.peerName, backup: true, env: runtime.env });
      const user = options.user === undefined ? undefined : await userOf(runtime, options.user, options.passphraseFile);
      const { name, tolerate } = options;
      const made = await createNetwork({
        ...{ home, name, tolerate, peer, user },
        logger: silentLogger(),
        nowMs: Date.now,
      });
      const reply = { id: made.id, name, fingerprint: made.fingerprint, home, peer: made.peer.id, user: user?.name };
      invocation.result(reply, () =>
        [
          `The network ${printable(name)} is made, with the fingerprint ${fingerprint(made.fingerprint)}.`,
          `Start its first peer with \`${serveCommand(home)}\`, then invite others with \`shoal peer invite\`.`,
        ].join('\n'),
      );
      invocation.note('Keep a copy of authority.key in a safe place: without it nobody joins any more.');
      const note = loopbackNote(peer.address);
      if (note !== undefined) invocation.note(note);
    });
}

async function userOf(
  runtime: Runtime,
  name: string,
  file: string | undefined,
): Promise<{ readonly name: string; readonly passphrase: string }> {
  return { name, passphrase: await readNewPassphrase(runtime, file) };
}

function statusLines(network: NetworkReply): string[] {
  const { peer, k, m, tolerate, removed } = network;
  const scheme =
    k === 0 ? 'too few peers to store anything yet' : `${String(k)} data + ${String(m)} parity chunks a stripe`;
  const policy = tolerate === null ? '' : `; the policy asks that ${String(tolerate)} may be lost`;
  const roles = [peer.authority ? 'authority' : '', peer.backup ? 'backup host' : ''].filter((role) => role !== '');
  const role = peer.state === 'removed' ? 'removed' : roles.length === 0 ? 'member' : roles.join(', ');
  return [
    `Network      ${printable(network.name)}, fingerprint ${fingerprint(network.fingerprint)}`,
    `Peers        ${String(network.members)}${removed === 0 ? '' : `, and ${String(removed)} removed`}: ${scheme}${policy}`,
    `Authority    ${network.authorities.map(printable).join(', ')}; its certificate ends ${formatTime(network.authorityUntil)}`,
    `Backup       ${network.backupHosts.map(printable).join(', ')}`,
    `This peer    ${printable(peer.name)} at ${peer.address}: ${role}`,
    `Certificate  until ${formatTime(peer.until)}; renewed by itself a month before`,
  ];
}
