import { FileReceiverService } from '../gen/shoal/v1/receiver.js';
import { FileSenderService } from '../gen/shoal/v1/sender.js';
import { decodeSendChunkResponse, decodeStoreChunkRequest, decodeStoreChunkResponse } from './codec.js';

/** Streams are written as messages that are encoded already: see codec.ts. */
function encoded(message: Buffer): Buffer {
  return message;
}

/** shoal.v1.FileReceiver with our codec where segments pass. */
export const RECEIVER = {
  ...FileReceiverService,
  storeChunk: {
    ...FileReceiverService.storeChunk,
    requestSerialize: encoded,
    requestDeserialize: decodeStoreChunkRequest,
    responseSerialize: encoded,
    responseDeserialize: decodeStoreChunkResponse,
  },
  listChunks: { ...FileReceiverService.listChunks, responseSerialize: encoded },
} as const;

/** shoal.v1.FileSender with our codec where segments pass. */
export const SENDER = {
  ...FileSenderService,
  sendChunk: {
    ...FileSenderService.sendChunk,
    responseSerialize: encoded,
    responseDeserialize: decodeSendChunkResponse,
  },
} as const;
