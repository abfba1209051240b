import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import {
  openUserCatalog,
  removeForever,
  samplePeer,
  sampleUser,
  type SampleUser,
} from '../../../test/contract/catalog-users.js';
import { SeededNumbers } from '../../../test/e2e/programs/seeded.js';
import { moveAll, sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { StorageError } from '../../errors.js';
import { type ChangeText, decodeChange } from './change.js';
import { shownWithPlaces } from '../../../test/contract/catalog-view.js';
import { readSealed } from './sealed-document.js';
import type { ChangeStamp } from './stamp.js';
import type { UserCatalog } from './user-catalog.js';
import { View } from './view.js';
import type { ViewNode } from './view-node.js';

interface Step {
  readonly do: 'put' | 'remove' | 'trash' | 'folder' | 'move' | 'compact';
  readonly path: string;
  /** Of a move. */
  readonly to?: string;
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join('/')}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('put', 'put', 'remove', 'trash', 'folder', 'compact'),
    path,
  }),
  fc.record({ do: fc.constant('move' as const), path, to: path }),
);

async function run(catalog: UserCatalog, doing: Step): Promise<void> {
  if (doing.do === 'put')
    await catalog.commit([sampleVersion(doing.path, [sampleExtent(sampleStripe(catalog.user).id)])]);
  else if (doing.do === 'compact') await moveAll(catalog);
  else if (doing.do === 'folder') await catalog.makeFolder(doing.path);
  else if (doing.do === 'remove' || doing.do === 'trash') {
    // The model has no trash, from where it would be removed too.
    catalog.stat(doing.path);
    if (doing.do === 'remove') await removeForever(catalog, doing.path);
    else await catalog.remove(doing.path, { recursive: true, forever: false });
  } else await catalog.move(doing.path, doing.to ?? '/');
}

async function attempt(catalog: UserCatalog, doing: Step): Promise<boolean> {
  try {
    await run(catalog, doing);
    return true;
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return false;
  }
}

function contents(catalog: UserCatalog): string[] {
  return catalog.list('/', true).map(({ path: at, type }) => {
    return type === 'folder' ? `${at}/` : `${at} ${String(catalog.versions(at).length)}`;
  });
}

// --- a naive file system to compare with ------------------------------------------------------------------------------

/** Path → number of versions; 0 = folder. */
type Model = Map<string, number>;

function parents(at: string): string[] {
  const names = at.split('/').slice(1, -1);
  return names.map((_, depth) => `/${names.slice(0, depth + 1).join('/')}`);
}

function isUnder(at: string, folder: string): boolean {
  return at === folder || at.startsWith(`${folder}/`);
}

function modelPut(model: Model, at: string, folder: boolean): boolean {
  const found = model.get(at);
  if (parents(at).some((parent) => (model.get(parent) ?? 0) > 0)) return false;
  if (found !== undefined && (found === 0) !== folder) return false;
  for (const parent of parents(at)) model.set(parent, 0);
  model.set(at, folder ? 0 : (found ?? 0) + 1);
  return true;
}

function modelMove(model: Model, from: string, to: string): boolean {
  const parent = parents(to).at(-1);
  if (!model.has(from) || (parent !== undefined && model.get(parent) !== 0)) return false;
  if (from === to) return true;
  if (isUnder(to, from) || model.has(to)) return false;
  for (const [at, versions] of [...model]) {
    if (!isUnder(at, from)) continue;
    model.delete(at);
    model.set(to + at.slice(from.length), versions);
  }
  return true;
}

function modelRemove(model: Model, from: string): boolean {
  if (!model.has(from)) return false;
  for (const at of [...model.keys()]) if (isUnder(at, from)) model.delete(at);
  return true;
}

function apply(model: Model, doing: Step): boolean {
  if (doing.do === 'compact') return true;
  if (doing.do === 'move') return modelMove(model, doing.path, doing.to ?? '/');
  if (doing.do === 'remove' || doing.do === 'trash') return modelRemove(model, doing.path);
  return modelPut(model, doing.path, doing.do === 'folder');
}

function expected(model: Model): string[] {
  const split = (at: string): string[] => at.split('/');
  const compare = (a: string[], b: string[]): number => {
    for (const [index, name] of a.entries()) {
      const other = b[index];
      if (other === undefined) return 1;
      if (name !== other) return name < other ? -1 : 1;
    }
    return -1;
  };
  const sorted = [...model].sort(([a], [b]) => compare(split(a), split(b)));
  return sorted.map(([at, versions]) => (versions === 0 ? `${at}/` : `${at} ${String(versions)}`));
}

test('any sequence of changes gives what a naive file system gives, also after reading it again', async () => {
  const user = sampleUser();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const documents = new MemoryDocuments();
      const catalog = await openUserCatalog(user, documents);
      const model: Model = new Map();
      for (const doing of steps) {
        assert.equal(await attempt(catalog, doing), apply(model, doing), JSON.stringify(doing));
        assert.deepEqual(contents(catalog), expected(model));
      }
      assert.deepEqual(contents(await openUserCatalog(user, documents)), expected(model));
    }),
    { numRuns: 40 },
  );
});

// --- order of arrival -------------------------------------------------------------------------------------------------

interface Read {
  readonly text: ChangeText;
  readonly stamp: ChangeStamp;
}

