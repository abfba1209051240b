import type { TlsIdentity } from './tls.js';

/** The identity of a peer that runs: its certificate is replaced when it was renewed, its key never. */
export class LiveTls implements TlsIdentity {
  readonly key: string;
  readonly authority: string;
  readonly #listeners = new Set<() => void>();
  #certificate: string;

  constructor({ key, certificate, authority }: TlsIdentity) {
    this.key = key;
    this.authority = authority;
    this.#certificate = certificate;
  }

  get certificate(): string {
    return this.#certificate;
  }

  /** @param certificate PEM, checked by the caller; nothing happens when it is the present one */
  replace(certificate: string): void {
    if (certificate === this.#certificate) return;
    this.#certificate = certificate;
    for (const listener of this.#listeners) listener();
  }

  /** @returns stops listening */
  onReplace(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
