import { readFile, writeFile } from 'node:fs/promises';
import { StorageError, wrapError } from '../../src/errors.js';
import type { Sheet } from './sheets.js';

/** Everything between the two is the benchmark's; the rest of the file is its author's. */
export const BEGIN = '<!-- bench: results begin -->';
export const END = '<!-- bench: results end -->';

/** @returns the text with another section; undefined where the two comments are not there, once each and in order */
export function replaceSection(text: string, section: string): string | undefined {
  const [before, middle, ...more] = text.split(BEGIN);
  const [, after, ...others] = (middle ?? '').split(END);
  if (before === undefined || after === undefined || more.length > 0 || others.length > 0) return undefined;
  return `${before}${BEGIN}\n\n${section.trim()}\n\n${END}${after}`;
}

/** @throws StorageError INVALID_ARGUMENT where `writeSection` would: better before the measurement than after it */
export async function checkMarkdown(path: string): Promise<void> {
  await withSection(path, '');
}

export async function writeSection(path: string, section: string): Promise<void> {
  const text = await withSection(path, section);
  try {
    await writeFile(path, text);
  } catch (error) {
    throw wrapError(error, `Writing ${path}`);
  }
}

/** A file that is not there yet gets the section alone. */
async function withSection(path: string, section: string): Promise<string> {
  const replaced = replaceSection(await readIfThere(path), section);
  if (replaced !== undefined) return replaced;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `${path} needs one line ${BEGIN} and after it one line ${END}: the tables go between them.`,
  );
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const wrapped = wrapError(error, `Reading ${path}`);
    if (wrapped.code === 'NOT_FOUND') return `${BEGIN}\n${END}\n`;
    throw wrapped;
  }
}

export function drawMarkdown(sheet: Sheet): string {
  const { heading, rows, align } = sheet;
  const lines = [heading, ...rows].map((cells) => cells.map(escape));
  const widths = heading.map((_, column) => Math.max(3, ...lines.map((cells) => cells[column]?.length ?? 0)));
  const draw = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return align[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = draw(
    widths.map((width, column) => (align[column] === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  );
  const [head = [], ...body] = lines;
  return [`**${sheet.title}**`, '', draw(head), rule, ...body.map(draw)].join('\n');
}

function escape(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
