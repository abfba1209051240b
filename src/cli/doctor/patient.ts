import { readConfig, type Config } from '../../config.js';
import { wrapError, type StorageError } from '../../errors.js';
import type { StatusReply } from '../../gateways/http/api.js';
import { readIdentity, type PeerIdentity } from '../../home.js';

/** What checks look at. Whatever could not be had is the failure that says why. */
export interface Patient {
  /** Absolute. */
  readonly home: string;
  readonly config: Config | StorageError;
  readonly identity: PeerIdentity | StorageError;
  /** Of the peer that runs here; UNAVAILABLE when none does. */
  readonly status: StatusReply | StorageError;
  /** Unix time. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export interface Admission {
  readonly home: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly status: () => Promise<StatusReply>;
  readonly signal: AbortSignal;
}

export async function admit({ home, env, status, signal }: Admission): Promise<Patient> {
  const config = await orFailure('Reading the settings', async () => readConfig({ home }, env));
  const identity = await orFailure('Reading the peer’s key and certificates', () => readIdentity(home));
  const reply = await orFailure('Asking the peer', status);
  signal.throwIfAborted();
  return { home, config, identity, status: reply, nowMs: Date.now, signal };
}

async function orFailure<T>(doing: string, get: () => Promise<T>): Promise<T | StorageError> {
  try {
    return await get();
  } catch (error) {
    return wrapError(error, doing);
  }
}
