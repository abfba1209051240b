import { call } from './client.js';
import { Problem } from './problem.js';
import { sessionApi } from './session-api.js';
import type { JoinNetworkRequest, MadeReply, NewNetworkRequest, SetupReply } from './types.js';

/** First run: setup-api.ts of the server. */
export const setupApi = {
  proposal: () => call<SetupReply>('GET', '/setup'),
  create: (request: NewNetworkRequest) => call<MadeReply>('POST', '/setup/network', { body: request }),
  join: (request: JoinNetworkRequest) => call<MadeReply>('POST', '/setup/join', { body: request }),
};

/** The peer opens databases and keys after its set-up has ended; slow disks take long. */
const START_MS = 90_000;
const POLL_MS = 400;

/** Waits until the peer itself answers where its set-up did. @returns whether it does */
export async function untilPeerIsUp(): Promise<boolean> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    if (await isPeerUp()) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

async function isPeerUp(): Promise<boolean> {
  try {
    return !(await sessionApi.get()).setup;
  } catch (error) {
    if (Problem.is(error)) return false; // Between the two servers nobody listens.
    throw error;
  }
}
