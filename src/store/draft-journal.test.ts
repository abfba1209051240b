import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseStripeId, parseUserId } from '../chunk/ids.js';
import { DraftJournal, type PartRow } from './draft-journal.js';

const OWNER = parseUserId(new Uint8Array(32).fill(1));
const OTHER = parseUserId(new Uint8Array(32).fill(2));
const SECRET = Buffer.from('the key of an extent');

function id(n: number): string {
  return n.toString(16).padStart(32, '0');
}

function part(fileOffset: number, bytes = 10): PartRow {
  const stripe = parseStripeId(new Uint8Array(32).fill(fileOffset + 1));
  return { fileOffset, bytes, stripe, sealed: SECRET };
}

async function folderOf(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-draft-journal-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function begin(journal: DraftJournal, n: number, touchedMs = n, owner = OWNER): Promise<void> {
  const salt = new Uint8Array(32);
  await journal.add({ id: id(n), owner, generation: 1, salt, head: Uint8Array.of(n), touchedMs });
}

describe('DraftJournal', () => {
  it('has drafts and their parts, also when it is opened again', async (context) => {
    const directory = await folderOf(context);
    {
      await using journal = await DraftJournal.open(directory);
      await begin(journal, 1);
      await begin(journal, 2, 2, OTHER);
      await journal.addPart(id(1), part(10, 5), 7);
      await journal.addPart(id(1), part(0), 8);
      await journal.addPart(id(1), part(15), 9);
    }
    await using journal = await DraftJournal.open(directory);
    const [draft, ...others] = journal.list(OWNER);
    assert.deepEqual(others, []);
    assert.deepEqual([draft?.id, draft?.touchedMs, draft?.finished], [id(1), 9, false]);
    assert.deepEqual(
      journal.spans(id(1)).map(({ fileOffset, bytes }) => [fileOffset, bytes]),
      [
        [0, 10],
        [10, 5],
        [15, 10],
      ],
    );
    const offsets = (rows: readonly PartRow[]): number[] => rows.map(({ fileOffset }) => fileOffset);
    assert.deepEqual(offsets(journal.parts(id(1), { from: 1, most: 1 })), [10]);
    assert.deepEqual(offsets(journal.parts(id(1), { from: 10, most: 9, last: true })), [15, 10]);
    assert.equal(journal.stripes().length, 3);
    await journal.removeParts(id(1), [10]);
    assert.deepEqual(offsets(journal.parts(id(1), { from: 0, most: 9 })), [0, 15]);
  });

  it('refuses a part that is there, and one of no draft', async (context) => {
    await using journal = await DraftJournal.open(await folderOf(context));
    await begin(journal, 1);
    await journal.addPart(id(1), part(0), 1);
    await assert.rejects(journal.addPart(id(1), part(0), 1));
    await assert.rejects(journal.addPart(id(3), part(0), 1));
    assert.equal(journal.stripes().length, 1);
  });

  it('remembers so many that are finished, without their parts', async (context) => {
    await using journal = await DraftJournal.open(await folderOf(context));
    for (const n of [1, 2, 3]) {
      await begin(journal, n);
      await journal.addPart(id(n), part(n), n);
      await journal.finish(id(n), { owner: OWNER, nowMs: 10 + n, keep: 2 });
    }
    assert.deepEqual(journal.stripes(), []);
    assert.equal(journal.count(OWNER), 0);
    assert.deepEqual(
      [1, 2, 3].map((n) => journal.get(id(n))?.finished),
      [undefined, true, true],
    );
    const stale = journal.stale(OWNER, { finished: true, untilMs: 13 });
    assert.deepEqual(
      stale.map((row) => row.id),
      [id(2)],
    );
  });

  it('has nothing of what was removed left in its file', async (context) => {
    const directory = await folderOf(context);
    {
      await using journal = await DraftJournal.open(directory);
      await begin(journal, 1);
      await journal.addPart(id(1), part(0), 1);
      await journal.remove([id(1)]);
      assert.deepEqual(journal.stripes(), []);
    }
    const file = await readFile(join(directory, 'drafts.sqlite'));
    assert.ok(!file.includes(SECRET));
  });
});
