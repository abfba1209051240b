import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey, destinationOf } from './packet.js';

test('addresses of both families have the key that a packet to them has', () => {
  assert.equal(addressKey('10.77.0.3'), '0a4d0003');
  assert.equal(addressKey('fd00:77::3'), 'fd000077000000000000000000000003');
  assert.equal(addressKey('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  const four = Buffer.alloc(20);
  four[0] = 0x45;
  four.set([10, 77, 0, 3], 16);
  assert.equal(destinationOf(four), addressKey('10.77.0.3'));
  const six = Buffer.alloc(40);
  six[0] = 0x60;
  Buffer.from(addressKey('fd00:77::3'), 'hex').copy(six, 24);
  assert.equal(destinationOf(six), addressKey('fd00:77::3'));
});

test('what is no whole IP header has no destination', () => {
  assert.equal(destinationOf(Buffer.alloc(0)), undefined);
  assert.equal(destinationOf(Buffer.from([0x45, 0])), undefined);
  assert.equal(destinationOf(Buffer.alloc(60, 0x20)), undefined);
});
