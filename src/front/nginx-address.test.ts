import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressBlock } from '../wire/address-block.js';
import { addressMap } from './nginx-address.js';

const LINES = addressMap().body.map((line) => {
  assert.ok(!('head' in line));
  return line;
});

/** As nginx does: the first form that fits; groups of it go into the value. */
function counted(address: string): string {
  for (const [form, value = ''] of LINES.slice(1)) {
    const found = new RegExp(form.replace(/^"~|"$/g, '')).exec(address);
    if (found !== null) return value.replace(/\$(\w+)/g, (_all, name: string) => found.groups?.[name] ?? '');
  }
  return address;
}

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));

describe('whom nginx counts a client as', () => {
  it('is as the other fronts count', () => {
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '::1', '2001:db8::1', '2001:db8:1:2:3:4:5:6']) {
      assert.equal(counted(address), addressBlock(address).replace('::/64', ''), address);
    }
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (parts) => {
        fc.pre(parts.slice(0, 6).some((part) => part !== 0));
        // Node writes IPv6 as nginx does.
        const text = new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1);
        assert.equal(counted(text), addressBlock(text).replace('::/64', ''), text);
      }),
      { numRuns: 2000 },
    );
  });
});
