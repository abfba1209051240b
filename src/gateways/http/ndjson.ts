import { StringDecoder } from 'node:string_decoder';
import { StorageError } from '../../errors.js';

/**
 * The lines of a byte stream, without their ends; an empty line is left out, the last one may lack its end. Of a line of more
 * than `maxChars` characters no more than that is held, and undefined stands for it.
 */
export async function* linesWithin(
  bytes: AsyncIterable<Uint8Array>,
  maxChars: number,
): AsyncGenerator<string | undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  /** The line that `rest` is the end of was too long, and was told of. */
  let skipping = false;
  for await (const part of bytes) {
    const lines = (rest + decoder.write(Buffer.from(part.buffer, part.byteOffset, part.byteLength))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!skipping && line !== '') yield line.length > maxChars ? undefined : line;
      skipping = false;
    }
    if (!skipping && rest.length > maxChars) yield undefined;
    skipping ||= rest.length > maxChars;
    if (skipping) rest = '';
  }
  rest += decoder.end();
  if (!skipping && rest !== '') yield rest.length > maxChars ? undefined : rest;
}

/** As linesWithin. @throws StorageError LIMIT_EXCEEDED for a line that is too long, before more of it is held */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>, maxChars: number): AsyncGenerator<string> {
  for await (const line of linesWithin(bytes, maxChars)) {
    if (line !== undefined) yield line;
    else throw new StorageError('LIMIT_EXCEEDED', `A line of the reply is longer than ${String(maxChars)} characters.`);
  }
}
