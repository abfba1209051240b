// @ts-check
/** web → a folder of static files, by Vite. Nothing in it may come from elsewhere: the page works without the internet. */
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../web', import.meta.url));

/** @param {string} out @returns {Promise<boolean>} false when it does not build; Vite has said why */
export async function buildWeb(out) {
  try {
    // Not before the packages are installed: scripts/setup.mjs imports this file to install them.
    const { build } = await import('vite');
    await build({
      root,
      configFile: false,
      envDir: false,
      logLevel: 'warn',
      oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
      build: {
        outDir: out,
        emptyOutDir: true,
        // Of 2024, for light-dark() and popovers: nothing is rewritten for older ones.
        target: ['chrome123', 'firefox125', 'safari17.5'],
        // The gateway's policy for the page allows no data: URLs.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
      },
    });
    return true;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}
