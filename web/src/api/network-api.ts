import { call, type Call } from './client.js';
import type { StatusReply, TransferReply } from './types.js';

type Option = Pick<Call, 'signal'>;

/** The peer, its network and what they do. Each function is one request of web-api.ts. */
export const networkApi = {
  status: (option: Option = {}) => call<StatusReply>('GET', '/status', option),
  transfers: (option: Option = {}) => call<TransferReply[]>('GET', '/transfers', option),
  cancelTransfer: (id: string) => call<undefined>('DELETE', '/transfers', { query: { id } }),
};
