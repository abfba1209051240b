/** Uploads that are interrupted, and files that mean harm. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { needs } from '../needs.js';
import { BrowserStage, CHROMIUM, type Tab, until } from './stage.js';

const MIB = 1024 * 1024;

describe('uploads in a browser', needs(CHROMIUM), () => {
  let stage: BrowserStage;
  let tab: Tab;
  let page: Page;

  before(async () => {
    stage = await BrowserStage.open({ peers: 3 });
    tab = await stage.tab();
    page = tab.page;
  });

  after(async () => {
    await stage[Symbol.asyncDispose]();
  });

  function makeFile(name: string): string {
    const path = join(stage.folder, name);
    writeFileSync(path, randomBytes(24 * MIB + 5));
    return path;
  }

  /** Of what the page sends. @param bytesPerSecond -1 for no bound */
  async function throttle(bytesPerSecond: number): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', conditions);
  }

  /** Begins to store a file slowly, and waits until some of it has been sent. */
  async function begin(file: string): Promise<void> {
    await throttle(4 * MIB);
    await page.setInputFiles('input[data-purpose=files]', file);
    const bar = page.getByRole('progressbar', { name: 'Uploads' });
    await until(
      page,
      "Number(document.querySelector('.queue > [role=progressbar]')?.getAttribute('aria-valuenow')) >= 30",
    );
    assert.ok(Number(await bar.getAttribute('aria-valuenow')) < 100);
  }

  function offsetsOfPatches(): number[] {
    const offsets: number[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
    });
    return offsets;
  }

  async function assertStored(path: string, file: string): Promise<void> {
    await page.getByText(/files? stored$/).waitFor();
    const stored = await stage.shoal(['cat', path]);
    assert.ok(stored.stdout.equals(readFileSync(file)), `${path} is what was sent`);
    await page.getByRole('button', { name: 'Clear the list' }).click();
  }

  it('go on where they stopped when the page was loaded anew', async () => {
    const file = makeFile('reload.bin');
    await begin(file);
    await page.reload();
    await page.getByText('1 upload was interrupted').waitFor();
    const offsets = offsetsOfPatches();
    await throttle(-1);
    await page.setInputFiles('input[data-purpose=again]', file);
    await assertStored('/reload.bin', file);
    assert.equal(offsets.length, 1);
    assert.ok((offsets[0] ?? 0) > 0, `it began at ${String(offsets[0])}`);
  });

  it('are paused and taken up again', async () => {
    const file = makeFile('pause.bin');
    await begin(file);
    await page.getByRole('button', { name: 'Pause all uploads' }).click();
    await page.getByText('Paused').waitFor();
    const offsets = offsetsOfPatches();
    await throttle(-1);
    await page.getByRole('button', { name: 'Go on with all uploads' }).click();
    await assertStored('/pause.bin', file);
    assert.ok((offsets[0] ?? 0) > 0, `it began at ${String(offsets[0])}`);
  });

  it('lose nothing when the user is locked in the middle', async () => {
    const file = makeFile('locked.bin');
    await begin(file);
    const locked = await stage.shoal(['lock', 'demo']);
    assert.equal(locked.code, 0, locked.stderr);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByText('1 upload waits. It goes on when you have signed in.').waitFor();
    await throttle(-1);
    await page.getByLabel('Name').fill('demo');
    const passphrase = readFileSync(join(stage.home(1), 'demo.passphrase'), 'utf8').trim();
    await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await assertStored('/locked.bin', file);
    // 401 and 423 are told to the console as errors, and were meant.
    tab.errors.splice(0, tab.errors.length, ...tab.errors.filter((text) => !/status of (401|423)/.test(text)));
  });

  it('of pages and pictures with scripts in them run nothing', async () => {
    const script = "parent.document.title = 'harm'; top.harm = true";
    const html = `<!doctype html><script>${script}</script><img src=x onerror="${script}">`;
    const files = {
      'evil.html': html,
      'evil.svg': `<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`,
      'evil.png': html,
      'evil.pdf': html,
      '<img src=x onerror=top.harm=true>.txt': html,
    };
    for (const [name, body] of Object.entries(files)) await stage.shoal(['put', '-', `/evil/${name}`], { input: body });
    await page.goto(`${stage.url}/files?path=%2Fevil`);
    await page.getByRole('grid').waitFor();
    for (const name of Object.keys(files)) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.locator('dialog.preview[open]').waitFor();
      await page.locator('.preview pre, .preview iframe, .preview .empty').waitFor();
      assert.equal(await page.evaluate('top.harm'), undefined, name);
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
    }
    assert.doesNotMatch(await page.title(), /harm/);
  });

  it('are never a page of our origin, wherever somebody is led to', async () => {
    for (const name of ['evil.html', 'evil.svg']) {
      const url = `${stage.url}/api/v1/content?path=%2Fevil%2F${name}&disposition=inline`;
      const answer = await page.request.get(url);
      assert.match(answer.headers()['content-disposition'] ?? '', /^attachment/, name);
      assert.match(answer.headers()['content-security-policy'] ?? '', /sandbox/, name);
      assert.equal(answer.headers()['x-content-type-options'], 'nosniff', name);
    }
    const framed = `new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = '/api/v1/content?path=%2Fevil%2Fevil.pdf&disposition=inline';
      frame.onload = () => resolve(top.harm);
      document.body.append(frame);
    })`;
    assert.equal(await page.evaluate(framed), undefined);
  });
});
