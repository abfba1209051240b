import { FileReceiverService } from '../gen/shoal/v1/receiver.js';
import { FileSenderService } from '../gen/shoal/v1/sender.js';
import { decodeSendChunkResponse, decodeStoreChunkRequest, decodeStoreChunkResponse } from './codec.js';

/** Streams are written as messages that are encoded already: see codec.ts. */
function encoded(message: Buffer): Buffer {
  return message;
}

/** Stands for a request whose bytes are no message: see answerUnary. grpc-js would call it a fault of the server. */
export const MALFORMED_REQUEST: unique symbol = Symbol('malformed request');

/** The same deserializer, which gives MALFORMED_REQUEST instead of throwing. */
function forgiving<Request>(deserialize: (bytes: Buffer) => Request): (bytes: Buffer) => Request {
  return (bytes) => {
    try {
      return deserialize(bytes);
    } catch {
      return MALFORMED_REQUEST as Request;
    }
  };
}

function forgivingMethods<Methods extends Record<string, { readonly requestDeserialize: (bytes: Buffer) => unknown }>>(
  methods: Methods,
): Methods {
  const entries = Object.entries(methods).map(([name, method]) => {
    return [name, { ...method, requestDeserialize: forgiving(method.requestDeserialize) }] as const;
  });
  return Object.fromEntries(entries) as Methods;
}

/** shoal.v1.FileReceiver with our codec where segments pass. */
export const RECEIVER = {
  ...forgivingMethods(FileReceiverService),
  storeChunk: {
    ...FileReceiverService.storeChunk,
    requestSerialize: encoded,
    requestDeserialize: decodeStoreChunkRequest,
    responseSerialize: encoded,
    responseDeserialize: decodeStoreChunkResponse,
  },
  listChunks: {
    ...FileReceiverService.listChunks,
    requestDeserialize: forgiving(FileReceiverService.listChunks.requestDeserialize),
    responseSerialize: encoded,
  },
} as const;

/** shoal.v1.FileSender with our codec where segments pass. */
export const SENDER = {
  ...forgivingMethods(FileSenderService),
  sendChunk: {
    ...FileSenderService.sendChunk,
    requestDeserialize: forgiving(FileSenderService.sendChunk.requestDeserialize),
    responseSerialize: encoded,
    responseDeserialize: decodeSendChunkResponse,
  },
} as const;
