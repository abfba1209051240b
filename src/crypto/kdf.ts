import { hkdfSync } from 'node:crypto';
import { utf8 } from '../bytes.js';
import { assert } from '../errors.js';
import type { DERIVE } from './labels.js';

export const KEY_BYTES = 32;

type DerivationLabel = (typeof DERIVE)[keyof typeof DERIVE];

const NOTHING = new Uint8Array(0);

/**
 * HKDF-SHA256 (RFC 5869) with `info` = label ‖ context. Every context of one label has one length, so that the
 * concatenation is unambiguous.
 */
export function derive(
  secret: Uint8Array,
  label: DerivationLabel,
  options: { readonly bytes?: number; readonly salt?: Uint8Array; readonly context?: Uint8Array } = {},
): Uint8Array {
  assert(secret.length === KEY_BYTES, `a secret of ${String(secret.length)} bytes`);
  const { bytes = KEY_BYTES, salt = NOTHING, context = NOTHING } = options;
  const info = Buffer.concat([utf8(label), context]);
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, bytes));
}
