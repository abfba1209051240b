import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LEAST_LEVEL, strengthOf } from './strength.js';

const levelOf = (passphrase: string, ...known: string[]): number => strengthOf(passphrase, known).level;

describe('strengthOf', () => {
  it('takes what everybody tries first for weak, however it is dressed up', () => {
    for (const weak of [
      '',
      'password',
      'P4ssw0rd!',
      'hunter2',
      'qwertyuiop',
      '12345678',
      'letmein1987',
      'aaaaaaaaaaaaaaaa',
    ]) {
      assert.ok(levelOf(weak) < LEAST_LEVEL, `${weak}: ${JSON.stringify(strengthOf(weak))}`);
    }
  });

  it('takes five or six unrelated words for strong, and four for good enough', () => {
    assert.ok(levelOf('correct horse battery staple') >= LEAST_LEVEL);
    assert.equal(levelOf('orbit velvet cactus hammer river lantern'), 4);
  });

  it('takes a random string for what it is', () => {
    assert.ok(levelOf('xK9#vQ2$mZ7!pL4&') >= 3);
    assert.ok(levelOf('x7#Kq') < LEAST_LEVEL);
  });

  it('gives little for a word, a name or a run that comes again', () => {
    const once = strengthOf('orbit velvet').bits;
    assert.ok(strengthOf('orbit velvet orbit velvet').bits < once + 12);
    assert.ok(levelOf('alexandra-alexandra', 'alexandra') < LEAST_LEVEL);
    assert.ok(strengthOf('abcdefghijklmnop').bits < 12);
  });

  it('says what to mend', () => {
    assert.equal(strengthOf('').weakness, 'empty');
    assert.equal(strengthOf('abcabcabcabc').weakness, 'repeated');
    assert.equal(strengthOf('password').weakness, 'common');
    assert.equal(strengthOf('marguerite', ['marguerite']).weakness, 'name');
    assert.equal(strengthOf('24.12.1987').weakness, 'date');
    assert.equal(strengthOf('qwertyuiop').weakness, 'sequence');
    assert.equal(strengthOf('xq7!').weakness, 'short');
    assert.equal(strengthOf('orbit velvet cactus hammer river lantern').weakness, null);
  });

  it('takes the longest that is accepted', () => {
    assert.ok(strengthOf('ab1 '.repeat(256)).bits < 40);
    const mixed = [...Array(1024).keys()].map((n) => String.fromCharCode(33 + ((n * 7919) % 90))).join('');
    assert.equal(levelOf(mixed), 4);
  });
});
