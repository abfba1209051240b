import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from './meter.js';

test('the speed is that of the last seconds', () => {
  const meter = new Meter();
  assert.equal(meter.bytesPerSecond, 0);
  for (let second = 0; second <= 60; second += 1) meter.sample(second * 1000, second * 1000);
  assert.equal(meter.bytesPerSecond, 1000);
  for (let second = 61; second <= 70; second += 1) meter.sample(60_000 + (second - 60) * 5000, second * 1000);
  assert.equal(meter.bytesPerSecond, 5000);
  meter.reset();
  assert.equal(meter.bytesPerSecond, 0);
});

test('a count that shrinks, because a file was taken out, is no speed', () => {
  const meter = new Meter();
  meter.sample(5000, 0);
  meter.sample(100, 1000);
  assert.equal(meter.bytesPerSecond, 0);
});
