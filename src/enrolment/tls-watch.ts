import { readIdentityFiles } from '../home.js';
import { RENEWAL_CHECK_MS } from '../limits.js';
import type { Logger } from '../log.js';
import type { LiveTls } from '../wire/live-tls.js';
import { isOwnCertificate } from './own-certificate.js';

export interface TlsWatchOptions {
  readonly home: string;
  readonly tls: LiveTls;
  /** Unix time. */
  readonly nowMs: () => number;
  readonly logger: Logger;
}

/** In a process that does not renew the certificate itself: looks from time to time whether another one has. */
export class TlsWatch implements AsyncDisposable {
  readonly #options: TlsWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: TlsWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#looking = this.look();
    }, RENEWAL_CHECK_MS);
    this.#timer.unref();
  }

  /** Takes a newer certificate that this peer can use. */
  async look(): Promise<void> {
    const { home, tls, nowMs, logger } = this.#options;
    try {
      const { certificate } = await readIdentityFiles(home);
      if (certificate === undefined || certificate === tls.certificate) return;
      if (isOwnCertificate(certificate, { key: tls.key, authority: tls.authority, nowMs: nowMs() })) {
        tls.replace(certificate);
        logger.info('the renewed certificate of this peer is in use');
      }
    } catch (error) {
      logger.warn({ err: error }, 'the certificate of this peer could not be read; it will be tried again');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
