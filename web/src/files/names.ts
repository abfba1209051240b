import { STRINGS } from '../strings.js';

/** Of UTF-8, as every common file system has it (MAX_NAME_BYTES). */
const MAX_NAME_BYTES = 255;
/** C0, DEL, C1, line separators; halves of surrogate pairs. The peer refuses them. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const LONE_SURROGATE = /\p{Cs}/u;
/** Change the direction of what follows: "photo\u202Egpj.exe" looks like "photoexe.jpg" (CVE-2021-42574). */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What is wrong with a name that somebody has typed; empty when nothing is. */
export function faultOfName(name: string): string {
  if (name.trim() === '') return STRINGS.names.empty;
  if (name === '.' || name === '..') return STRINGS.names.dots;
  if (name.includes('/')) return STRINGS.names.slash;
  if (CONTROL.test(name) || LONE_SURROGATE.test(name)) return STRINGS.names.control;
  if (new TextEncoder().encode(name.normalize('NFC')).length > MAX_NAME_BYTES) return STRINGS.names.long;
  return '';
}

/** A name as it is shown: characters that turn the direction of text are made visible instead of obeyed. */
export function shownName(name: string): string {
  return name.replace(DIRECTION, '\u{fffd}');
}

/** Where the name ends that a person would change, before the ending: "cat.jpg" → 3. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? name.length : dot;
}
