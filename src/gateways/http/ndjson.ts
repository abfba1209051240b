import { StringDecoder } from 'node:string_decoder';
import { StorageError } from '../../errors.js';

/**
 * The lines of a byte stream, without their ends; an empty line is left out, the last one may lack its end.
 *
 * @throws StorageError LIMIT_EXCEEDED for a line of more than `maxChars` characters, before more of it is held
 */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>, maxChars: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const part of bytes) {
    const lines = (rest + decoder.write(Buffer.from(part.buffer, part.byteOffset, part.byteLength))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      checkLine(line, maxChars);
      if (line !== '') yield line;
    }
    checkLine(rest, maxChars);
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}

function checkLine(line: string, maxChars: number): void {
  if (line.length > maxChars) {
    throw new StorageError('LIMIT_EXCEEDED', `A line of the reply is longer than ${String(maxChars)} characters.`);
  }
}
