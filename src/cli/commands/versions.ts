import type { Command } from 'commander';
import { Invocation } from '../invocation.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { formatBytes, formatTime } from '../units.js';

export function defineVersions(command: Command, runtime: Runtime): void {
  command
    .argument('<path>', 'a remote file')
    .addHelpText('after', '\nExamples:\n  shoal versions /notes.txt\n  shoal get /notes.txt old.txt --version ID\n')
    .action(async (text: string, _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const versions = await invocation.client.versions(parseRemotePath(text).path);
      invocation.result(versions, () =>
        table(
          ['version', 'bytes', 'modified', 'stored', ''],
          versions.map(({ version, bytes, modified, created, current }) => [
            version,
            formatBytes(bytes),
            formatTime(modified),
            formatTime(created),
            current ? 'current' : '',
          ]),
          ['left', 'right'],
        ),
      );
    });
}
