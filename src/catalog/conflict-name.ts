import { MAX_NAME_BYTES } from '../limits.js';

/** Of the node's id: enough that two copies of one name differ. */
const ID_DIGITS = 8;

function cut(text: string, maxBytes: number): string {
  let out = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    out += character;
  }
  return out;
}

/** "cat.jpg" → "cat (conflict 1f2e3d4c).jpg": the same on every peer, and the program for ".jpg" still opens it. */
export function conflictName(name: string, id: string): string {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  const mark = ` (conflict ${id.slice(0, ID_DIGITS)})`;
  const fits = Buffer.byteLength(extension) + mark.length < MAX_NAME_BYTES;
  const end = fits ? mark + extension : mark;
  const stem = fits ? name.slice(0, name.length - extension.length) : name;
  return cut(stem, MAX_NAME_BYTES - Buffer.byteLength(end)) + end;
}