function readAll(user: SampleUser, documents: MemoryDocuments): Read[] {
  return [...documents.documents.values()].map((document) => {
    const { plain, counter, peer, hash } = readSealed(document, { type: 'change', user: user.id }, user.keys());
    return { text: decodeChange(plain), stamp: { counter, peer, document: hash, peerName: 'attic' } };
  });
}

function build(changes: readonly Read[]): View {
  const view = new View();
  for (const { text, stamp } of changes) view.apply(text, stamp);
  return view;
}

/** Two peers of one user that work apart, meet now and then, and work on. */
async function workApart(user: SampleUser, rounds: readonly (readonly Step[])[][]): Promise<MemoryDocuments> {
  const all = new MemoryDocuments();
  for (const round of rounds) {
    const before = [...all.documents.values()];
    for (const [index, steps] of round.entries()) {
      const mine = new MemoryDocuments();
      await mine.put(before);
      const catalog = await openUserCatalog(user, mine, { peer: samplePeer(index + 1) });
      for (const doing of steps) await attempt(catalog, doing);
      await all.put([...mine.documents.values()]);
    }
  }
  return all;
}

/** Every order gives one view, in which every file that lives can be reached under a name of its own. */
function assertOneView(changes: readonly Read[], seed: number): void {
  const view = build(changes);
  const reference = shownWithPlaces(view);
  assert.equal(new Set(reference).size, reference.length);
  const { tree } = view;
  const isHidden = (node: ViewNode | undefined): boolean =>
    node !== undefined && (tree.dooms.has(node) || isHidden(node.parent));
  const alive = [...tree.nodes()].filter((node) => node.versions.length > 0 && !isHidden(node)).length;
  assert.equal(reference.filter((line) => line.startsWith('file')).length, alive);
  for (let round = 0; round < 5; round++) {
    const numbers = new SeededNumbers(`${String(seed)} ${String(round)}`);
    const keyed = changes.map((change) => ({ change, key: numbers.below(2 ** 31) }));
    const shuffled = keyed.sort((x, y) => x.key - y.key).map(({ change }) => change);
    assert.deepEqual(shownWithPlaces(build(shuffled)), reference);
  }
}

test('whatever two peers do apart, every order of arrival gives the same view', async () => {
  const user = sampleUser();
  const steps = fc.array(step, { maxLength: 8 });
  const rounds = fc.array(fc.array(steps, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(rounds, fc.integer(), async (work, seed) => {
      assertOneView(readAll(user, await workApart(user, work)), seed);
    }),
    { numRuns: 40 },
  );
});

test('folders moved into each other by three peers apart, in every order of arrival', async () => {
  const user = sampleUser();
  const names = ['a', 'b', 'c', 'd'];
  const start: Step[] = names.map((name) => ({ do: 'put', path: `/${name}/file` }));
  const move = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...names))
    .map(([from, into]): Step => ({ do: 'move', path: `/${from}`, to: `/${into}/${from}` }));
  const apart = fc.array(fc.array(move, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(apart, apart), fc.integer(), async ([first, second], seed) => {
      assertOneView(readAll(user, await workApart(user, [[start], first, second])), seed);
    }),
    { numRuns: 40 },
  );
});

test('folders moved into each other apart: both are there', async () => {
  const user = sampleUser();
  const start: Step[] = [
    { do: 'put', path: '/x/one' },
    { do: 'put', path: '/y/two' },
  ];
  const apart: Step[][] = [[{ do: 'move', path: '/x', to: '/y/x' }], [{ do: 'move', path: '/y', to: '/x/y' }]];
  const view = build(readAll(user, await workApart(user, [[start], apart])));
  const files = shownWithPlaces(view).filter((line) => line.startsWith('file'));
  assert.equal(files.length, 2);
  assert.deepEqual(
    files.map((line) => line.split(' ')[1]).sort(),
    ['/y/two', '/y/x/one'],
    'the newer move is undone: it is shown in the root',
  );
});

test('one name used apart: the newer has it, the other is a conflict copy that can be read, moved and removed', async () => {
  const user = sampleUser();
  const put: Step = { do: 'put', path: '/cat.jpg' };
  const documents = await workApart(user, [[[put], [put]]]);
  const catalog = await openUserCatalog(user, documents);
  const [first, second] = catalog.list('/', false).map((entry) => entry.path);
  assert.equal(first, '/cat (conflict 2023-11-14 attic).jpg');
  assert.equal(second, '/cat.jpg');
  await catalog.manifest(first);
  await catalog.move(first, '/other.jpg');
  await removeForever(catalog, '/cat.jpg');
  assert.deepEqual(contents(catalog), ['/other.jpg 1']);
});

test('a version written apart from a removal survives it, and so does its folder', async () => {
  const user = sampleUser();
  const start: Step[] = [
    { do: 'put', path: '/folder/file' },
    { do: 'put', path: '/folder/gone' },
  ];
  const apart: Step[][] = [[{ do: 'remove', path: '/folder' }], [{ do: 'put', path: '/folder/file' }]];
  for (const order of [apart, [...apart].reverse()]) {
    const documents = await workApart(user, [[start], order]);
    assert.deepEqual(contents(await openUserCatalog(user, documents)), ['/folder/', '/folder/file 1']);
  }
});
