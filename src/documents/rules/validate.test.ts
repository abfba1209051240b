import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { Linter } from 'eslint';
import { MAX_DOCUMENT_BYTES } from '../../limits.js';
import { designFields, validationText } from './design.js';
import { type Refusal, type UserContext, validate, type ValidatedDocument } from './validate.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const USER_DATABASE = `user-${A}-1`;

type Verdict = 'taken' | RegExp;

interface Case {
  readonly what: string;
  readonly db: string;
  readonly new: ValidatedDocument;
  readonly old?: ValidatedDocument;
  /** Default: another peer. */
  readonly by?: Partial<UserContext>;
  readonly verdict: Verdict;
}

function judge({ db, new: newDoc, old, by }: Case): string {
  try {
    validate(newDoc, old ?? null, { db, name: `peer-${B}`, roles: ['shoal-peer'], ...by });
    return 'taken';
  } catch (error) {
    const refusal = error as Refusal;
    return 'forbidden' in refusal ? refusal.forbidden : `unauthorized: ${refusal.unauthorized}`;
  }
}

function check(cases: readonly Case[]): void {
  for (const each of cases) {
    const verdict = judge(each);
    if (each.verdict === 'taken') assert.equal(verdict, 'taken', each.what);
    else assert.match(verdict, each.verdict, each.what);
  }
}

const authority = { roles: ['shoal-peer', 'shoal-authority'] };
const itself = { name: `peer-${A}` };
const network = { _id: 'network', type: 'network', format: 1, signed: 'AA==' };
const peer = { _id: `peer-${A}`, type: 'peer', format: 1, signed: 'AA==' };
const state = { _id: `peer-state-${A}`, type: 'peer-state', format: 1, signed: 'AA==' };
const user = { _id: `user-${A}`, type: 'user', format: 1, signed: 'AA==' };
const home = { _id: `home-${A}-${B}`, type: 'home', format: 1, signed: 'AA==' };
const stripe = { _id: `stripe-${A}`, type: 'stripe', format: 1, owner: A, placement: [{ peer: A, receipt: { b: 1 } }] };
const move = { _id: `move-${A}-${B}`, type: 'move', format: 1, stripe: A };
const change = { _id: `change-${A}`, type: 'change', format: 1, user: A, peer: B, counter: 1, sealed: 'AA==' };

const changed = (document: ValidatedDocument): ValidatedDocument => ({ ...document, extra: 1 });
const tombstone = ({ _id }: ValidatedDocument, fields = {}): ValidatedDocument => ({ _id, _deleted: true, ...fields });
/** A history of so many revisions. */
const revised = (hash: string, count: number): object => ({
  _rev: `${String(count)}-${hash}`,
  _revisions: { start: count, ids: Array.from({ length: count }, () => hash) },
});
const WRITER = /Only its writer/;

