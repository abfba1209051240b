/** Of a list of 2,048 words: 11 bits each, 66 together. */
const WORDS = 6;

/** Words by chance, from the list that recovery kits use. The list is loaded when somebody asks. */
export async function suggestPassphrase(): Promise<string> {
  const { wordlist } = await import('@scure/bip39/wordlists/english.js');
  // 2,048 divides 2^32: no word is likelier than another.
  const numbers = crypto.getRandomValues(new Uint32Array(WORDS));
  return Array.from(numbers, (number) => wordlist[number % wordlist.length] ?? '').join(' ');
}
