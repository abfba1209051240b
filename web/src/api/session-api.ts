import { call } from './client.js';
import type { SessionReply } from './types.js';

/** Signing in and out of this browser. */
export const sessionApi = {
  get: () => call<SessionReply>('GET', '/session'),
  signIn: (name: string, passphrase: string) => call<SessionReply>('POST', '/session', { body: { name, passphrase } }),
  /** By a one-time link, which `shoal web` prints. */
  signInByLink: (link: string) => call<SessionReply>('POST', '/session/link', { body: { link } }),
  signOut: () => call<undefined>('DELETE', '/session'),
  /** The user's keys are forgotten at this peer: every browser and program of the user is signed out. */
  lock: (name: string) => call<undefined>('POST', '/lock', { body: { name } }),
};
