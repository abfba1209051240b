import { join } from 'node:path';
import type { Command } from '../measure/command.js';
import type { OtherSystem, Place } from './other-system.js';
import type { SshServer } from './ssh-server.js';

/** The repository's; it guards random bytes for a minute. */
const PASSWORD = 'bench';

/** restic over SFTP: encrypted, deduplicated, on one server. Its cache is new, as on a machine that has just been set up. */
export const restic: OtherSystem = {
  system: 'restic',
  needs: ['restic', 'sshd', 'ssh', 'ssh-keygen'],
  prepare: (place, ssh) => [command(place, ssh, ['init'])],
  put: (place, ssh) => command(place, ssh, ['backup', place.original.path]),
  get: (place, ssh, copy) => command(place, ssh, ['restore', 'latest', '--target', copy]),
  // It restores the whole path below its target.
  found: (place, copy) => join(copy, place.original.path),
};

function command({ folder, scratch, timeoutMs }: Place, ssh: SshServer, words: readonly string[]): Command {
  const repository = `sftp:bench:${join(folder, 'repository')}`;
  const channel = `sftp.command=ssh -F ${ssh.clientConfig} bench -s sftp`;
  return {
    file: 'restic',
    args: ['--repo', repository, '--option', channel, ...words],
    env: { RESTIC_PASSWORD: PASSWORD, RESTIC_CACHE_DIR: scratch },
    timeoutMs,
  };
}
