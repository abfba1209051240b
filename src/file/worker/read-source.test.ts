import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { appendFile, mkdtemp, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LocalSource } from './protocol.js';
import { readLocal } from './read-source.js';

const KIB = 1024;
/** Read in line, and read in pieces. */
const SIZES = [1000, 2500 * KIB];

describe('readLocal', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-read-source-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function file(bytes: number): Promise<{ readonly content: Buffer; readonly source: LocalSource }> {
    const local = join(folder, 'file');
    const content = Buffer.from(Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    await rm(local, { force: true });
    await writeFile(local, content);
    const { dev, ino, mtimeMs } = await stat(local, { bigint: true });
    const device = dev.toString();
    const inode = ino.toString();
    return { content, source: { local, device, inode, fileBytes: bytes, modifiedMs: Number(mtimeMs) } };
  }

  async function read(source: LocalSource, offset = 0, bytes = source.fileBytes): Promise<Buffer> {
    const parts: Buffer[] = [];
    await readLocal(source, offset, bytes, (piece) => parts.push(Buffer.from(piece)));
    return Buffer.concat(parts);
  }

  for (const bytes of SIZES) {
    describe(`of ${String(bytes)} bytes`, () => {
      it('reads the whole file, and any part', async () => {
        const { content, source } = await file(bytes);
        assert.ok((await read(source)).equals(content));
        assert.ok((await read(source, 10, bytes - 20)).equals(content.subarray(10, bytes - 10)));
      });

      it('accepts a time with a fraction of a millisecond', async () => {
        const { content, source } = await file(bytes);
        assert.ok((await read({ ...source, modifiedMs: source.modifiedMs + 0.75 })).equals(content));
      });

      it('is a CONFLICT when the file grew, was cut or written since', async () => {
        const changes: ((source: LocalSource) => Promise<LocalSource>)[] = [
          async (source) => {
            await appendFile(source.local, 'x');
            return source;
          },
          async (source) => {
            await truncate(source.local, source.fileBytes - 1);
            return source;
          },
          async (source) => {
            await utimes(source.local, 1, 1);
            return source;
          },
        ];
        for (const change of changes) {
          const { source } = await file(bytes);
          await assert.rejects(read(await change(source)), { code: 'CONFLICT', message: /changed while it was/ });
        }
      });

      it('is PERMISSION_DENIED when another file is seen than the caller saw', async () => {
        const { source } = await file(bytes);
        for (const other of [{ inode: '1' }, { device: '1' }]) {
          await assert.rejects(read({ ...source, ...other }), { code: 'PERMISSION_DENIED', message: /another file/ });
        }
      });

      it('says what the system says', async () => {
        const { source } = await file(bytes);
        await rm(source.local);
        await assert.rejects(read(source), { code: 'NOT_FOUND', message: /^Reading / });
      });
    });
  }

  it('is a CONFLICT when the file changes while it is read', async () => {
    const { source } = await file(2500 * KIB);
    let first = true;
    const reading = readLocal(source, 0, source.fileBytes, () => {
      if (!first) return;
      first = false;
      // Nobody may write between two pieces, not even what leaves the length alone.
      utimesSync(source.local, 5, 5);
    });
    await assert.rejects(reading, { code: 'CONFLICT' });
  });
});
