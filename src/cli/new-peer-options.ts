import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { Config } from '../config.js';
import { MAX_COMMON_NAME_CHARS } from '../crypto/certificate-request.js';
import type { NewPeer } from '../enrolment/new-peer.js';
import { demandName } from '../enrolment/peer-name.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { homeOf } from './invocation.js';
import type { Runtime } from './runtime.js';
import { parseBytes } from './quantities.js';

/** What `network create` and `peer join` ask about the new peer. */
export interface NewPeerOptions {
  readonly listen?: string;
  readonly address?: string;
  readonly zone?: string;
  readonly capacity?: number;
}

export function addNewPeerOptions(command: Command): Command {
  return command
    .option('--listen <host:port>', 'where this peer listens (default: as in the home, or 127.0.0.1:8485)')
    .option('--address <host:port>', 'where other peers reach it, if not there')
    .option('--zone <name>', 'what fails together with it: a flat, a rack, a site')
    .option('--capacity <size>', 'room that it gives: 500GB, 2TB (default: what its disk has)', parseBytes);
}

export interface PeerDraft {
  readonly home: string;
  readonly options: NewPeerOptions;
  readonly name: string | undefined;
  readonly backup: boolean;
  readonly env: Runtime['env'];
  /** What the peer said of itself when it was a member before. */
  readonly former?: PeerProfile | undefined;
}

/** Flags before environment before what the home says before what the peer was before. */
export async function newPeerOf({ home, options, name, backup, env, former }: PeerDraft): Promise<NewPeer> {
  // Only whoever makes a peer waits for these to be loaded.
  const { readConfig } = await import('../config.js');
  const { demandAdvertisable } = await import('../enrolment/client.js');
  const config = readConfig({ home, listen: options.listen }, env);
  const address = options.address ?? config.address ?? config.listen;
  demandAdvertisable(address);
  const label = name ?? former?.name ?? hostname().slice(0, MAX_COMMON_NAME_CHARS);
  demandName(label);
  return {
    listen: config.listen,
    address,
    name: label,
    zone: options.zone ?? former?.zone ?? '',
    backup: backup || former?.backup === true,
    capacityBytes: options.capacity ?? former?.capacityBytes ?? (await room(config)),
  };
}

async function room({ home, capacityBytes, reserveBytes }: Config): Promise<number> {
  const { roomIn } = await import('../enrolment/new-peer.js');
  return capacityBytes ?? (await roomIn(home, reserveBytes));
}

/** Said where it matters: a peer that only its own machine reaches is no use to others. */
export function loopbackNote(address: string): string | undefined {
  if (!/^(127\.|\[::1\]|localhost)/.test(address)) return undefined;
  return `Only this machine reaches ${address}. For peers on others: --listen 0.0.0.0:8485 --address HOST:8485.`;
}

/** What starts the peer of this home. */
export function serveCommand(home: string): string {
  return home === homeOf({}, {}) ? 'shoal serve' : `shoal serve --home ${home}`;
}
