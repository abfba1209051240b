/** C (control, format, surrogate, unassigned), and the separators that break a line; U+0020 is Zs and stays. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A name as a terminal may show it: nothing in it can move the cursor, colour the screen or reverse the text. */
export function printable(name: string): string {
  return name.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
