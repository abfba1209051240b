import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressBlock } from './address-block.js';

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });

/** As programs write it, with "::" where it may be. */
function shortest(parts: readonly number[]): string {
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

/** Not one that is IPv4 in truth. */
const isOwn = (parts: readonly number[]): boolean => parts.slice(0, 5).some((part) => part !== 0);

describe('addressBlock', () => {
  it('counts IPv4 by the address, however it comes', () => {
    assert.equal(addressBlock('192.0.2.7'), '192.0.2.7');
    assert.equal(addressBlock('::ffff:192.0.2.7'), '192.0.2.7');
    assert.equal(addressBlock('::FFFF:192.0.2.7'), '192.0.2.7');
  });

  it('counts IPv6 by its first 64 bits', () => {
    assert.equal(addressBlock('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(addressBlock('2001:db8::1'), '2001:db8:0:0::/64');
    assert.equal(addressBlock('::1'), '0:0:0:0::/64');
    assert.equal(addressBlock('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(addressBlock('64:ff9b::192.0.2.7'), '64:ff9b:0:0::/64');
  });

  it('is the same for the same 64 bits and for no others, however they are written', () => {
    fc.assert(
      fc.property(groups.filter(isOwn), groups, group, (parts, others, changed) => {
        const prefix = parts.slice(0, 4);
        const neighbour = [...prefix, ...others.slice(4)];
        fc.pre(isOwn(neighbour));
        assert.equal(addressBlock(shortest(neighbour)), addressBlock(shortest(parts)));
        assert.equal(
          addressBlock(parts.map((part) => part.toString(16).padStart(4, '0')).join(':')),
          addressBlock(shortest(parts)),
        );
        const stranger = [...parts.slice(0, 3), changed, ...parts.slice(4)];
        if (changed !== parts[3] && isOwn(stranger)) {
          assert.notEqual(addressBlock(shortest(stranger)), addressBlock(shortest(parts)));
        }
      }),
    );
  });
});
