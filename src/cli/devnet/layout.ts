import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { StorageError, wrapError } from '../../errors.js';
import { chooseFreePorts } from './ports.js';

/** The user that every peer of a devnet knows. */
export const DEVNET_USER = 'demo';
export const DEFAULT_PEERS = 6;
/** As many as one machine can run without fuss, and a typing error cannot take it down. */
export const MAX_DEVNET_PEERS = 64;

export interface DevnetPeer {
  /** From 1. */
  readonly n: number;
  readonly id: string;
  readonly name: string;
  readonly home: string;
  /** "127.0.0.1:20017". */
  readonly address: string;
  /** Of its web UI, "http://127.0.0.1:20018"; null: it has none. */
  readonly web: string | null;
  /** Of its SFTP, "127.0.0.1:20019"; null: it has none. */
  readonly sftp: string | null;
}

/** What `devnet.json` says: made once, never changed. */
export interface DevnetLayout {
  readonly directory: string;
  readonly peers: readonly DevnetPeer[];
}

export interface ProvisionRequest {
  readonly dir: string;
  readonly peers: readonly {
    readonly n: number;
    readonly port: number;
    readonly zone: string;
    readonly name: string;
    readonly webPort?: number;
    readonly sftpPort?: number;
  }[];
  readonly tolerate?: number;
  readonly backupHosts?: number;
  readonly passphrase: string;
}

/** Makes the network authority, the homes `<dir>/peer-<n>` and the user `demo` at each; src/provision.ts has it. */
export type Provision = (
  request: ProvisionRequest,
) => Promise<{ readonly peers: readonly Omit<DevnetPeer, 'name' | 'web' | 'sftp'>[] }>;

const FILE = 'devnet.json';

/** Its own folder in the user's home: found again from any working folder, and never swept away with the temporary files. */
export function defaultDirectory(): string {
  return join(homedir(), '.shoal-devnet');
}

/** @throws StorageError NOT_FOUND where no devnet was made */
export function readLayout(directory: string): DevnetLayout {
  const layout = readLayoutIfThere(directory);
  if (layout !== undefined) return layout;
  throw new StorageError(
    'NOT_FOUND',
    `There is no devnet in ${resolve(directory)}: make one with \`shoal devnet up\`, or name its folder with --dir.`,
  );
}

export function readLayoutIfThere(directory: string): DevnetLayout | undefined {
  const path = join(resolve(directory), FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw wrapError(error, `Reading ${path}`);
  }
  const peers = parsePeers(text);
  if (peers === undefined)
    throw new StorageError('CORRUPT', `${path} is damaged: remove the folder and make the devnet again.`);
  return { directory: resolve(directory), peers };
}

export interface DevnetOptions {
  readonly peers: number;
  readonly tolerate?: number | undefined;
  readonly backupHosts?: number | undefined;
}

/** Makes the homes; `devnet.json` comes last, so that a folder without it is no devnet. */
export async function createLayout(
  directory: string,
  options: DevnetOptions,
  provision: Provision,
): Promise<DevnetLayout> {
  const dir = resolve(directory);
  claimEmptyFolder(dir);
  try {
    const [webPort = 0, sftpPort = 0, ...ports] = await chooseFreePorts(options.peers + 2);
    const passphrase = randomBytes(24).toString('base64url');
    const wanted = ports.map((port, index) => ({
      ...{ n: index + 1, port, ...namesOf(index + 1) },
      ...(index === 0 && { webPort, sftpPort }),
    }));
    const { tolerate, backupHosts } = options;
    const policy = { ...(tolerate !== undefined && { tolerate }), ...(backupHosts !== undefined && { backupHosts }) };
    const made = await provision({ dir, peers: wanted, passphrase, ...policy });
    for (const { home } of made.peers) writeFileSync(passphraseFile(home), `${passphrase}\n`, { mode: 0o600 });
    const web = `http://127.0.0.1:${String(webPort)}`;
    const peers = made.peers.map(({ n, id, home, address }, index) => ({
      ...{ n, id, name: namesOf(n).name, home, address },
      web: index === 0 ? web : null,
      sftp: index === 0 ? `127.0.0.1:${String(sftpPort)}` : null,
    }));
    writeFileSync(join(dir, `${FILE}.new`), `${JSON.stringify({ version: 1, peers }, undefined, 2)}\n`);
    renameSync(join(dir, `${FILE}.new`), join(dir, FILE));
    return { directory: dir, peers };
  } catch (error) {
    for (const entry of readdirSync(dir)) rmSync(join(dir, entry), { recursive: true, force: true }); // it was empty
    throw wrapError(error, `Making the devnet in ${dir}`);
  }
}

export function passphraseFile(home: string): string {
  return join(home, `${DEVNET_USER}.passphrase`);
}

/** Each peer a zone of its own: on one machine there is nothing else to spread over. */
function namesOf(n: number): { readonly name: string; readonly zone: string } {
  return { name: `peer-${String(n)}`, zone: `zone-${String(n)}` };
}

function claimEmptyFolder(dir: string): void {
  let entries: string[];
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    entries = readdirSync(dir);
  } catch (error) {
    throw wrapError(error, `Making ${dir}`);
  }
  if (entries.length > 0) {
    throw new StorageError(
      'ALREADY_EXISTS',
      `${dir} is not empty and holds no devnet: choose another folder with --dir.`,
    );
  }
}

function parsePeers(text: string): DevnetPeer[] | undefined {
  try {
    const { version, peers } = JSON.parse(text) as { version?: unknown; peers?: unknown };
    if (version !== 1 || !Array.isArray(peers) || !peers.every(isPeer)) return undefined;
    // Devnets of before had no web UI, and no SFTP.
    return peers.map((peer) => ({ ...peer, web: peer.web ?? null, sftp: peer.sftp ?? null }));
  } catch {
    return undefined;
  }
}

function isPeer(value: unknown): value is Omit<DevnetPeer, 'web' | 'sftp'> & Partial<Pick<DevnetPeer, 'web' | 'sftp'>> {
  if (typeof value !== 'object' || value === null) return false;
  const { n, id, name, home, address, web, sftp } = value as Record<keyof DevnetPeer, unknown>;
  const isOptional = [web, sftp].every((each) => each === undefined || each === null || typeof each === 'string');
  return isOptional && Number.isInteger(n) && [id, name, home, address].every((text) => typeof text === 'string');
}
