/** A network of real peers, and Debian's Chromium before its web UI. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { runCli, type CliResult } from '../../src/cli/run-cli.js';
import { socketPath } from '../../src/socket-path.js';
import { findProgram } from '../needs.js';

/** Everything here runs on two busy cores: whatever is waited for may take so long, and is there in a moment mostly. */
export const PATIENCE_MS = 60_000;

export const CHROMIUM = 'chromium';
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

interface PeerOfStage {
  readonly n: number;
  readonly home: string;
  readonly up: boolean;
}

/** A tab, and what went wrong in it. */
export interface Tab {
  readonly page: Page;
  /** What the browser's console was told as an error, and what was thrown. A test may take out what it expects. */
  readonly errors: string[];
}

/** One network for the tests of one file. */
export class BrowserStage implements AsyncDisposable {
  readonly folder: string;
  /** Of the first peer, "http://127.0.0.1:20018". */
  readonly url: string;
  readonly browser: Browser;
  readonly #tabs: Tab[] = [];

  private constructor(folder: string, url: string, browser: Browser) {
    this.folder = folder;
    this.url = url;
    this.browser = browser;
  }

  static async open({ peers }: { readonly peers: number }): Promise<BrowserStage> {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-browser-'));
    try {
      const up = await devnetIn(folder, 'up', '--peers', String(peers));
      assert.equal(up.code, 0, up.stderr);
      const status = await devnetIn(folder, 'status', '--json');
      const found = (JSON.parse(status.stdout.toString()) as { peers: { web: string | null }[] }).peers[0]?.web;
      assert.ok(typeof found === 'string', 'the first peer of a devnet has a web UI');
      return new BrowserStage(folder, found, await launchBrowser());
    } catch (error) {
      await devnetIn(folder, 'down');
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Home of the peer `n`, from 1. */
  home(n: number): string {
    return join(this.folder, 'net', `peer-${String(n)}`);
  }

  /** The program, at a peer. */
  shoal(words: readonly string[], { peer = 1, input = '' }: { peer?: number; input?: string | Buffer } = {}) {
    return runCli(words, { home: this.home(peer), cwd: this.folder, input });
  }

  /** `shoal devnet …` of this network. */
  devnet(...words: readonly string[]): Promise<CliResult> {
    return devnetIn(this.folder, ...words);
  }

  async peers(): Promise<readonly PeerOfStage[]> {
    const { stdout } = await this.devnet('status', '--json');
    return (JSON.parse(stdout.toString()) as { peers: PeerOfStage[] }).peers;
  }

  /** An address that signs one browser in as the user of the devnet, once. */
  async link(): Promise<string> {
    const { url } = JSON.parse(await post(socketPath(this.home(1), 'control'), '/v1/web/link')) as { url: string };
    return url;
  }

  /** A browser of its own (cookies, storage), signed in unless it is to stay outside. */
  async tab({ signedIn = true, ...options }: BrowserContextOptions & { signedIn?: boolean } = {}): Promise<Tab> {
    const context = await this.browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const tab: Tab = { page: await context.newPage(), errors: [] };
    this.#tabs.push(tab);
    tab.page.on('console', (message) => {
      if (message.type() === 'error') tab.errors.push(`${message.text()} (${message.location().url})`);
    });
    tab.page.on('pageerror', (error) => tab.errors.push(String(error)));
    await tab.page.goto(signedIn ? await this.link() : this.url);
    if (signedIn) await tab.page.getByRole('navigation').first().waitFor();
    return tab;
  }

  /** Nothing in any tab has complained. */
  assertQuiet(): void {
    for (const { errors } of this.#tabs) assert.deepEqual(errors, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.devnet('down');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits in the page; Playwright's own way needs `eval`, which the pages' policy forbids. @param condition JavaScript */
export async function until(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const look = () => ((${condition}) ? resolve() : setTimeout(look, 20));
    look();
  })`);
}

/** What axe finds serious or critical, in words. */
export async function accessibilityFaults({ page }: Tab): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}

function devnetIn(folder: string, ...words: readonly string[]): Promise<CliResult> {
  return runCli(['devnet', ...words, '--dir', join(folder, 'net')], { home: folder });
}

/** Debian’s Chromium, without a window. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findProgram(CHROMIUM);
  assert.ok(executablePath !== undefined, 'the suite is skipped without Chromium');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  return chromium.launch({ executablePath, headless: true, args });
}

/** @returns the body of the answer of a control socket */
function post(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request({ socketPath, path, method: 'POST', headers }, (answer) => {
      text(answer).then((body) => {
        if (answer.statusCode === 200) resolve(body);
        else reject(new Error(`${path} answered ${String(answer.statusCode)}: ${body}`));
      }, reject);
    });
    asked.on('error', reject);
    asked.end('{}');
  });
}
