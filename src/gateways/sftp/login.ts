import { setTimeout as delay } from 'node:timers/promises';
import ssh2, { type AuthContext, type PasswordAuthContext, type PublicKeyAuthContext } from 'ssh2';
import { equalBytes } from '../../bytes.js';
import type { Catalog } from '../../catalog/catalog.js';
import { isSshAlgorithm, sshFingerprint } from '../../catalog/users/ssh-key.js';
import { StorageError } from '../../errors.js';
import { MAX_SFTP_LOGINS, MAX_SFTP_PASSPHRASES, SFTP_WRONG_PASSPHRASE_MS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { UserSessions } from '../../services/user-sessions.js';

export interface LoginParts {
  readonly catalog: Catalog;
  readonly sessions: UserSessions;
  readonly logger: Logger;
}

/** Whoever was let in. */
export interface LoggedIn {
  /** Name of the user. */
  readonly user: string;
  readonly by: 'passphrase' | 'key';
}

/** RSA with SHA-1 is forged by those with means; ssh2 says so by naming no hash. */
const RSA_HASHES: readonly (string | undefined)[] = ['sha256', 'sha512'];

/** How one connection logs in: by the user's passphrase, which also unlocks the user, or by a key of the user's. */
export class Login {
  readonly #parts: LoginParts;
  #tries = 0;
  #passphrases = 0;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /** Answers one attempt. @returns who has logged in when it is the one that lets in; "end" when there were too many */
  async decide(attempt: AuthContext): Promise<LoggedIn | 'end' | undefined> {
    this.#tries++;
    if (this.#tries > MAX_SFTP_LOGINS) return 'end';
    switch (attempt.method) {
      case 'password':
        return this.#byPassphrase(attempt);
      case 'publickey':
        return this.#byKey(attempt);
      case 'none':
      case 'hostbased':
      case 'keyboard-interactive':
        attempt.reject(['publickey', 'password']);
        return undefined;
    }
  }

  async #byPassphrase(attempt: PasswordAuthContext): Promise<LoggedIn | 'end' | undefined> {
    const { sessions, logger } = this.#parts;
    // Counted before the answer: a client may send several without waiting for it.
    this.#passphrases++;
    if (this.#passphrases > MAX_SFTP_PASSPHRASES) return 'end';
    try {
      const { name } = await sessions.signIn(attempt.username, attempt.password);
      attempt.accept();
      return { user: name, by: 'passphrase' };
    } catch (error) {
      const code = StorageError.is(error) ? error.code : 'INTERNAL';
      logger.warn({ code }, 'SFTP login by passphrase refused');
      await delay(SFTP_WRONG_PASSPHRASE_MS);
      if (this.#passphrases >= MAX_SFTP_PASSPHRASES) return 'end';
      attempt.reject(['publickey', 'password']);
      return undefined;
    }
  }

  async #byKey(attempt: PublicKeyAuthContext): Promise<LoggedIn | undefined> {
    if (!(await this.#isKeyOf(attempt.username, attempt))) {
      attempt.reject(['publickey', 'password']);
      return undefined;
    }
    // Without a signature it is a question, whether to sign.
    if (attempt.signature === undefined || attempt.blob === undefined) {
      attempt.accept();
      return undefined;
    }
    const key = ssh2.utils.parseKey(attempt.key.data);
    // What it cannot verify ssh2 answers with an Error, whatever its types say: only true is yes.
    const isSigned: unknown = key instanceof Error || key.verify(attempt.blob, attempt.signature, attempt.hashAlgo);
    if (isSigned === true && !(key instanceof Error)) {
      attempt.accept();
      return { user: attempt.username, by: 'key' };
    }
    this.#parts.logger.warn('SFTP login by a key refused: the signature is wrong');
    attempt.reject(['publickey', 'password']);
    return undefined;
  }

  async #isKeyOf(user: string, { key, hashAlgo, signature }: PublicKeyAuthContext): Promise<boolean> {
    const algorithm = key.algo.startsWith('rsa-sha2-') ? 'ssh-rsa' : key.algo;
    if (!isSshAlgorithm(algorithm)) return false;
    if (algorithm === 'ssh-rsa' && signature !== undefined && !RSA_HASHES.includes(hashAlgo)) return false;
    try {
      const fingerprint = sshFingerprint(key.data);
      return (await this.#parts.catalog.sshKeys(user)).some((known) => equalBytes(known.fingerprint, fingerprint));
    } catch (error) {
      // Nobody by that name, or several: no key lets in.
      if (StorageError.is(error, 'NOT_FOUND', 'CONFLICT')) return false;
      throw error;
    }
  }
}
