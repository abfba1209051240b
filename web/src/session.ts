import { computed, signal } from '@preact/signals';
import { keepCsrf, whenSessionEnds } from './api/client.js';
import { sessionApi } from './api/session-api.js';
import type { SessionReply } from './api/types.js';

/** Who is signed in at this browser; null until the peer has said so. */
export const session = signal<SessionReply | null>(null);
export const user = computed(() => session.value?.user ?? null);

export function takeSession(reply: SessionReply): void {
  keepCsrf(reply.csrf);
  session.value = reply;
}

/** @throws Problem */
export async function loadSession(): Promise<void> {
  takeSession(await sessionApi.get());
}

/** @throws Problem */
export async function signOut(): Promise<void> {
  await sessionApi.signOut();
  sessionEnded();
}

/** The pages give way to the sign-in page; what is queued stays queued. */
export function sessionEnded(): void {
  const last = session.value;
  if (last !== null) takeSession({ ...last, user: null, csrf: null, expires: null });
}

whenSessionEnds(sessionEnded);
