import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { Invocation } from '../invocation.js';
import { pendingLines } from '../pending-lines.js';
import type { Runtime } from '../runtime.js';
import { count } from '../units.js';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const AGE = /^([0-9]{1,5})([hdw])$/;

/** "12h", "7d", "4w". @throws StorageError INVALID_ARGUMENT */
export function parseAge(text: string): number {
  const [, number, unit = ''] = AGE.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (number === undefined || unitMs === undefined) {
    throw new StorageError('INVALID_ARGUMENT', 'An age is a number and a unit: 12h, 7d or 4w.');
  }
  return Number(number) * unitMs;
}

export function defineTrash(command: Command, runtime: Runtime): void {
  command
    .argument('<action>', 'empty: removes for ever what is in the trash')
    .option('--older-than <age>', 'only what was removed, and not touched since, so long ago: 12h, 7d, 4w')
    .addHelpText('after', '\nExamples:\n  shoal ls --deleted\n  shoal trash empty --older-than 7d\n')
    .action(async (action: string, options: { olderThan?: string }, invoked: Command) => {
      if (action !== 'empty') throw new StorageError('INVALID_ARGUMENT', `"${action}" is unknown: shoal trash empty`);
      const olderThanMs = options.olderThan === undefined ? 0 : parseAge(options.olderThan);
      await using invocation = new Invocation(invoked, runtime);
      const removed = await invocation.client.emptyTrash(olderThanMs);
      for (const line of pendingLines(removed)) invocation.note(line);
      invocation.result(removed, () => `${count(removed.files, 'file')} removed for ever`);
    });
}
