import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps daemons; an ordinary user's PATH lacks them. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @returns the absolute path of an installed program, undefined when it is missing */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, ...DAEMON_FOLDERS]
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Options for a test or suite that needs other programs: `describe('front', needs('nginx'), () => …)`. Without them it is
 * skipped, and `npm test` names it with the reason; with CI=true that is an error, so that nothing is skipped unseen.
 */
export function needs(...programs: readonly string[]): { skip?: string } {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return {};
  const reason = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed`;
  if (process.env['CI'] === 'true') throw new Error(`CI=true demands every program, but ${reason}.`);
  return { skip: reason };
}
