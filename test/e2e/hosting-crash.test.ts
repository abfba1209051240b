import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Document, DocumentDatabase } from '../../src/documents/document-database.js';
import { HttpHost } from '../../src/documents/http-host.js';
import { StorageError } from '../../src/errors.js';
import { temporaryFolder } from '../contract/offer.js';
import { SeededNumbers } from './programs/seeded.js';

const HOSTING = fileURLToPath(new URL('programs/pouch-hosting.js', import.meta.url));
const KILLS = 8;
/** The kill falls anywhere within this time after the hosting answers. */
const LIFE_MS = 150;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

async function startHosting(home: string): Promise<ChildProcess> {
  const hosting = spawn(process.execPath, [HOSTING, home], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(hosting.stdout, 'data');
  return hosting;
}

async function kill(hosting: ChildProcess): Promise<void> {
  const closed = once(hosting, 'close');
  hosting.kill('SIGKILL');
  await closed;
}

/** What writers were told of each document, by id. */
class Ledger {
  /** The highest number of which a write was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  /** The highest number of which a write was begun. */
  readonly begun = new Map<string, number>();

  /** Writes batches until the hosting is gone: new documents, and one that grows. */
  async write(database: DocumentDatabase, lane: string, numbers: SeededNumbers): Promise<void> {
    for (let turn = 0; ; turn++) {
      const batch: Document[] = Array.from({ length: 1 + numbers.below(20) }, (_, index) => ({
        _id: `${lane}-${String(turn)}-${String(index)}`,
        number: 1,
      }));
      const counter = `counter-${lane.slice(-1)}`;
      batch.push({ _id: counter, number: (this.begun.get(counter) ?? 0) + 1 });
      for (const { _id, number } of batch) this.begun.set(_id, Number(number));
      try {
        await database.put(batch);
      } catch (error) {
        if (StorageError.is(error, 'UNAVAILABLE')) return;
        throw error;
      }
      for (const { _id, number } of batch) this.acknowledged.set(_id, Number(number));
    }
  }

  async verify(database: DocumentDatabase): Promise<void> {
    const found = new Map<string, number>();
    for await (const page of database.list('')) {
      for (const { id, document } of page) found.set(id, Number(document?.['number']));
    }
    for (const [id, number] of this.acknowledged) {
      assert.ok((found.get(id) ?? 0) >= number, `${id} was acknowledged as ${String(number)}`);
    }
    for (const [id, number] of found) assert.ok(number <= (this.begun.get(id) ?? 0), `${id} was never written so`);
  }
}

describe(`PouchDB hosting that is killed again and again (SHOAL_TEST_SEED=${SEED})`, { timeout: 120_000 }, () => {
  it('keeps every acknowledged document, and its feed tells of each', async (context) => {
    const home = await temporaryFolder(context);
    const numbers = new SeededNumbers(SEED);
    const ledger = new Ledger();
    const host = new HttpHost({ socket: join(home, 'pouchdb.sock'), secretFile: join(home, 'pouchdb.secret') });
    const ending = new AbortController();
    const told = new Set<string>();
    let following: Promise<void> | undefined;
    let hosting: ChildProcess | undefined;
    context.after(() => {
      ending.abort();
      hosting?.kill('SIGKILL');
    });
    for (let round = 0; round < KILLS; round++) {
      hosting = await startHosting(home);
      const database = await host.open('user');
      following ??= follow(database, told, ending.signal);
      await ledger.verify(database);
      const lanes = ['a', 'b'].map((lane) => ledger.write(database, `${String(round)}-${lane}`, numbers));
      await sleep(numbers.below(LIFE_MS));
      await kill(hosting);
      await Promise.all(lanes);
    }
    hosting = await startHosting(home);
    const database = await host.open('user');
    await ledger.verify(database);
    await database.put([{ _id: 'last' }]);
    while (!told.has('last')) await sleep(20);
    ending.abort();
    await following;
    assert.ok(ledger.acknowledged.size > KILLS, 'the writers got as far as doing something');
    const missed = [...ledger.acknowledged.keys()].filter((id) => !told.has(id));
    assert.deepEqual(missed, [], 'the feed that was there all along told of everything');
    assert.deepEqual((await host.status()).damaged, []);
    await host.close();
    await kill(hosting);
  });
});

async function follow(database: DocumentDatabase, told: Set<string>, signal: AbortSignal): Promise<void> {
  for await (const ids of database.changes({ since: '0', signal })) for (const id of ids) told.add(id);
}
