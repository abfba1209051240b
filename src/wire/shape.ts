import type { ChunkShape } from '../chunk/segments.js';
import type { ChunkShape as ShapeMessage } from '../gen/shoal/v1/receiver.js';

/** A missing shape is an empty one, which no chunk id follows from: verifyShape refuses it. */
export function shapeOf(message: ShapeMessage | undefined): ChunkShape {
  return message ?? { bytes: 0, segmentBytes: 0, hashes: new Uint8Array() };
}

export function shapeMessage({ bytes, segmentBytes, hashes }: ChunkShape): ShapeMessage {
  return { bytes, segmentBytes, hashes };
}
