import { pino, type Logger as PinoLogger } from 'pino';
import { currentRequest } from './request-context.js';

/** Structured, passed in and never imported as a global. Fields are named; no key, passphrase or plaintext name is one. */
export type Logger = PinoLogger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error; each says, as `request`, on whose behalf it was written. */
export function openLogger(level: LogLevel, bindings: Record<string, string> = {}): Logger {
  return pino(
    {
      level,
      base: bindings,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['passphrase', 'key', 'token'],
      mixin: requestFields,
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What a line says of the request that it belongs to; of a traced one also where the trace is. */
export function requestFields(): Record<string, string> {
  const context = currentRequest();
  if (context === undefined) return {};
  const [, trace] = context.trace?.split('-') ?? [];
  return { request: context.id, ...(trace !== undefined && { trace }) };
}

/** For tests and for programs that print their own words. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
