/** What `npm start` runs once it is built. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('../../src/cli/demo.js', import.meta.url));

it('the demonstration loses two peers and no byte, stays up, and leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-demo-test-'));
  try {
    const file = join(folder, 'film.mkv');
    writeFileSync(file, randomBytes(20_000_000));
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, [DEMO, '--file', file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const lines: string[] = [];
    let page: Promise<Response> | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const [link] = /http:\/\/127\.0\.0\.1:\d+\/#link=\S+/.exec(line) ?? [];
      if (link !== undefined) page = fetch(link);
      if (!line.includes('devnet start')) continue; // the last line of the invitation
      assert.equal((await page)?.status, 200);
      child.kill('SIGINT');
    }
    assert.deepEqual(await exited, [0, null], lines.join('\n'));
    const text = lines.join('\n');
    assert.match(text, /Killing peer-[2-6] and peer-[2-6]/);
    assert.match(text, /^ {2}[0-9a-f]{64} {2}film\.mkv: the same$/m);
    assert.match(text, /^ {2}[0-9a-f]{64} {2}[\d,]+ small files: the same$/m);
    const home = /SHOAL_HOME=(.*)/.exec(text)?.[1] ?? '';
    assert.ok(home.startsWith(folder) && !existsSync(home));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
