import { CERTIFICATE_CHECK_MS } from '../limits.js';
import type { Logger } from '../log.js';
import type { TlsIdentity } from '../wire/tls.js';
import type { Front } from './front.js';

export interface CertificateWatchOptions {
  readonly front: Pick<Front, 'renew'>;
  readonly readTls: () => Promise<TlsIdentity>;
  readonly logger: Logger;
  /** Default CERTIFICATE_CHECK_MS. */
  readonly everyMs?: number;
}

/** Tells a front when the peer's certificate was renewed, which another process does. */
export class CertificateWatch implements Disposable {
  readonly #options: CertificateWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #used: string;
  #isLooking = false;

  /** @param used the certificate that the front began with, PEM */
  constructor(options: CertificateWatchOptions, used: string) {
    this.#options = options;
    this.#used = used;
    this.#timer = setInterval(() => void this.#look(), options.everyMs ?? CERTIFICATE_CHECK_MS);
  }

  /** What fails is tried again at the next look. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { front, readTls, logger } = this.#options;
    try {
      const { certificate } = await readTls();
      if (certificate === this.#used) return;
      await front.renew();
      this.#used = certificate;
      logger.info('the front uses the renewed certificate');
    } catch (error) {
      logger.warn({ err: error }, 'the certificate could not be renewed at the front');
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
