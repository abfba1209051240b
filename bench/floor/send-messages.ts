import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes the same message again and again, as fast as the stream takes it. Does not end the stream. */
export async function sendMessages(stream: Writable, message: Buffer, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) if (!stream.write(message)) await once(stream, 'drain');
}
