import { signal } from '@preact/signals';
import { sessionApi } from '../api/session-api.js';
import { messageOf, Problem } from '../api/problem.js';
import { loadSession, takeSession } from '../session.js';
import { STRINGS } from '../strings.js';

/** What the sign-in page has to say before anybody has tried anything; empty when nothing. */
export const arrivalMessage = signal('');

/**
 * Signs in by the one-time link in the address, where there is one, and takes it out of the address: it is used up, and
 * would stand in the browser's history.
 */
export async function arriveByLink(): Promise<void> {
  const link = new URLSearchParams(location.hash.slice(1)).get('link');
  if (link !== null) history.replaceState(null, '', `${location.pathname}${location.search}`);
  try {
    if (link === null) await loadSession();
    else await signInByLink(link);
  } catch (error) {
    arrivalMessage.value = messageOf(error);
  }
}

/** A used link does no harm where somebody is signed in already. @throws Problem */
async function signInByLink(link: string): Promise<void> {
  try {
    takeSession(await sessionApi.signInByLink(link));
  } catch (error) {
    if (!Problem.is(error) || error.status === 0) throw error;
    await loadSession();
    arrivalMessage.value = STRINGS.signIn.linkUsed;
  }
}