describe('what may be written', () => {
  it('by whom: peers of the network', () => {
    check([
      { what: 'a peer', db: 'network', new: user, verdict: 'taken' },
      { what: 'nobody', db: 'network', new: user, by: { name: null, roles: [] }, verdict: /^unauthorized/ },
      { what: 'a CouchDB user', db: 'network', new: user, by: { roles: ['other'] }, verdict: /^unauthorized/ },
      {
        what: "the server's admin, who is no peer",
        db: 'network',
        new: user,
        by: { roles: ['_admin'] },
        verdict: /^una/,
      },
    ]);
  });

  it('network', () => {
    check([
      { what: 'the network, brought by a member', db: 'network', new: network, verdict: 'taken' },
      { what: 'the network, changed by a member', db: 'network', new: changed(network), old: network, verdict: WRITER },
      {
        what: '… by the authority',
        db: 'network',
        new: changed(network),
        old: network,
        by: authority,
        verdict: 'taken',
      },
      { what: 'a peer, brought by another', db: 'network', new: peer, verdict: 'taken' },
      { what: 'a peer, changed by another', db: 'network', new: changed(peer), old: peer, verdict: WRITER },
      { what: 'a peer, deleted by another', db: 'network', new: tombstone(peer), old: peer, verdict: WRITER },
      { what: 'a peer, changed by itself', db: 'network', new: changed(peer), old: peer, by: itself, verdict: 'taken' },
      {
        what: 'a peer, changed by the authority',
        db: 'network',
        new: changed(peer),
        old: peer,
        by: authority,
        verdict: 'taken',
      },
      { what: 'a deleted peer, brought back', db: 'network', new: peer, old: tombstone(peer), verdict: 'taken' },
      { what: 'a removal, brought by a member', db: 'network', new: state, verdict: 'taken' },
      {
        what: 'a removal, undone by the removed',
        db: 'network',
        new: changed(state),
        old: state,
        by: itself,
        verdict: WRITER,
      },
      {
        what: 'a removal, deleted by the removed',
        db: 'network',
        new: tombstone(state),
        old: state,
        by: itself,
        verdict: WRITER,
      },
      { what: 'a user, changed by a member', db: 'network', new: changed(user), old: user, verdict: 'taken' },
      { what: 'a losing leaf of a user', db: 'network', new: tombstone(user), old: user, verdict: 'taken' },
      { what: 'a home', db: 'network', new: home, verdict: 'taken' },
      { what: 'a stripe', db: 'network', new: stripe, verdict: /no documents of that name/ },
      { what: 'something else', db: 'network', new: { _id: 'note', type: 'note', format: 1 }, verdict: /of that name/ },
      {
        what: 'an id in capitals',
        db: 'network',
        new: { ...user, _id: `user-${A.toUpperCase()}` },
        verdict: /of that name/,
      },
      {
        what: 'a design document',
        db: 'network',
        new: { ...user, _id: '_design/shoal' },
        by: authority,
        verdict: /host/,
      },
    ]);
  });

  it('stripes', () => {
    check([
      { what: 'a stripe', db: 'stripes', new: stripe, verdict: 'taken' },
      { what: 'a move', db: 'stripes', new: move, verdict: 'taken' },
      {
        what: 'a stripe, again',
        db: 'stripes',
        new: { ...stripe, ...revised('b'.repeat(32), 2) },
        old: { ...stripe, ...revised('a'.repeat(32), 1) },
        verdict: 'taken',
      },
      {
        what: 'a stripe with its fields in another order',
        db: 'stripes',
        new: Object.fromEntries(Object.entries(stripe).reverse()) as typeof stripe,
        old: stripe,
        verdict: 'taken',
      },
      {
        what: 'a stripe, changed',
        db: 'stripes',
        new: changed(stripe),
        old: stripe,
        by: authority,
        verdict: /never changes/,
      },
      {
        what: 'a stripe, changed deep inside',
        db: 'stripes',
        new: { ...stripe, placement: [{ peer: A, receipt: { b: 2 } }] },
        old: stripe,
        verdict: /never changes/,
      },
      {
        what: 'a list that becomes an object',
        db: 'stripes',
        new: { ...stripe, placement: { 0: stripe.placement[0] } },
        old: stripe,
        verdict: /never changes/,
      },
      { what: 'a move, changed', db: 'stripes', new: changed(move), old: move, verdict: /never changes/ },
      { what: 'a bare tombstone', db: 'stripes', new: tombstone(stripe), old: stripe, verdict: /signed order/ },
      { what: 'a bare tombstone over nothing known', db: 'stripes', new: tombstone(stripe), verdict: /signed order/ },
      {
        what: 'a tombstone with an empty order',
        db: 'stripes',
        new: tombstone(stripe, { forgotten: '' }),
        old: stripe,
        verdict: /signed order/,
      },
      {
        what: 'an order to forget',
        db: 'stripes',
        new: tombstone(stripe, { forgotten: 'AA==' }),
        old: stripe,
        verdict: 'taken',
      },
      {
        what: 'an order to forget a move',
        db: 'stripes',
        new: tombstone(move, { forgotten: 'AA==' }),
        old: move,
        verdict: 'taken',
      },
      {
        what: 'a stripe deleted by a forger, brought back',
        db: 'stripes',
        new: stripe,
        old: tombstone(stripe),
        verdict: 'taken',
      },
      { what: 'a change', db: 'stripes', new: change, verdict: /of that name/ },
    ]);
  });

  it('the catalog of a user', () => {
    const other = { ...change, _id: `extents-${B}`, type: 'extents' };
    check([
      { what: 'a change', db: USER_DATABASE, new: change, verdict: 'taken' },
      { what: 'extents', db: USER_DATABASE, new: other, verdict: 'taken' },
      { what: 'a state', db: `user-${A}-2`, new: { ...change, _id: `state-${B}`, type: 'state' }, verdict: 'taken' },
      {
        what: 'a change, changed',
        db: USER_DATABASE,
        new: changed(change),
        old: change,
        by: authority,
        verdict: /never changes/,
      },
      {
        what: 'a change, deleted',
        db: USER_DATABASE,
        new: tombstone(change),
        old: change,
        by: authority,
        verdict: /never deleted/,
      },
      {
        what: 'a tombstone with an order',
        db: USER_DATABASE,
        new: tombstone(change, { forgotten: 'AA==' }),
        old: change,
        verdict: /never deleted/,
      },
      { what: 'a tombstone over nothing known', db: USER_DATABASE, new: tombstone(change), verdict: /never deleted/ },
      { what: "another user's change", db: USER_DATABASE, new: { ...change, user: B }, verdict: /own user/ },
      {
        what: 'a type that its id denies',
        db: USER_DATABASE,
        new: { ...change, type: 'extents' },
        verdict: /agree with its id/,
      },
      { what: 'another kind of database', db: '_users', new: change, verdict: /not one of Shoal/ },
      { what: 'a generation that is none', db: `user-${A}-0`, new: change, verdict: /not one of Shoal/ },
    ]);
  });

  it('its shape', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth++) deep = [deep];
    const large = 'x'.repeat(MAX_DOCUMENT_BYTES - 200);
    const wide = 'é'.repeat(MAX_DOCUMENT_BYTES / 2);
    check([
      { what: 'without a type', db: 'network', new: { ...user, type: undefined }, verdict: /type/ },
      { what: 'without a format', db: 'network', new: { ...user, format: undefined }, verdict: /format/ },
      { what: 'with half a format', db: 'network', new: { ...user, format: 1.5 }, verdict: /format/ },
      { what: 'with a format in a text', db: 'network', new: { ...user, format: '1' }, verdict: /format/ },
      { what: 'of a later format', db: 'network', new: { ...user, format: 7 }, verdict: 'taken' },
      { what: 'of 64 KiB', db: 'network', new: { ...user, large }, verdict: 'taken' },
      { what: 'of more', db: 'network', new: { ...user, large: `${large}${large}` }, verdict: /at most 65536 bytes/ },
      { what: 'of fewer letters than bytes', db: 'network', new: { ...user, wide }, verdict: /at most 65536 bytes/ },
      {
        what: 'many small fields',
        db: 'network',
        new: { ...user, many: Array.from({ length: 40_000 }, () => 1) },
        verdict: /at most/,
      },
      {
        what: 'half a surrogate pair',
        db: 'network',
        new: { ...user, half: '\ud800'.repeat(30_000) },
        verdict: /Unicode/,
      },
      {
        what: 'one half of a pair, deep inside',
        db: 'network',
        new: { ...user, a: [{ b: 'x\udc00' }] },
        verdict: /Unicode/,
      },
      {
        what: 'one half of a pair in a name',
        db: 'network',
        new: { ...user, a: { '\ud800x': 1 } },
        verdict: /Unicode/,
      },
      {
        what: 'two halves the wrong way round',
        db: 'network',
        new: { ...user, a: '\udc00\ud800' },
        verdict: /Unicode/,
      },
      { what: 'pairs', db: 'network', new: { ...user, a: '\ud83d\ude00'.repeat(3) }, verdict: 'taken' },
      { what: 'nested 10,000 deep', db: 'network', new: { ...user, deep }, verdict: /nested at most/ },
      {
        what: 'a large tombstone',
        db: 'stripes',
        new: tombstone(stripe, { forgotten: `${large}${large}` }),
        verdict: /at most/,
      },
      { what: 'with an attachment', db: 'network', new: { ...user, _attachments: { a: {} } }, verdict: /attachments/ },
      {
        what: 'with revisions, which do not count',
        db: 'network',
        new: { ...user, large, ...revised('1'.repeat(32), 1000) },
        verdict: 'taken',
      },
    ]);
  });

  it('its revision: as CouchDB reads it and no other', () => {
    const hex = 'a1'.repeat(16);
    for (const hash of ['abc', 'g'.repeat(32), hex.toUpperCase(), `${hex}0`, '']) {
      const verdict = /^A revision/;
      check([{ what: `hash ${hash}`, db: 'network', new: { ...user, ...revised(hash, 1) }, verdict }]);
      const history = { ...user, _rev: `2-${hex}`, _revisions: { start: 2, ids: [hex, hash] } };
      check([{ what: `ancestor ${hash}`, db: 'network', new: history, verdict }]);
    }
    for (const rev of [`0-${hex}`, `01-${hex}`, `1234567890-${hex}`, 7]) {
      check([{ what: String(rev), db: 'network', new: { ...user, _rev: rev }, verdict: /^A revision/ }]);
    }
    check([{ what: 'right', db: 'network', new: { ...user, ...revised(hex, 3) }, verdict: 'taken' }]);
  });
});

describe('the text for CouchDB', () => {
  it('is ECMAScript 5 and refers to nothing outside', () => {
    const messages = new Linter().verify(`(${validationText()});`, {
      languageOptions: { ecmaVersion: 5, sourceType: 'script' },
      rules: { 'no-undef': 'error' },
    });
    assert.deepEqual(messages, []);
    const [later] = new Linter().verify('(function () { let a = 1; });', {
      languageOptions: { ecmaVersion: 5, sourceType: 'script' },
    });
    assert.ok(later?.fatal, 'the check itself notices later syntax');
  });

  it('judges alone as it does in this process', () => {
    const alone = runInNewContext(`(${designFields().validate_doc_update})`) as typeof validate;
    const by = { db: 'stripes', name: `peer-${B}`, roles: ['shoal-peer'] };
    alone(stripe, null, by);
    assert.throws(() => alone(changed(stripe), stripe, by), { forbidden: 'This document never changes.' });
  });
});
