import type { Segment } from '../chunk/segments.js';
import { SendChunkResponse, type ChunkFound } from '../gen/shoal/v1/sender.js';
import { StoreChunkRequest, StoreChunkResponse, type OpenChunk, type Stored } from '../gen/shoal/v1/receiver.js';

/**
 * The messages that bear segments, encoded with one copy of the segment's bytes and decoded with none; everything else is
 * left to the generated code. The bytes are those of any protobuf implementation (docs/spec/4-wire.md; the tests compare).
 *
 * Messages are encoded before they are queued, because a segment's bytes belong to its source again at the next step of
 * iteration.
 */

/** Field 2 of both StoreChunkRequest and SendChunkResponse, wire type 2 (length-delimited). */
const SEGMENT_TAG = 0x12;
/** Field 1 of Segment, wire type 0 (varint). */
const INDEX_TAG = 0x08;
/** Field 2 of Segment, wire type 2. */
const BYTES_TAG = 0x12;

function varintBytes(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}

/** @returns the offset behind the varint. */
function writeVarint(target: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Most bytes around the bytes of a segment: three tags and three varints of at most five bytes. */
export const SEGMENT_ENVELOPE_BYTES = 18;

/**
 * Serves both directions: StoreChunkRequest{segment} and SendChunkResponse{segment} have the same encoding.
 *
 * @param memory where to encode, if the message fits; the result is a view of it
 */
export function encodeSegment(segment: Segment, memory?: Buffer): Buffer {
  // proto3 omits a field that has its default value: index 0, no bytes.
  const indexField = segment.index === 0 ? 0 : 1 + varintBytes(segment.index);
  const bytesField = segment.bytes.length === 0 ? 0 : 1 + varintBytes(segment.bytes.length) + segment.bytes.length;
  const inner = indexField + bytesField;
  const length = 1 + varintBytes(inner) + inner;
  const message =
    memory !== undefined && memory.length >= length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  message[0] = SEGMENT_TAG;
  let at = writeVarint(message, inner, 1);
  if (indexField > 0) {
    message[at++] = INDEX_TAG;
    at = writeVarint(message, segment.index, at);
  }
  if (bytesField > 0) {
    message[at++] = BYTES_TAG;
    at = writeVarint(message, segment.bytes.length, at);
    message.set(segment.bytes, at);
  }
  return message;
}

/** A view: no copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeOpen(open: OpenChunk): Buffer {
  return asBuffer(StoreChunkRequest.encode({ message: { $case: 'open', value: open } }).finish());
}

export function encodeClose(): Buffer {
  return asBuffer(StoreChunkRequest.encode({ message: { $case: 'close', value: {} } }).finish());
}

/** @param bitmap bit i set: segment i is there and intact */
export function encodeHave(bitmap: number, stored: boolean): Buffer {
  return asBuffer(StoreChunkResponse.encode({ message: { $case: 'have', value: { bitmap, stored } } }).finish());
}

export function encodeResend(indices: readonly number[]): Buffer {
  return asBuffer(
    StoreChunkResponse.encode({ message: { $case: 'resend', value: { indices: [...indices] } } }).finish(),
  );
}

export function encodeStored(stored: Stored): Buffer {
  return asBuffer(StoreChunkResponse.encode({ message: { $case: 'stored', value: stored } }).finish());
}

export function encodeFound(found: ChunkFound): Buffer {
  return asBuffer(SendChunkResponse.encode({ message: { $case: 'header', value: found } }).finish());
}

/**
 * `message` is undefined when the bytes are not a message that this version understands: the handler of the stream says so
 * in its own words, where gRPC would answer INTERNAL. The decoder returns views of `bytes`.
 */
export function decodeStoreChunkRequest(bytes: Uint8Array): StoreChunkRequest {
  try {
    return StoreChunkRequest.decode(bytes);
  } catch {
    return { message: undefined };
  }
}

/** As decodeStoreChunkRequest. */
export function decodeStoreChunkResponse(bytes: Uint8Array): StoreChunkResponse {
  try {
    return StoreChunkResponse.decode(bytes);
  } catch {
    return { message: undefined };
  }
}

/** As decodeStoreChunkRequest. */
export function decodeSendChunkResponse(bytes: Uint8Array): SendChunkResponse {
  try {
    return SendChunkResponse.decode(bytes);
  } catch {
    return { message: undefined };
  }
}
