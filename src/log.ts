import { pino, type Logger as PinoLogger } from 'pino';

/** Structured, passed in and never imported as a global. Fields are named; no key, passphrase or plaintext name is one. */
export type Logger = PinoLogger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error. */
export function openLogger(level: LogLevel, bindings: Record<string, string> = {}): Logger {
  return pino(
    { level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime, redact: ['passphrase', 'key', 'token'] },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** For tests and for programs that print their own words. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
