import { COMMON } from './common-words.js';

/** From 0, next to nothing, to 4. */
export type Level = 0 | 1 | 2 | 3 | 4;

/** Why a passphrase is weaker than it looks. */
export type Weakness = 'empty' | 'short' | 'common' | 'repeated' | 'sequence' | 'date' | 'name' | 'more';

export interface Strength {
  readonly level: Level;
  /** An estimate, rounded, of how many guesses it takes: 2 to the power of this. */
  readonly bits: number;
  /** The first thing to mend; null for a strong one. */
  readonly weakness: Weakness | null;
}

/**
 * Whoever steals a disk guesses off line, and Argon2id as Shoal has it lets a rich attacker try some 2^33 a year per machine:
 * 2^50 hold a thousand machines for a century, 2^64 everybody.
 */
const LEVEL_BITS: readonly number[] = [28, 40, 50, 64];
/** The least that Shoal's own pages take for a new passphrase. */
export const LEAST_LEVEL: Level = 2;

const KEYBOARDS = ['qwertzuiopü', 'qwertyuiop', 'asdfghjklöä', 'yxcvbnm', 'zxcvbnm', '1234567890', 'azertyuiop'];
/** Below this, more characters are the first thing to want; above it, more words. */
const SHORT_CHARS = 14;
/** A word of a list of 7,776, as dice choose it; people choose from fewer. */
const WORD_BITS = 11;
const COMMON_BITS = 8;
const DATE_BITS = 14;
const RUN_BITS = 5;

interface Part {
  readonly chars: number;
  readonly bits: number;
  readonly weakness: Weakness | null;
}

/** How hard a passphrase is to guess, as a cautious estimate. @param known words that an attacker tries first, as the user's name */
export function strengthOf(passphrase: string, known: readonly string[] = []): Strength {
  if (passphrase === '') return { level: 0, bits: 0, weakness: 'empty' };
  const names = known.map((name) => name.trim().toLowerCase()).filter((name) => name.length >= 3);
  const parts = partsOf(passphrase, names);
  const bits = parts.reduce((sum, part) => sum + part.bits, 0);
  const level = LEVEL_BITS.filter((least) => bits >= least).length as Level;
  return { level, bits: Math.round(bits), weakness: level === 4 ? null : weaknessOf(passphrase, parts) };
}

function weaknessOf(passphrase: string, parts: readonly Part[]): Weakness {
  const [worst] = parts.filter((part) => part.weakness !== null).sort((a, b) => b.chars - a.chars);
  const isMost = worst !== undefined && worst.chars * 2 >= passphrase.length;
  if (isMost && worst.weakness !== null) return worst.weakness;
  return passphrase.length < SHORT_CHARS ? 'short' : 'more';
}

/** The passphrase cut into what an attacker would guess as a whole, from left to right, the longest first. */
function partsOf(passphrase: string, names: readonly string[]): Part[] {
  const lower = passphrase.toLowerCase();
  const pool = poolOf(passphrase);
  const parts: Part[] = [];
  const used = new Set<string>();
  for (let at = 0; at < lower.length;) {
    const rest = lower.slice(at);
    const found = repeated(rest, pool) ?? name(rest, names) ?? date(rest) ?? run(rest) ?? word(rest, used);
    const part = found ?? single(rest, pool, used);
    parts.push(part);
    at += part.chars;
  }
  return parts;
}

/** A space or a dash between words is chosen once. */
function single(rest: string, pool: number, used: Set<string>): Part {
  const char = rest.charAt(0);
  const isSeparator = /[\s._,;/-]/.test(char);
  const bits = !isSeparator ? pool : used.has(char) ? 0 : 2;
  if (isSeparator) used.add(char);
  return { chars: 1, bits, weakness: null };
}

/** Bits of one character: as many as the kinds in use have, but never more than people make of them. */
function poolOf(passphrase: string): number {
  const kinds: readonly (readonly [RegExp, number])[] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/, 33],
    [/[^\x00-\x7f]/, 100],
  ];
  const size = kinds.reduce((sum, [kind, count]) => sum + (kind.test(passphrase) ? count : 0), 0);
  return Math.min(5.5, Math.log2(Math.max(size, 2)));
}

/** "aaaa", "abcabcabc": once what is repeated, and little for how often. */
function repeated(rest: string, pool: number): Part | undefined {
  for (let length = 1; length <= 6; length++) {
    const unit = rest.slice(0, length);
    let count = 1;
    while (rest.startsWith(unit, count * length)) count++;
    const chars = count * length;
    if (chars >= Math.max(4, length * 2))
      return { chars, bits: length * pool + Math.log2(count), weakness: 'repeated' };
  }
  return undefined;
}

function name(rest: string, names: readonly string[]): Part | undefined {
  const found = names.find((known) => rest.startsWith(known));
  return found === undefined ? undefined : { chars: found.length, bits: 1, weakness: 'name' };
}

/** 1987, 24.12.1987, 1987-12-24 */
function date(rest: string): Part | undefined {
  const match = /^(\d{1,2}[./-]?\d{1,2}[./-]?(19|20)\d{2}|(19|20)\d{2}([./-]?\d{1,2}[./-]?\d{1,2})?)(?!\d)/.exec(rest);
  return match === null
    ? undefined
    : { chars: match[0].length, bits: match[0].length > 4 ? DATE_BITS : 7, weakness: 'date' };
}

/** "abcd", "4321", "qwert": neighbours in the alphabet or on a keyboard. */
function run(rest: string): Part | undefined {
  let chars = Math.max(...KEYBOARDS.flatMap((row) => [commonRun(rest, row), commonRun(rest, reversed(row))]));
  for (const step of [1, -1]) {
    let length = 1;
    while (length < rest.length && rest.charCodeAt(length) - rest.charCodeAt(length - 1) === step) length++;
    chars = Math.max(chars, length);
  }
  return chars < 4 ? undefined : { chars, bits: RUN_BITS + Math.log2(chars), weakness: 'sequence' };
}

function reversed(text: string): string {
  return text.split('').reverse().join('');
}

function commonRun(rest: string, row: string): number {
  const start = row.indexOf(rest.charAt(0));
  if (start < 0 || rest === '') return 0;
  let length = 0;
  while (length < rest.length && start + length < row.length && rest[length] === row[start + length]) length++;
  return length;
}

/** A word counts as one choice, however long; again, as next to none. */
function word(rest: string, used: Set<string>): Part | undefined {
  const letters = /^\p{L}{3,}/u.exec(unleet(rest))?.[0];
  if (letters === undefined) return undefined;
  const common = COMMON.find((known) => letters.startsWith(known));
  const found = common ?? letters;
  const bits = used.has(found) ? 1 : common !== undefined ? COMMON_BITS : wordBits(letters);
  used.add(found);
  const weakness = common !== undefined ? 'common' : bits === 1 ? 'repeated' : null;
  return { chars: found.length, bits, weakness };
}

/** What no dictionary has counts letter by letter, at a rate that lets "correct" and "xqzjvkw" both be what they are. */
function wordBits(letters: string): number {
  const vowels = letters.match(/[aeiouyäöüáéíóú]/gu)?.length ?? 0;
  const share = vowels / letters.length;
  const isSpeakable = share >= 0.2 && share <= 0.7;
  return isSpeakable
    ? Math.min(WORD_BITS + Math.max(0, letters.length - 10), letters.length * 2.5)
    : letters.length * 4;
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  $: 's',
  '@': 'a',
  '!': 'i',
};

function unleet(text: string): string {
  return text.replace(/[013457$@!]/g, (char) => LEET[char] ?? char);
}
