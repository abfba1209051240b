import { makeCertificateRequest, MAX_COMMON_NAME_CHARS } from '../crypto/certificate-request.js';
import { certificateToDer, certificateToPem, privateKeyFromPem } from '../crypto/certificates.js';
import { readCertificate } from '../crypto/peer-identity.js';
import { StorageError, wrapError } from '../errors.js';
import { writeCertificate } from '../home.js';
import { RENEWAL_CHECK_MS, RENEWAL_RETRY_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { isAborted, rest } from '../on-abort.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { isPlainText } from '../plain-text.js';
import type { LiveTls } from '../wire/live-tls.js';
import { askEnrolment, Refused } from './client.js';
import type { Enrolment } from './enrolment.js';
import { ANSWERS, PATHS, toBase64 } from './messages.js';
import { demandOwnCertificate } from './own-certificate.js';

export interface RenewalOptions {
  readonly home: string;
  readonly tls: LiveTls;
  /** Of this peer: where the authority's key is here, nobody is asked. */
  readonly enrolment: Pick<Enrolment, 'isAuthority' | 'renewOwn'>;
  /** Members that have the authority's role, but for this one. */
  readonly authorities: () => Promise<readonly Pick<PeerRecord, 'id' | 'address'>[]>;
  /** Tells the network of this peer's present certificate (DER), and of its address, where it does not know them. */
  readonly publish: (certificate: Uint8Array) => Promise<void>;
  /** Goes into the next certificate. */
  readonly name: () => Promise<string>;
  /** Unix time. */
  readonly nowMs: () => number;
  readonly logger: Logger;
}

/** Of its life, after which a certificate is renewed: a month is left to reach an authority. */
const RENEW_AFTER = 2 / 3;

/** @param certificate PEM */
export function isDue(certificate: string, nowMs: number): boolean {
  const { validFrom, validTo } = readCertificate(certificate);
  const [fromMs, untilMs] = [Date.parse(validFrom), Date.parse(validTo)];
  return nowMs >= fromMs + (untilMs - fromMs) * RENEW_AFTER;
}

/**
 * Gets the next certificate of this peer, for the same key.
 *
 * @throws StorageError the last failure when no authority gives one
 */
export async function renewCertificate(options: RenewalOptions, signal: AbortSignal): Promise<void> {
  const { home, tls, enrolment, nowMs } = options;
  // Whatever a former version let into it.
  const name =
    Array.from(await options.name())
      .filter(isPlainText)
      .slice(0, MAX_COMMON_NAME_CHARS)
      .join('') || 'peer';
  const csr = await makeCertificateRequest(privateKeyFromPem(tls.key), name);
  const certificate = enrolment.isAuthority
    ? await enrolment.renewOwn(csr)
    : await askAuthorities(options, csr, signal);
  demandOwnCertificate(certificate, { key: tls.key, authority: tls.authority, nowMs: nowMs() });
  const pem = certificateToPem(certificate);
  await writeCertificate(home, pem);
  tls.replace(pem);
  await options.publish(certificate);
}

async function askAuthorities(options: RenewalOptions, csr: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const { tls, authorities, logger } = options;
  let failure = new StorageError('UNAVAILABLE', 'No peer with the authority’s role is known here.');
  for (const { id, address } of shuffled(await authorities())) {
    try {
      const answer = await askEnrolment(
        { address, trust: { issuer: id, tls } },
        { path: PATHS.renewal, body: { request: toBase64(csr) }, answer: ANSWERS.renewed, signal },
      );
      if (!(answer instanceof Refused)) return answer.certificate;
      failure = answer.error;
    } catch (error) {
      signal.throwIfAborted();
      failure = wrapError(error, `Asking peer ${id.slice(0, 12)} for a certificate`);
    }
    logger.info({ authority: id, code: failure.code, reason: failure.message }, 'an authority gave no certificate');
  }
  throw failure;
}

/** So that not all peers ask the same one first. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Renews the certificate of a peer that runs, in time, and goes on trying. */
export class Renewal implements AsyncDisposable {
  readonly #options: RenewalOptions;
  readonly #life = new AbortController();
  readonly #running: Promise<void>;

  /** Begins at once. */
  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#running = this.#run(this.#life.signal);
  }

  /** What is under way ends first. */
  async close(): Promise<void> {
    this.#life.abort(new StorageError('CANCELLED', 'This peer is shutting down.'));
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { tls, nowMs, publish, logger } = this.#options;
    while (!isAborted(signal)) {
      let pauseMs = RENEWAL_CHECK_MS;
      try {
        if (isDue(tls.certificate, nowMs())) await renewCertificate(this.#options, signal);
        else await publish(certificateToDer(tls.certificate));
      } catch (error) {
        const { code, message } = wrapError(error, 'Renewing the certificate');
        const { validTo } = readCertificate(tls.certificate);
        if (!isAborted(signal)) {
          logger.warn(
            { code, reason: message, until: validTo },
            'the certificate of this peer was not renewed; it will be tried again. After its end the peer joins again with an invitation',
          );
        }
        pauseMs = RENEWAL_RETRY_MS;
      }
      await rest(pauseMs, signal, { ref: false });
    }
  }
}
