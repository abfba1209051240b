import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Document, DocumentDatabase, Leaf } from '../../src/documents/document-database.js';
import { DOCUMENT_PAGE, ID_PAGE } from '../../src/limits.js';

/** A database under test, and how its documents get conflicts. */
export interface DocumentSubject {
  readonly database: DocumentDatabase;
  /** Adds an end to a document's revision tree, as replication does: a first revision of its own. */
  readonly addLeaf: (leaf: Leaf) => Promise<void>;
  close(): Promise<void>;
}

/** Nothing here takes anywhere near this long: what does hangs. */
const HANG_MS = 20_000;

/** Holds a DocumentDatabase to every sentence of the contract in src/documents/document-database.ts. */
export function documentDatabaseContract(name: string, open: () => Promise<DocumentSubject>): void {
  describe(`${name} keeps the DocumentDatabase contract`, { timeout: HANG_MS }, () => {
    let subject: DocumentSubject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.close());
    writing(() => subject);
    branching(() => subject);
    following(() => subject);
  });
}

export function numbered(count: number): Document[] {
  return Array.from({ length: count }, (_, index) => ({ _id: `number-${String(index).padStart(5, '0')}`, index }));
}

export async function idsOf(database: DocumentDatabase, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of database.list(prefix)) for (const { id } of page) ids.push(id);
  const alone: string[] = [];
  for await (const page of database.ids(prefix)) alone.push(...page);
  assert.deepEqual(alone, ids, 'ids by themselves');
  return ids;
}

function writing(subject: () => DocumentSubject): void {
  it('gives back what was written, with all its fields and no others', async () => {
    const { database } = subject();
    const document = { _id: 'a/%?&+', text: 'ä\u0000"', list: [1, { deep: null }], empty: {} };
    await database.put([document]);
    assert.deepEqual(await database.get(document._id), document);
    assert.equal(await database.get('b'), undefined);
    for await (const page of database.list('a')) assert.deepEqual(page, [{ id: document._id, document }]);
  });

  it('writes over what others write at the same moment', async () => {
    const { database } = subject();
    for (const id of ['new', 'known', 'gone']) if (id !== 'new') await database.put([{ _id: id, by: 'before' }]);
    await database.remove(['gone']);
    const texts = Array.from({ length: 12 }, (_, by) => ['new', 'known', 'gone'].map((_id) => ({ _id, by })));
    await Promise.all(texts.map((documents) => database.put(documents)));
    for (const id of ['new', 'known', 'gone']) {
      const found = await database.get(id);
      assert.ok(
        texts.flat().some(({ _id, by }) => _id === id && by === found?.['by']),
        id,
      );
    }
  });

  it('gives many documents at once, in the order of their ids, and nothing for what is not there', async () => {
    const { database } = subject();
    const many = numbered(DOCUMENT_PAGE + 1).reverse();
    await database.put(many);
    await database.put([{ _id: 'gone' }]);
    await database.remove(['gone']);
    const found = await database.getMany(['none', ...many.map(({ _id }) => _id), 'gone']);
    const nothing = (id: string): object => ({ id, document: undefined });
    const expected = [nothing('none'), ...many.map((document) => ({ id: document._id, document })), nothing('gone')];
    assert.deepEqual(found, expected);
    assert.deepEqual(await database.getMany([]), []);
  });

  it('lists the ids behind one, which need not be there', async () => {
    const { database } = subject();
    await database.put([...numbered(ID_PAGE + 3), { _id: 'other' }]);
    const behind = async (after: string): Promise<string[]> => {
      const ids: string[] = [];
      for await (const page of database.ids('number-', after)) ids.push(...page);
      return ids;
    };
    assert.deepEqual(await behind('number-01001'), ['number-01002']);
    assert.deepEqual(await behind('number-010005'), ['number-01001', 'number-01002']);
    assert.deepEqual(await behind('number-99999'), []);
    assert.equal((await behind('number-00000')).length, ID_PAGE + 2);
    assert.equal((await behind('a')).length, ID_PAGE + 3, 'before all of them');
  });

  it('writes over what is there, deleted or not', async () => {
    const { database } = subject();
    await database.put([{ _id: 'a', index: 1 }]);
    await database.put([
      { _id: 'a', index: 2 },
      { _id: 'b', index: 1 },
    ]);
    assert.equal((await database.get('a'))?.['index'], 2);
    await database.remove(['a', 'unknown', 'b']);
    assert.equal(await database.get('a'), undefined);
    assert.deepEqual(await idsOf(database, ''), []);
    await database.put([{ _id: 'a', index: 3 }]);
    assert.equal((await database.get('a'))?.['index'], 3);
    await database.put([]);
    await database.remove([]);
  });

  it('lists by prefix in ascending order, page by page', async () => {
    const { database } = subject();
    const many = numbered(2 * DOCUMENT_PAGE + 1);
    await database.put([...many].reverse());
    await database.put([{ _id: 'numbe' }, { _id: 'numbes' }, { _id: 'Number-1' }]);
    assert.deepEqual(
      await idsOf(database, 'number-'),
      many.map(({ _id }) => _id),
    );
    assert.deepEqual(await idsOf(database, 'none-'), []);
    assert.equal((await idsOf(database, '')).length, many.length + 3);
  });

  it('writes a tombstone with fields, which its leaf carries', async () => {
    const { database } = subject();
    await database.put([{ _id: 'a', index: 1 }]);
    await database.put([{ _id: 'a', _deleted: true, forgotten: 'signed' }]);
    assert.equal(await database.get('a'), undefined);
    const [leaf, ...others] = await database.leaves('a');
    assert.deepEqual([leaf?.deleted, leaf?.document, others], [true, { _id: 'a', forgotten: 'signed' }, []]);
  });

  it('forgets texts that are no leaves when it is compacted', async () => {
    const { database } = subject();
    for (const index of [1, 2, 3]) await database.put([{ _id: 'a', index }]);
    const before = await database.texts('a');
    assert.deepEqual(before.map(({ index }) => index).sort(), [1, 2, 3]);
    assert.deepEqual(await database.texts('never'), []);
    await database.compact();
    assert.deepEqual(await database.texts('a'), [{ _id: 'a', index: 3 }]);
  });
}

