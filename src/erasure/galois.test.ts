import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { divide, multiply, nibbleTables, productTable } from './galois.js';
import { slowMultiply } from './oracle.js';

const ELEMENTS = Array.from({ length: 256 }, (_, element) => element);

describe('GF(2⁸)', () => {
  test('multiplies as the definition does, all 65,536 pairs', () => {
    for (const a of ELEMENTS) {
      for (const b of ELEMENTS) assert.equal(multiply(a, b), slowMultiply(a, b), `${String(a)} · ${String(b)}`);
    }
  });

  test('division undoes multiplication', () => {
    for (const a of ELEMENTS) {
      for (const b of ELEMENTS.slice(1)) assert.equal(divide(multiply(a, b), b), a, `${String(a)} · ${String(b)}`);
    }
  });

  test('both kinds of table hold the products', () => {
    for (const factor of ELEMENTS) {
      const whole = productTable(factor);
      const nibbles = nibbleTables(factor);
      for (const byte of ELEMENTS) {
        const product = slowMultiply(factor, byte);
        assert.equal(whole[byte], product);
        assert.equal((nibbles[byte & 15] ?? 0) ^ (nibbles[16 + (byte >> 4)] ?? 0), product);
      }
    }
  });
});
