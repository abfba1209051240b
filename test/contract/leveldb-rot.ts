import { createRequire } from 'node:module';

/** Writes over every value of a closed database whose key and text match, behind PouchDB's back, as bit rot would. */
export async function rot(place: string, isHit: (key: string, value: string) => boolean): Promise<number> {
  const level = createRequire(import.meta.url)('leveldown') as (place: string) => LevelDown;
  const database = level(place);
  const wait = (work: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      work((error) => (error instanceof Error ? reject(error) : resolve()));
    });
  await wait((done) => database.open(done));
  const iterator = database.iterator({ keyAsBuffer: false, valueAsBuffer: false });
  const hits: string[] = [];
  const step = (done: (error?: Error | null) => void): void => {
    iterator.next((error, key, value) => {
      if (key !== undefined && isHit(key, value ?? '')) hits.push(key);
      if (key === undefined) done(error);
      else step(done);
    });
  };
  await wait(step);
  await wait((done) => iterator.end(done));
  for (const key of hits) await wait((done) => database.put(key, '{"torn', done));
  await wait((done) => database.close(done));
  return hits.length;
}

interface LevelDown {
  open(done: (error?: Error | null) => void): void;
  put(key: string, value: string, done: (error?: Error | null) => void): void;
  close(done: (error?: Error | null) => void): void;
  iterator(options: { keyAsBuffer: false; valueAsBuffer: false }): {
    next(step: (error: Error | null, key?: string, value?: string) => void): void;
    end(done: (error?: Error | null) => void): void;
  };
}
