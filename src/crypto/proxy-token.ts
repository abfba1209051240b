import { createHmac } from 'node:crypto';
import { equalBytes, utf8 } from '../bytes.js';

/**
 * The token with which a proxy vouches for a user name to CouchDB (`proxy_use_secret`): HMAC-SHA-256 in lower-case hex. It
 * covers the name alone, so whoever may set the header of the roles has every role.
 */
export function proxyToken(secret: string, name: string): string {
  return createHmac('sha256', secret).update(name).digest('hex');
}

/** @returns false under an empty secret too, where CouchDB itself would take every token */
export function isProxyToken(secret: string, name: string, token: string): boolean {
  return secret !== '' && equalBytes(utf8(proxyToken(secret, name)), utf8(token));
}
