/** From an empty folder to the first file, without a terminal but for `shoal serve`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { finished, runCli, startCli } from '../../src/cli/run-cli.js';
import { needs } from '../needs.js';
import { FreshPeer } from './fresh-peer.js';
import { accessibilityFaults, CHROMIUM, DESKTOP, launchBrowser, PATIENCE_MS, PHONE } from './stage.js';

const PASSPHRASE = 'orbit velvet cactus hammer';

describe('the first run in a browser', needs(CHROMIUM), () => {
  let folder: string;
  let browser: Browser;
  let first: FreshPeer;
  let second: FreshPeer;
  let third: FreshPeer;
  let page: Page;
  const errors: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-first-'));
    browser = await launchBrowser();
    first = await FreshPeer.open({ folder, name: 'first' });
    second = await FreshPeer.open({ folder, name: 'second' });
    third = await FreshPeer.open({ folder, name: 'third', web: false });
    page = await newPage();
  });

  after(async () => {
    await browser.close();
    for (const peer of [first, second, third]) await peer[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function newPage(viewport = DESKTOP): Promise<Page> {
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    const opened = await context.newPage();
    opened.on('pageerror', (error) => errors.push(String(error)));
    return opened;
  }

  async function assertAccessible(of: Page): Promise<void> {
    assert.deepEqual(await accessibilityFaults({ page: of, errors }), []);
  }

  async function setAddresses(of: Page, peer: FreshPeer): Promise<void> {
    await of.getByText('Addresses and room').click();
    await of.getByLabel('Others reach it at').fill(peer.address);
    await of.getByLabel('Listens on').fill(peer.address);
  }

  async function chooseNewPassphrase(of: Page): Promise<void> {
    await of.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await of.getByLabel('The same once more').fill(PASSPHRASE);
  }

  /** Makes an invitation on the page Network. */
  async function invite(note: string): Promise<string> {
    await page.getByRole('button', { name: 'Invite a machine' }).click();
    await page.getByLabel('For whom').fill(note);
    await page.getByRole('button', { name: 'Make the invitation' }).click();
    const token = await page.getByRole('textbox', { name: 'Invitations' }).inputValue();
    await page.getByRole('button', { name: 'Done' }).click();
    return token;
  }

  it('lets nobody in who has not seen the terminal, and the link once', async () => {
    const link = await first.start();
    const stranger = await newPage();
    await stranger.goto(`http://${first.web}/`);
    await stranger.getByText('This machine is not set up yet').waitFor();
    await assertAccessible(stranger);
    await page.goto(link);
    await page.getByText('Welcome to Shoal').waitFor();
    assert.equal(page.url().includes('link='), false);
    await stranger.goto('about:blank');
    await stranger.goto(link);
    await stranger.getByText('This machine is not set up yet').waitFor();
    await stranger.context().close();
  });

  it('makes a network and its first user, who has a passphrase that holds and a kit on paper', async () => {
    await assertAccessible(page);
    await page.getByText('Start a new network').click();
    await page.getByLabel('Name of the network').fill('family');
    await page.getByLabel('Name of this machine').fill('attic');
    await setAddresses(page, first);
    await page.getByText('Only this machine itself reaches that address').waitFor();
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Your name').fill('alice');
    await page.getByLabel('Passphrase', { exact: true }).fill('alice2024');
    await page.getByText('Very weak').waitFor();
    await page.getByLabel('The same once more').fill('alice2024');
    assert.equal(await page.getByRole('button', { name: 'Finish' }).isDisabled(), true);
    await chooseNewPassphrase(page);
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.getByRole('button', { name: 'Show the recovery kit' }).click();
    await page.getByRole('region', { name: 'Shoal recovery kit' }).waitFor();
    assert.equal(
      await page
        .getByRole('listitem')
        .filter({ hasText: /^\d+ [a-z]+$/ })
        .count(),
      24,
    );
    await assertAccessible(page);
    await page.getByRole('button', { name: 'I have it on paper' }).click();
    await page.getByRole('heading', { name: 'Files', exact: true }).waitFor();
  });

  it('lets a second machine in, with an invitation, on a phone', async () => {
    await page.getByRole('link', { name: 'Network' }).click();
    await page.getByText('Too few machines to store anything yet').waitFor();
    const token = await invite('cellar');
    const phone = await newPage(PHONE);
    await phone.goto(await second.start());
    await phone.getByText('Join a network').click();
    await phone.getByLabel('Invitation').fill(`${token.slice(0, -4)}aaaa`);
    await phone.getByLabel('Name of this machine').fill('cellar');
    await setAddresses(phone, second);
    await assertAccessible(phone);
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByRole('alert').waitFor();
    await phone.getByLabel('Invitation').fill(token);
    await phone.getByRole('button', { name: 'Continue' }).click();
    await phone.getByText('This machine belongs to family now').waitFor();
    await phone.getByText('Known here: alice.').waitFor();
    await phone.getByLabel('Name').fill('alice');
    await phone.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await assertAccessible(phone);
    await phone.getByRole('button', { name: 'Sign in' }).click();
    await phone.getByText('Everything is ready').waitFor();
    await phone.getByRole('button', { name: 'To my files' }).click();
    await phone.getByRole('heading', { name: 'Files', exact: true }).waitFor();
    await phone.context().close();
  });

  it('comes to the first file when three machines are there', async () => {
    const token = await invite('shed');
    const words = ['peer', 'join', '-', '--name', 'shed', '--listen', third.address];
    const joined = await runCli(words, { home: third.home, input: token });
    assert.equal(joined.code, 0, joined.stderr);
    await third.start();
    await page.getByText('3 machines').waitFor();
    await page.getByText('used by shed').waitFor();
    await page.getByRole('button', { name: /^shed / }).waitFor();
    await page.getByRole('link', { name: 'Files' }).click();
    const letter = { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('first words') };
    await page.setInputFiles('input[type=file]:not([webkitdirectory])', letter);
    await page.getByRole('button', { name: 'letter.txt', exact: true }).waitFor();
    const { stdout, stderr } = await finished(startCli(['cat', '/letter.txt'], { home: second.home }));
    assert.equal(stdout.toString(), 'first words', stderr);
    await page.getByRole('link', { name: 'Health' }).click();
    await page.getByText(/safe; any 1 of 3 machines may fail/).waitFor();
    assert.deepEqual(errors, []);
  });
});
