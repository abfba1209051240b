import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { StorageError, type ErrorCode } from '../errors.js';
import { DOCUMENT_PAGE } from '../limits.js';
import { rot } from '../../test/contract/leveldb-rot.js';
import type { Document, DocumentDatabase } from './document-database.js';
import { openDocuments } from './level-documents.js';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-documents-'));
});

after(() => rm(directory, { recursive: true }));

function fails(work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(StorageError.is(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

function rotIn(name: string, isHit: (key: string, value: string) => boolean): Promise<number> {
  return rot(join(directory, name), isHit);
}

async function collect(database: DocumentDatabase, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of database.list(prefix)) for (const { id } of page) ids.push(id);
  return ids;
}

function numbered(count: number): Document[] {
  return Array.from({ length: count }, (_, index) => ({ _id: `number-${String(index).padStart(5, '0')}`, index }));
}

test('documents are written, replaced, listed by prefix in pages, removed, and written again', async () => {
  const database = await openDocuments(directory, 'all');
  const many = numbered(DOCUMENT_PAGE * 2 + 1);
  await database.put(many);
  await database.put([{ _id: 'other-1', text: 'x' }]);
  assert.deepEqual(
    await collect(database, 'number-'),
    many.map(({ _id }) => _id),
  );
  assert.deepEqual(await collect(database, 'other-'), ['other-1']);
  assert.deepEqual(await collect(database, 'none-'), []);
  assert.equal((await database.get('number-00007'))?.['index'], 7);
  assert.equal(await database.get('number-x'), undefined);

  await database.put([{ _id: 'number-00007', index: 70 }, { _id: 'new' }]);
  assert.equal((await database.get('number-00007'))?.['index'], 70);
  assert.ok(await database.get('new'));

  await database.remove(['number-00007', 'unknown', 'number-00007x']);
  assert.equal(await database.get('number-00007'), undefined);
  assert.equal((await collect(database, 'number-')).length, many.length - 1);
  await database.put([{ _id: 'number-00007', index: 7 }]);
  assert.equal((await database.get('number-00007'))?.['index'], 7);

  await database.close();
  await database.close();
  const again = await openDocuments(directory, 'all');
  assert.equal((await collect(again, 'number-')).length, many.length);
  await again.close();
});

test('nobody else may have it open: neither this process nor another', async () => {
  const database = await openDocuments(directory, 'alone');
  await fails(openDocuments(directory, 'alone'), 'CONFLICT', /open already/);
  const program = `import { openDocuments } from ${JSON.stringify(new URL('level-documents.js', import.meta.url).href)};
    await openDocuments(${JSON.stringify(directory)}, 'alone').catch((error) => console.log(error.code, error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  assert.match(stdout, /^CONFLICT Another process has the catalog in .* open\. Stop it first\./);
  await database.close();
  await (await openDocuments(directory, 'alone')).close();
});

test('a damaged database says so, and what to do', async () => {
  const database = await openDocuments(directory, 'damaged');
  await database.put(numbered(3));
  await database.close();
  await writeFile(join(directory, 'damaged', 'CURRENT'), 'garbage');
  await fails(openDocuments(directory, 'damaged'), 'CORRUPT', /shoal recover/);
  await rm(join(directory, 'damaged'), { recursive: true });
  await (await openDocuments(directory, 'damaged')).close();
});

test('a database without its file CURRENT is not taken for a new one', async () => {
  await (await openDocuments(directory, 'currentless')).close();
  await rm(join(directory, 'currentless', 'CURRENT'));
  await fails(openDocuments(directory, 'currentless'), 'CORRUPT', /damaged/);
});

test('a database without its description says so', async () => {
  await (await openDocuments(directory, 'headless')).close();
  const place = join(directory, 'headless');
  for (const name of await readdir(place)) if (name.startsWith('MANIFEST')) await rm(join(place, name));
  await fails(openDocuments(directory, 'headless'), 'CORRUPT', /damaged/);
});

test('a rotten document is told from a missing one, and hides no other', async () => {
  const database = await openDocuments(directory, 'rotten');
  await database.put(numbered(5));
  await database.close();
  assert.equal(await rotIn('rotten', (key, value) => key.includes('by-sequence') && value.includes('number-00002')), 1);
  const again = await openDocuments(directory, 'rotten');
  await fails(again.get('number-00002'), 'CORRUPT', /damaged/);
  assert.equal(await again.get('number-00009'), undefined);
  const lost: string[] = [];
  for await (const page of again.list('number-')) {
    for (const { id, document } of page) if (document === undefined) lost.push(id);
  }
  assert.deepEqual(lost, ['number-00002']);
  assert.equal((await collect(again, 'number-')).length, 5);
  await again.close();
});

test('a document whose description is rotten is noticed', async () => {
  const database = await openDocuments(directory, 'nameless');
  await database.put(numbered(5));
  await database.close();
  assert.equal(await rotIn('nameless', (key) => key.includes('document-store') && key.endsWith('number-00002')), 1);
  const again = await openDocuments(directory, 'nameless');
  assert.deepEqual(await collect(again, 'number-'), [
    'number-?',
    'number-00000',
    'number-00001',
    'number-00003',
    'number-00004',
  ]);
  await again.close();
});

test('a database that has lost its counter is not opened: it would write over what is there', async () => {
  const database = await openDocuments(directory, 'counter');
  await database.put(numbered(5));
  await database.close();
  assert.equal(await rotIn('counter', (key) => key.endsWith('_local_last_update_seq')), 1);
  await fails(openDocuments(directory, 'counter'), 'CORRUPT', /damaged/);
});

test('a feed passes over what is rotten, where PouchDB would end the process', async () => {
  const database = await openDocuments(directory, 'feed');
  await database.put(numbered(6));
  await database.close();
  assert.equal(await rotIn('feed', (key) => key.includes('document-store') && key.endsWith('number-00002')), 1);
  assert.equal(await rotIn('feed', (key, value) => key.includes('by-sequence') && value.includes('number-00004')), 1);
  const again = await openDocuments(directory, 'feed');
  const ending = new AbortController();
  const told: string[] = [];
  for await (const ids of again.changes({ since: '0', signal: ending.signal })) {
    told.push(...ids);
    ending.abort();
  }
  assert.deepEqual(told, ['number-00000', 'number-00001', 'number-00003', 'number-00005']);
  await again.compact();
  await again.close();
});

test('what compaction forgets is not on the disk any more', async () => {
  const database = await openDocuments(directory, 'forgotten');
  await database.put([{ _id: 'a', wrap: 'the old passphrase opens this' }]);
  await database.put([{ _id: 'a', wrap: 'new' }]);
  await database.compact();
  await database.put([{ _id: 'b' }]);
  await database.close();
  const place = join(directory, 'forgotten');
  for (const name of await readdir(place)) {
    const bytes = await readFile(join(place, name));
    assert.equal(bytes.includes('old passphrase'), false, name);
  }
  const again = await openDocuments(directory, 'forgotten');
  assert.deepEqual(await again.texts('a'), [{ _id: 'a', wrap: 'new' }]);
  await again.close();
});

test('what is acknowledged after a write that failed halfway is kept', async () => {
  const program = `
    import { openDocuments } from ${JSON.stringify(new URL('level-documents.js', import.meta.url).href)};
    const database = await openDocuments(${JSON.stringify(directory)}, 'full');
    for (let index = 0; index < 60; index++) {
      await database.put([{ _id: 'd-' + index, text: 'y'.repeat(20_000) }]).then(
        () => console.log('acknowledged d-' + index),
        (error) => console.log('refused ' + error.code),
      );
    }
    process.kill(process.pid, 'SIGKILL');`;
  // A file may not grow past 200 KiB, as on a disk that is full now and then.
  const shell = `trap '' XFSZ; ulimit -f 400; exec "$0" --input-type=module -e "$1"`;
  const said = await promisify(execFile)('sh', ['-c', shell, process.execPath, program]).catch(
    (error: unknown) => error as { stdout: string },
  );
  const lines = said.stdout.trim().split('\n');
  assert.ok(lines.includes('refused NO_SPACE'), 'some writes failed');
  const acknowledged = lines.filter((line) => line.startsWith('acknowledged')).map((line) => line.split(' ')[1] ?? '');
  assert.ok(acknowledged.length > 40);
  const database = await openDocuments(directory, 'full');
  for (const id of acknowledged) assert.ok(await database.get(id), `${id} was acknowledged`);
  await database.close();
});
