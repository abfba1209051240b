import { type KeyObject, webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';

export const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The library and its start-up time are paid for only where certificates are asked for or issued. */
export async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

export function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ format: 'der', type: 'pkcs8' }), CURVE, true, ['sign']);
}

export function verifyingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ format: 'der', type: 'spki' }), CURVE, true, ['verify']);
}

/** As a typed string: the library would read quotes and escapes out of a plain one. */
export function commonName(x509: typeof X509, name: string): X509.Name {
  return new x509.Name([{ CN: [{ utf8String: name }] }]);
}
