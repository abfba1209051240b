import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PeerId } from '../chunk/ids.js';
import { PeerBook } from './peer-book.js';
import type { PeerRecord } from './peer-record.js';

const record = (id: string, state: PeerRecord['state'] = 'member'): PeerRecord => ({
  id: id as PeerId,
  address: '127.0.0.1:1',
  name: id,
  zone: 'home',
  capacityBytes: 1,
  backup: false,
  state,
  certificate: new Uint8Array(),
});
const [a, b, c] = ['a', 'b', 'c'] as [PeerId, PeerId, PeerId];

describe('PeerBook', () => {
  it('tells members, targets and strangers apart', () => {
    const book = new PeerBook([record('a'), record('b', 'draining'), record('c', 'removed')]);
    assert.deepEqual(
      [a, b, c, 'x' as PeerId].map((id) => book.isMember(id)),
      [true, true, false, false],
    );
    assert.deepEqual(
      book.targets().map(({ id }) => id),
      [a],
    );
  });

  it('names those too that it does not know, by the first digits of their ids', () => {
    const book = new PeerBook([record('a')]);
    assert.equal(book.nameOf(a), 'a');
    assert.equal(book.nameOf('0123456789abcdef' as PeerId), '0123456789ab');
  });

  it('passes over a peer whose call failed, until some time has gone by or it answers', () => {
    let now = 1_000_000;
    const book = new PeerBook([record('a'), record('b')], () => now);
    book.reportFailure(a);
    assert.equal(book.seemsUp(a), false);
    assert.equal(book.pace(a), Number.POSITIVE_INFINITY);
    now += 60_000;
    assert.equal(book.seemsUp(a), true);
    book.reportFailure(a);
    book.reportSuccess(a);
    assert.equal(book.seemsUp(a), true);
  });

  it('counts corrupt answers, and asks whoever gave one last for some time', () => {
    let now = 1_000_000;
    const book = new PeerBook([record('a'), record('b')], () => now);
    assert.equal(book.corruptAnswers(a), 0);
    book.reportCorrupt(a);
    book.reportCorrupt(a);
    book.reportSuccess(a, { bytes: 2 ** 20, ms: 1 });
    assert.equal(book.corruptAnswers(a), 2);
    assert.equal(book.pace(a), Number.POSITIVE_INFINITY);
    assert.equal(book.seemsUp(a), true);
    assert.equal(book.pace(b), 0);
    now += 10 * 60_000;
    assert.equal(book.pace(a), 1);
  });

  it('remembers the pace of transfers, the newest weighing most', () => {
    const book = new PeerBook([record('a'), record('b')]);
    book.reportSuccess(a, { bytes: 2 ** 20, ms: 10 });
    book.reportSuccess(b, { bytes: 2 ** 20, ms: 50 });
    assert.ok(book.pace(a) < book.pace(b));
    for (let n = 0; n < 10; n++) book.reportSuccess(a, { bytes: 2 ** 20, ms: 200 });
    assert.ok(book.pace(a) > book.pace(b));
  });

  it('keeps what it learnt when the members change', () => {
    const book = new PeerBook([record('a'), record('b')]);
    book.reportFailure(a);
    book.reportFailure(b);
    book.update([record('a'), record('c')]);
    assert.equal(book.seemsUp(a), false);
    assert.equal(book.get(b), undefined);
    book.update([record('a'), record('b')]);
    assert.equal(book.seemsUp(b), true);
  });
});
