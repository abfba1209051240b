import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The checkout, wherever this file was compiled to inside it. */
export const REPOSITORY = findRoot();

/** @returns the rows of every table in a Markdown page, each as its cells without surrounding spaces and backticks */
export function tableRows(page: string): readonly (readonly string[])[] {
  return readFileSync(join(REPOSITORY, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s:|-]+\|$/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')));
}
