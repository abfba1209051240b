import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { Devnet, type PeerState } from '../devnet/devnet.js';
import {
  createLayout,
  DEFAULT_PEERS,
  defaultDirectory,
  MAX_DEVNET_PEERS,
  readLayout,
  readLayoutIfThere,
  type DevnetLayout,
  DEVNET_USER,
} from '../devnet/layout.js';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';

interface UpOptions {
  readonly dir: string;
  readonly peers?: number;
  readonly tolerate?: number;
  readonly backupHosts?: number;
}

const AFTER = `
Each peer is a process of its own with the home DIR/peer-N; the user is "demo", unlocked at every peer.

Examples:
  shoal devnet up --peers 6 --dir net
  SHOAL_HOME=net/peer-1 shoal put photos /photos
  shoal devnet stop 3 --dir net
  shoal devnet down --dir net
`;

export function defineDevnet(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  withDirectory(command.command('up'))
    .description('make the network once, start what is down')
    .option('--peers <n>', `how many peers (default: ${String(DEFAULT_PEERS)})`, parsePeers)
    .option('--tolerate <m>', 'how many peers may be lost (default: 2 from 6 peers on)', parseNumber)
    .option('--backup-hosts <n>', 'how many peers keep the databases of all others (default: 2)', parseNumber)
    .action(async (options: UpOptions, invoked: Command) => {
      const devnet = new Devnet(await openLayout(options), runtime);
      await devnet.up();
      await show(devnet, invoked, runtime);
    });
  withDirectory(command.command('down'))
    .description('stop every peer; what is stored stays')
    .action(async (options: { dir: string }, invoked: Command) => {
      const devnet = new Devnet(readLayout(options.dir), runtime);
      await devnet.down();
      await show(devnet, invoked, runtime);
    });
  withDirectory(command.command('status'))
    .description('show the peers and their processes')
    .action(async (options: { dir: string }, invoked: Command) => {
      await show(new Devnet(readLayout(options.dir), runtime), invoked, runtime);
    });
  withDirectory(command.command('stop'))
    .description('stop one peer')
    .argument('<n>', 'its number', parseNumber)
    .option('--kill', 'kill it (SIGKILL), as a power cut would')
    .action(async (n: number, options: { dir: string; kill?: true }, invoked: Command) => {
      const devnet = new Devnet(readLayout(options.dir), runtime);
      await devnet.stop(devnet.peer(n), { kill: options.kill === true });
      await show(devnet, invoked, runtime);
    });
  withDirectory(command.command('start'))
    .description('start one peer')
    .argument('<n>', 'its number', parseNumber)
    .action(async (n: number, options: { dir: string }, invoked: Command) => {
      const devnet = new Devnet(readLayout(options.dir), runtime);
      await devnet.start(devnet.peer(n));
      await show(devnet, invoked, runtime);
    });
}

function withDirectory(command: Command): Command {
  return command.option('--dir <dir>', 'the folder of the network', defaultDirectory());
}

async function openLayout({ dir, peers, tolerate, backupHosts }: UpOptions): Promise<DevnetLayout> {
  const there = readLayoutIfThere(dir);
  if (there === undefined) {
    const { provisionDevnet } = await import('../../provision.js');
    return createLayout(dir, { peers: peers ?? DEFAULT_PEERS, tolerate, backupHosts }, provisionDevnet);
  }
  if ((peers ?? there.peers.length) !== there.peers.length) {
    const has = String(there.peers.length);
    throw new StorageError(
      'ALREADY_EXISTS',
      `The devnet in ${there.directory} has ${has} peers: choose another folder with --dir for a new one.`,
    );
  }
  return there;
}

async function show(devnet: Devnet, invoked: Command, runtime: Runtime): Promise<void> {
  await using invocation = new Invocation(invoked, runtime);
  const peers = await devnet.status();
  invocation.result({ peers }, () => {
    const [first] = peers;
    const web = peers.find((peer) => peer.up && peer.web !== null)?.web ?? undefined;
    const sftp = peers.find((peer) => peer.up && peer.sftp !== null)?.sftp ?? undefined;
    const bySftp =
      sftp === undefined
        ? ''
        : `\n\nBy SFTP: sftp -P ${sftp.slice(sftp.lastIndexOf(':') + 1)} ${DEVNET_USER}@127.0.0.1`;
    const where = (web === undefined ? '' : `\n\nIn a browser: ${web}`) + bySftp;
    const hint = first?.up === true ? `\n\nTry: export SHOAL_HOME=${first.home}` : '';
    return peerTable(peers) + where + hint;
  });
}

export function peerTable(peers: readonly PeerState[]): string {
  const rows = peers.map(({ name, up, pid, address, home }) => [
    name,
    up ? 'up' : 'down',
    pid === null ? '–' : String(pid),
    address,
    home,
  ]);
  return table(['peer', '', 'process', 'address', 'home'], rows, ['left', 'left', 'right']);
}

function parsePeers(text: string): number {
  const peers = parseNumber(text);
  if (peers >= 1 && peers <= MAX_DEVNET_PEERS) return peers;
  throw new StorageError('INVALID_ARGUMENT', `A devnet has 1 to ${String(MAX_DEVNET_PEERS)} peers.`);
}

function parseNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is not a number: write it in digits.`);
}
