import { MAX_SFTP_PACKET_BYTES } from '../../limits.js';
import { BadPacket } from './field-reader.js';

const LENGTH_BYTES = 4;

/**
 * The packets of a channel, without their lengths. Each has memory of its own, so that what is written may be kept.
 *
 * @throws BadPacket for one that is empty or too long, or when the channel ends within one
 */
export async function* readPackets(channel: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(LENGTH_BYTES);
  let headBytes = 0;
  let packet: Buffer | undefined;
  let filled = 0;
  for await (const part of channel) {
    let rest = part as Buffer;
    while (rest.length > 0) {
      if (packet === undefined) {
        const taken = rest.copy(head, headBytes);
        headBytes += taken;
        rest = rest.subarray(taken);
        if (headBytes < LENGTH_BYTES) continue;
        packet = Buffer.allocUnsafe(checked(head.readUInt32BE()));
        filled = 0;
      }
      const taken = rest.copy(packet, filled);
      filled += taken;
      rest = rest.subarray(taken);
      if (filled < packet.length) continue;
      const whole = packet;
      packet = undefined;
      headBytes = 0;
      yield whole;
    }
  }
  if (packet !== undefined || headBytes > 0) throw new BadPacket('A packet was cut off.');
}

function checked(bytes: number): number {
  if (bytes > 0 && bytes <= MAX_SFTP_PACKET_BYTES) return bytes;
  throw new BadPacket(`A packet of ${String(bytes)} bytes is not taken.`);
}
