import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { derive } from './kdf.js';
import { DERIVE, SIGNATURE_CONTEXTS, USER_ID_LABEL } from './labels.js';

test('derive is HKDF-SHA256 over label and context', () => {
  const secret = new Uint8Array(32).fill(1);
  const salt = new Uint8Array(32).fill(2);
  const context = Uint8Array.of(3, 4);
  const expected = hkdfSync('sha256', secret, salt, Buffer.from('shoal/extent/1\u0003\u0004'), 64);
  assert.deepEqual(derive(secret, DERIVE.extent, { bytes: 64, salt, context }), new Uint8Array(expected));
  assert.throws(() => derive(new Uint8Array(31), DERIVE.extent), /bug/);
});

test('no label is, or begins, another', () => {
  const labels = [...Object.values(DERIVE), ...Object.values(SIGNATURE_CONTEXTS), USER_ID_LABEL];
  for (const [index, label] of labels.entries()) {
    assert.match(label, /^[\x21-\x7e]+$/);
    assert.ok(
      labels.every((other, at) => at === index || !other.startsWith(label)),
      label,
    );
  }
});
