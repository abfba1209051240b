import type pc from 'picocolors';
import { printable } from '../printable.js';
import { count } from '../units.js';
import type { Finding, Level } from './finding.js';

type Colors = ReturnType<typeof pc.createColors>;

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'warning', problem: 'PROBLEM', unknown: '?' };
const MARK_CHARS = 7;
const GAP_CHARS = 2;

/** A line for each finding, and below it what to do. */
export function reportText(findings: readonly Finding[], colors: Colors): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const paint: Readonly<Record<Level, (text: string) => string>> = {
    ok: colors.green,
    warning: colors.yellow,
    problem: colors.red,
    unknown: colors.dim,
  };
  const lines = findings.flatMap(({ check, level, found, remedy }) => {
    const mark = paint[level](MARKS[level].padEnd(MARK_CHARS));
    const line = [mark, check.padEnd(width), printable(found)].join(' '.repeat(GAP_CHARS));
    return remedy === null ? [line] : [line, `${' '.repeat(MARK_CHARS + width + 2 * GAP_CHARS)}→ ${printable(remedy)}`];
  });
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const amount = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [amount('problem'), amount('warning')];
  if (problems === 0 && warnings === 0) return 'Nothing is wrong.';
  return `${count(problems, 'problem')}, ${count(warnings, 'warning')}.`;
}
