// @ts-check
/** src/limits.ts → docs/limits.md: every bound with its value and the reason beside it. `--check` fails when it is stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const source = new URL('../src/limits.ts', import.meta.url);
const page = fileURLToPath(new URL('../docs/limits.md', import.meta.url));

const HEAD = `# Limits

Every bound in Shoal, from \`src/limits.ts\`, with its unit and its reason. Written by \`npm run generate\`; \`npm run check\`
fails when this page is stale, and a test holds names and values to the code.
`;

/** @param {number} value @param {readonly (readonly [size: number, unit: string])[]} units largest first */
function inUnits(value, units) {
  const [size, unit] = units.find(([size]) => value >= size && value % size === 0) ?? [1, ''];
  return `${String(value / size)} ${unit}`.trimEnd();
}

/** @type {readonly (readonly [number, string])[]} */
const BYTES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'bytes'],
];
/** @type {readonly (readonly [number, string])[]} */
const TIMES = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
  [1, 'ms'],
];

/** @param {string} name @param {unknown} value a number or a list of them @returns {string} */
function readable(name, value) {
  if (Array.isArray(value)) return value.map((item) => readable(name, item)).join(', ');
  if (typeof value !== 'number') throw new Error(`src/limits.ts: ${name} is not a number`);
  if (name.endsWith('_BYTES')) return inUnits(value, BYTES);
  if (name.endsWith('_KIB')) return inUnits(value * 1024, BYTES);
  if (name.endsWith('_MS')) return inUnits(value, TIMES);
  return String(value);
}

/** @param {string} text a comment with its delimiters */
function words(text) {
  return text
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('|', '\\|');
}

/** @returns {Promise<string>} */
async function render() {
  const text = readFileSync(source, 'utf8');
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.ESNext } });
  /** @type {unknown} */
  const module = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
  /** @type {Map<string, unknown>} */
  const values = new Map(Object.entries(module ?? {}));
  const lines = [HEAD];
  const parts =
    /^\/\/ --- (?<title>.*?) -+$|(?:(?<comment>\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n)?export const (?<name>\w+)/gm;
  for (const { groups = {} } of text.matchAll(parts)) {
    const { title, comment, name = '' } = groups;
    if (title !== undefined) {
      const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
      lines.push(`\n## ${heading}\n\n| name | value | reason |\n|---|---|---|\n`);
    } else {
      const reason = comment === undefined ? 'as above' : words(comment);
      lines.push(`| \`${name}\` | ${readable(name, values.get(name))} | ${reason} |\n`);
    }
  }
  return lines.join('');
}

const fresh = await render();
if (process.argv.includes('--check')) {
  let committed = '';
  try {
    committed = readFileSync(page, 'utf8');
  } catch {
    // A missing page is a stale one.
  }
  if (committed !== fresh) {
    console.error('docs/limits.md is stale: run npm run generate and commit the result.');
    process.exitCode = 1;
  }
} else writeFileSync(page, fresh);
