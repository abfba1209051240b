import { createHash } from 'node:crypto';
import { StorageError } from '../../errors.js';
import { MAX_SSH_KEY_CHARS, MAX_SSH_KEY_NAME_CHARS, MIN_RSA_BITS } from '../../limits.js';

/** A public key that lets its user into SFTP: who logs in sends the key itself, so its hash is enough. */
export interface SshKey {
  /** SHA-256 of the key as RFC 4253 section 6.6 encodes it. */
  readonly fingerprint: Uint8Array;
  /** As the key names it: "ssh-ed25519". */
  readonly algorithm: string;
  /** For people. */
  readonly name: string;
  readonly addedMs: number;
}

export const SSH_FINGERPRINT_BYTES = 32;

/** What ssh2 verifies and nobody has broken; DSA, and RSA with few bits, are not among them. */
const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const;

/** What a terminal could take for an order, or break a line at. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Of the key that a client offers. */
export function sshFingerprint(blob: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(blob).digest());
}

/** As ssh-keygen -l shows it. */
export function formatFingerprint(fingerprint: Uint8Array): string {
  return `SHA256:${Buffer.from(fingerprint).toString('base64').replace(/=+$/, '')}`;
}

/** Whether a key of this algorithm may let anybody in. */
export function isSshAlgorithm(algorithm: string): boolean {
  return ALGORITHMS.some((known) => known === algorithm);
}

/**
 * Reads a public key as `ssh-keygen` writes it: one line, "ssh-ed25519 AAAA… comment".
 *
 * @param label for people; empty: the comment
 * @throws StorageError INVALID_ARGUMENT that says what to do
 */
export function parseSshKey(line: string, label: string, addedMs: number): SshKey {
  const text = line.trim();
  if (text.length > MAX_SSH_KEY_CHARS || text.includes('\n')) {
    refuse('it is not one line of a public key; give the file that ends in ".pub"');
  }
  if (text.includes('PRIVATE KEY')) refuse('this is a private key, which nobody else should see; give the ".pub" file');
  const [algorithm = '', encoded = '', ...comment] = text.split(/\s+/);
  if (!isSshAlgorithm(algorithm)) {
    refuse(`keys of the kind "${printable(algorithm)}" are not taken; make one with \`ssh-keygen -t ed25519\``);
  }
  const blob = Buffer.from(encoded, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) refuse('its second word is no base64');
  const fields = readFields(blob);
  if (fields[0]?.toString('latin1') !== algorithm) refuse('its bytes are not what its first word says');
  checkShape(algorithm, fields);
  const wished = printable(label === '' ? comment.join(' ') : label).trim();
  const name = Array.from(wished === '' ? algorithm : wished)
    .slice(0, MAX_SSH_KEY_NAME_CHARS)
    .join('');
  return { fingerprint: sshFingerprint(blob), algorithm, name, addedMs };
}

function checkShape(algorithm: string, fields: readonly Buffer[]): void {
  const [, second, third] = fields;
  if (algorithm === 'ssh-ed25519') {
    if (fields.length !== 2 || second?.length !== 32) refuse('an Ed25519 key has 32 bytes');
  } else if (fields.length !== 3) {
    refuse('some of it is missing');
  } else if (algorithm === 'ssh-rsa' && bitsOf(third) < MIN_RSA_BITS) {
    refuse(`an RSA key has at least ${String(MIN_RSA_BITS)} bits; make a better one with \`ssh-keygen -t ed25519\``);
  }
}

/** Of a positive number, most significant byte first. */
function bitsOf(number: Buffer | undefined): number {
  const start = number?.findIndex((byte) => byte !== 0) ?? -1;
  const first = number?.[start];
  return number === undefined || first === undefined ? 0 : (number.length - start) * 8 - (Math.clz32(first) - 24);
}

/** Strings of RFC 4251 section 5, to the last byte; none when they do not fit. */
function readFields(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    const end = at + 4 <= blob.length ? at + 4 + blob.readUInt32BE(at) : Infinity;
    if (end > blob.length) return [];
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function printable(text: string): string {
  return text.replace(UNPRINTABLE, '');
}

function refuse(reason: string): never {
  throw new StorageError('INVALID_ARGUMENT', `This SSH key cannot be used: ${reason}.`);
}
