import { basename, join } from 'node:path';
import type { Command } from '../measure/command.js';
import type { OtherSystem, Place } from './other-system.js';
import type { SshServer } from './ssh-server.js';

/** Plain scp: one copy on one server, nothing encrypted there. */
export const scp: OtherSystem = {
  system: 'scp',
  needs: ['scp', 'sshd', 'ssh', 'ssh-keygen'],
  prepare: () => [],
  put: (place, ssh) => command(place, ssh, [place.original.path, `bench:${place.folder}/`]),
  get: (place, ssh, copy) => command(place, ssh, [`bench:${found(place, place.folder)}`, `${copy}/`]),
  found,
};

function found({ original }: Place, folder: string): string {
  return join(folder, basename(original.path));
}

function command({ original, timeoutMs }: Place, ssh: SshServer, paths: readonly string[]): Command {
  const recursive = original.files > 1 ? ['-r'] : [];
  return { file: 'scp', args: ['-q', '-F', ssh.clientConfig, ...recursive, ...paths], timeoutMs };
}