function branching(subject: () => DocumentSubject): void {
  it('shows all leaves of a document that was written apart, and ends those that are named', async () => {
    const { database, addLeaf } = subject();
    await database.put([{ _id: 'a', from: 'here' }]);
    await addLeaf({ rev: `7-${'f'.repeat(32)}`, deleted: false, document: { _id: 'a', from: 'there' } });
    await addLeaf({ rev: `1-${'0'.repeat(32)}`, deleted: false, document: { _id: 'a', from: 'elsewhere' } });
    assert.equal((await database.get('a'))?.['from'], 'there');
    const leaves = await database.leaves('a');
    assert.deepEqual(leaves.map(({ document }) => document['from']).sort(), ['elsewhere', 'here', 'there']);
    assert.ok(leaves.every(({ deleted, document }) => !deleted && Object.keys(document).length === 2));

    const losing = leaves.filter(({ document }) => document['from'] !== 'here').map(({ rev }) => rev);
    await database.removeLeaves('a', losing);
    assert.equal((await database.get('a'))?.['from'], 'here');
    const after = await database.leaves('a');
    assert.deepEqual(after.map(({ deleted }) => deleted).sort(), [false, true, true]);
    await database.removeLeaves('a', losing);
    assert.equal((await database.leaves('a')).length, 3, 'they are no leaves any more');
    await database.removeLeaves('a', []);
  });

  it('reads and removes what another database wrote alone', async () => {
    const { database, addLeaf } = subject();
    await addLeaf({ rev: `3-${'abcd'.repeat(8)}`, deleted: false, document: { _id: 'a', from: 'there' } });
    await addLeaf({ rev: `2-${'def0'.repeat(8)}`, deleted: true, document: { _id: 'b', why: 'x' } });
    assert.deepEqual(await idsOf(database, ''), ['a']);
    assert.deepEqual(await database.leaves('b'), [
      { rev: `2-${'def0'.repeat(8)}`, deleted: true, document: { _id: 'b', why: 'x' } },
    ]);
    assert.deepEqual(await database.leaves('never'), []);
    await database.remove(['a', 'b']);
    assert.deepEqual(await idsOf(database, ''), []);
  });
}

function following(subject: () => DocumentSubject): void {
  it('tells of every id that changes after a sequence, until the signal aborts', async () => {
    const { database, addLeaf } = subject();
    await database.put(numbered(10));
    const since = await database.sequence();
    await database.put([{ _id: 'number-00003', index: 33 }]);
    const ending = new AbortController();
    const told = new Set<string>();
    const steps = [
      () => database.put([{ _id: 'later' }]),
      () => database.remove(['number-00004']),
      () => addLeaf({ rev: `9-${'a'.repeat(32)}`, deleted: false, document: { _id: 'number-00005', from: 'there' } }),
      () => database.put(numbered(300).slice(10)),
    ];
    for await (const ids of database.changes({ since, signal: ending.signal })) {
      for (const id of ids) told.add(id);
      const next = steps.shift();
      if (next) await next();
      if (told.size === 294) ending.abort();
    }
    assert.ok(['number-00003', 'later', 'number-00004', 'number-00005', 'number-00299'].every((id) => told.has(id)));
    assert.equal(told.has('number-00000'), false);
  });

  it('ends a feed that waits', async () => {
    const { database } = subject();
    const ending = new AbortController();
    const feed = database.changes({ since: await database.sequence(), signal: ending.signal })[Symbol.asyncIterator]();
    const waiting = feed.next();
    ending.abort();
    assert.equal((await waiting).done, true);
    const none = database.changes({ since: await database.sequence(), signal: AbortSignal.abort() });
    for await (const ids of none) assert.fail(`nothing is told after the end: ${ids.join()}`);
  });
}
