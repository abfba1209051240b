import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, told apart from a later one to which the system gave the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in whatever form the system has; equal texts mean the same process. */
  readonly started: string;
}

/** undefined when there is no such process, or only its exit code is left of it. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedByProc(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.started === identity.started;
}

/** proc(5): after the command's name, which is in parentheses and may hold any character, the fields are numbers. */
function startedByProc(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch {
    return undefined; // gone
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields; // field 3
  const started = fields[22 - 3]; // starttime, field 22, in clock ticks since boot
  return state === 'Z' || state === 'X' ? undefined : started;
}

function startedByPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim() === '' ? undefined : text.trim();
  } catch {
    return undefined; // ps fails when there is none
  }
}
