import { MAX_NAME_BYTES } from '../../limits.js';

/** Of a peer without a name: the beginning of its id. */
const ID_DIGITS = 8;
/** The last moment that has a date of ten characters. */
const MAX_DATE_MS = Date.UTC(9999, 11, 31);

/** What the losing side of a conflict says about itself. */
export interface ConflictOrigin {
  /** Its writer's clock; only for people. */
  readonly changedMs: number;
  readonly peer: string;
  /** May be empty. */
  readonly peerName: string;
}

/** As many whole characters as fit. */
export function cut(text: string, maxBytes: number): string {
  let out = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    out += character;
  }
  return out;
}

/** "cat.jpg" and " (2)" → "cat (2).jpg": the program for ".jpg" still opens it. Cut so that it stays a name. */
export function markName(name: string, mark: string): string {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  const fits = Buffer.byteLength(extension) + Buffer.byteLength(mark) < MAX_NAME_BYTES;
  const end = fits ? mark + extension : mark;
  const stem = fits ? name.slice(0, name.length - extension.length) : name;
  return cut(stem, MAX_NAME_BYTES - Buffer.byteLength(end)) + end;
}

/** UTC: the same on every peer. */
function dateOf(ms: number): string {
  return new Date(Math.min(ms, MAX_DATE_MS)).toISOString().slice(0, 10);
}

/** A peer's name is any text that its owner chose: what would be a path or break a terminal's line is left out. */
function speakable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cs}\u2028\u2029/]/gu, '').normalize('NFC');
}

/**
 * "cat.jpg" → "cat (conflict 2026-11-22 attic).jpg"; a function of what the documents say, so the same on every peer.
 *
 * @param number from 1; from 2 on it is part of the name
 */
export function conflictName(name: string, { changedMs, peer, peerName }: ConflictOrigin, number: number): string {
  const who = speakable(peerName) || peer.slice(0, ID_DIGITS);
  return markName(name, ` (conflict ${dateOf(changedMs)} ${who}${number > 1 ? ` ${String(number)}` : ''})`);
}
