/**
 * A film that a browser can seek in, made in that browser: Debian has no small program for it. VP8 frames by WebCodecs, in a
 * WebM file (Matroska, RFC 9559) with an index at its end, as cameras write it.
 */
import type { Page } from 'playwright-core';

/** One second each. */
const FRAMES = 40;
const WIDTH = 640;
const HEIGHT = 360;

/** Pictures of noise, each a key frame of its own: large, so that a player does not fetch the whole film at once. */
const ENCODE = `(async () => {
  const frames = [];
  const encoder = new VideoEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      let text = '';
      for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
      frames.push(btoa(text));
    },
    error: (error) => { throw error; },
  });
  encoder.configure({ codec: 'vp8', width: ${String(WIDTH)}, height: ${String(HEIGHT)}, bitrate: 20_000_000, framerate: 1 });
  const pixels = new Uint8Array(${String(WIDTH * HEIGHT * 4)});
  for (let second = 0; second < ${String(FRAMES)}; second += 1) {
    for (let at = 0; at < pixels.length; at += 65536) crypto.getRandomValues(pixels.subarray(at, at + 65536));
    const init = { format: 'RGBX', codedWidth: ${String(WIDTH)}, codedHeight: ${String(HEIGHT)}, timestamp: second * 1e6 };
    const frame = new VideoFrame(pixels, init);
    encoder.encode(frame, { keyFrame: true });
    frame.close();
  }
  await encoder.flush();
  return frames;
})()`;

export async function makeFilm(page: Page): Promise<Buffer> {
  const frames = await page.evaluate<string[]>(ENCODE);
  return webm(frames.map((frame) => Buffer.from(frame, 'base64')));
}

function webm(frames: readonly Buffer[]): Buffer {
  const header = element(
    0x1a45dfa3,
    element(0x4286, number(1)),
    element(0x42f7, number(1)),
    element(0x42f2, number(4)),
    element(0x42f3, number(8)),
    element(0x4282, Buffer.from('webm')),
    element(0x4287, number(2)),
    element(0x4285, number(2)),
  );
  const info = element(
    0x1549a966,
    element(0x2ad7b1, number(1_000_000)),
    element(0x4489, double(frames.length * 1000)),
    element(0x4d80, Buffer.from('test')),
    element(0x5741, Buffer.from('test')),
  );
  const video = element(0xe0, element(0xb0, number(WIDTH)), element(0xba, number(HEIGHT)));
  const track = [element(0xd7, number(1)), element(0x73c5, number(1)), element(0x83, number(1))];
  const tracks = element(0x1654ae6b, element(0xae, ...track, element(0x86, Buffer.from('V_VP8')), video));
  const clusters = frames.map((frame, second) => {
    const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), frame]);
    return element(0x1f43b675, element(0xe7, number(second * 1000)), element(0xa3, block));
  });
  // Where the index lies has a fixed length, so that it does not move what it tells of.
  const seekOf = (position: number) =>
    element(0x114d9b74, element(0x4dbb, element(0x53ab, bytesOf(0x1c53bb6b)), element(0x53ac, number(position))));
  const start = seekOf(0).length + info.length + tracks.length;
  const positions = clusters.map((_, at) => clusters.slice(0, at).reduce((sum, { length }) => sum + length, start));
  const end = clusters.reduce((sum, { length }) => sum + length, start);
  const points = positions.map((position, second) => {
    const place = element(0xb7, element(0xf7, number(1)), element(0xf1, number(position)));
    return element(0xbb, element(0xb3, number(second * 1000)), place);
  });
  const cues = element(0x1c53bb6b, ...points);
  return Buffer.concat([header, element(0x18538067, seekOf(end), info, tracks, ...clusters, cues)]);
}

/** An id, the length in eight bytes, the content. */
function element(id: number, ...content: readonly Buffer[]): Buffer {
  const length = Buffer.alloc(8);
  length.writeUIntBE(
    content.reduce((sum, part) => sum + part.length, 0),
    2,
    6,
  );
  length[0] = 0x01;
  return Buffer.concat([bytesOf(id), length, ...content]);
}

function bytesOf(id: number): Buffer {
  const hex = id.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
