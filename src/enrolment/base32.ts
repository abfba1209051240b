/** RFC 4648 section 6, in lower case and without padding: read aloud, typed, and one case of a QR code's letters. */
const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';
const DIGIT_BITS = 5;

export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let bits = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= DIGIT_BITS; bits -= DIGIT_BITS) text += DIGITS.charAt((pending >> (bits - DIGIT_BITS)) & 31);
  }
  return bits === 0 ? text : text + DIGITS.charAt((pending << (DIGIT_BITS - bits)) & 31);
}

/** In either case. @returns undefined for other characters, and for a length or last bits that no bytes give */
export function fromBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let pending = 0;
  let bits = 0;
  for (const character of text.toLowerCase()) {
    const digit = DIGITS.indexOf(character);
    if (digit < 0) return undefined;
    pending = ((pending << DIGIT_BITS) | digit) & 0xfff;
    bits += DIGIT_BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((pending >> bits) & 0xff);
  }
  const isWhole = bits < DIGIT_BITS && (pending & ((1 << bits) - 1)) === 0;
  return isWhole ? Uint8Array.from(bytes) : undefined;
}
