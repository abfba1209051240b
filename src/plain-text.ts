/**
 * Control and format characters, halves of a surrogate pair, and the separators that break a line. Format characters (Cf)
 * show nothing, or turn the order of the text that follows: a name with one may look like another name, or like an answer.
 */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Whether a name is what people see of it. */
export function isPlainText(text: string): boolean {
  return !UNFIT.test(text);
}
