import { makeEmptyFiles } from '../material.js';
import { runCommand } from '../measure/command.js';
import type { BenchNetwork } from '../network.js';
import type { Findings, Stage } from '../phases/stage.js';
import { timeoutFor } from '../phases/work.js';
import { missingPrograms } from '../others/programs.js';
import { SshServer } from '../others/ssh-server.js';
import { HttpGateway } from './http.js';
import { SftpClient, shoalSftp } from './sftp.js';

/** Entries of the folder that every gateway lists. */
export const LISTED_ENTRIES = 10_000;
const LISTED = 'listed';

export interface Listing {
  readonly system: 'shoal-http' | 'shoal-sftp' | 'sftp';
  /** What was asked for. */
  readonly what: string;
  readonly entries: number;
  /** Median. */
  readonly ms: number;
}

/** The big file and a long folder through the ways by which other programs reach a peer, and by plain OpenSSH to a folder. */
export async function measureGateways(stage: Stage, network: BenchNetwork, findings: Findings): Promise<void> {
  const { parts } = stage.options;
  const folder = stage.workshop.path(LISTED);
  await makeEmptyFiles(folder, LISTED_ENTRIES, stage.signal);
  await runCommand(network.command(['put', folder, '/'], timeoutFor(0, LISTED_ENTRIES)), stage.signal);
  const original = await stage.bigFile();
  if (parts.has('http') && isInstalled(findings, 'http', 'curl')) {
    stage.say('the big file and a folder of 10,000 over the HTTP API');
    const gateway = await HttpGateway.open(stage, network);
    findings.works.push(...(await gateway.putAndGet(original)));
    findings.listings.push(...(await gateway.list(`/${LISTED}`, LISTED_ENTRIES)));
  }
  if (parts.has('sftp') && isInstalled(findings, 'sftp', 'sftp', 'sshd', 'ssh', 'ssh-keygen')) {
    stage.say('the same over SFTP, by OpenSSH');
    const client = await shoalSftp(stage, network);
    findings.works.push(...(await client.putAndGet(original, '/over-sftp')));
    findings.listings.push(await client.list(`/${LISTED}`, LISTED_ENTRIES));
    stage.say('the same by OpenSSH, to a folder');
    await measurePlain(stage, findings, folder);
  }
}

/** An OpenSSH server over a folder of the same disk, without Shoal. */
async function measurePlain(stage: Stage, findings: Findings, listed: string): Promise<void> {
  await using ssh = await SshServer.open(stage.workshop.path('plain-ssh'), stage.signal);
  const client = new SftpClient(stage, {
    system: 'sftp',
    config: ssh.clientConfig,
    cpuSeconds: () => ssh.cpuSeconds(),
    ended: () => ssh.sessionsEnded(),
  });
  await ssh.sessionsEnded();
  const place = stage.workshop.path('plain-copy');
  findings.works.push(...(await client.putAndGet(await stage.bigFile(), place)));
  findings.listings.push(await client.list(listed, LISTED_ENTRIES));
}

function isInstalled({ skipped }: Findings, part: string, ...programs: readonly string[]): boolean {
  const missing = missingPrograms(...programs);
  if (missing.length > 0) skipped.push(`${part}: not measured, because ${missing.join(', ')} is not installed.`);
  return missing.length === 0;
}
