import type { KitReply } from '../gateways/http/user-api.js';
import { printable } from './printable.js';
import { formatTime } from './units.js';

/** Columns of the page: every printer has as many in its own font. */
const WIDTH = 80;
const COLUMNS = 4;
const RULE = '='.repeat(WIDTH);

/** A user id as people compare it: the first 16 of its 32 bytes, in groups. */
export function fingerprint(id: string): string {
  return (id.slice(0, 32).match(/.{4}/g) ?? []).join(' ');
}

const LABEL_WIDTH = 16;

/** A name as the page has room for it. */
function cut(name: string): string {
  const shown = printable(name);
  const room = WIDTH - LABEL_WIDTH;
  return shown.length <= room ? shown : `${shown.slice(0, room - 3)}...`;
}

/** A command to type; a name that would break the line is not spelt out. */
function command(words: string, name: string): string {
  const line = `      ${words} ${printable(name)}`;
  return line.length <= WIDTH ? line : `      ${words} NAME`;
}

/** Column by column, as one reads a list. */
function wordRows(words: readonly string[]): string[] {
  const rows = Math.ceil(words.length / COLUMNS);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: COLUMNS }, (_unused, column) => {
      const index = column * rows + row;
      const word = words[index];
      return word === undefined ? '' : `${String(index + 1).padStart(4)}. ${word}`.padEnd(WIDTH / COLUMNS);
    })
      .join('')
      .trimEnd(),
  );
}

/** A recovery kit to be printed: plain text, at most 80 columns. */
export function kitPage({ user, words, network, created }: KitReply): string {
  return `${RULE}
  SHOAL RECOVERY KIT
${RULE}

  User          ${cut(user.name)}
  Fingerprint   ${fingerprint(user.id)}
  Network       ${cut(network)}
  Made          ${formatTime(created)}

  These words open all files of this user, without the passphrase:

${wordRows(words)
  .map((row) => `  ${row}`)
  .join('\n')}

  What it is for: when the passphrase is forgotten, at any peer of the network,

${command('shoal user recover', user.name)}

  asks for the words in their order and for a new passphrase.

  Keep this page on paper, where you keep what must not be lost or seen. Whoever
  reads it can read your files. A newer kit, or new keys, make it worthless:
  destroy it then. If somebody may have read it, make new keys at once:

${command('shoal user keys rotate', user.name)}
${RULE}
`;
}
