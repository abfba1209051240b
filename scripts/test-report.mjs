// @ts-check
/**
 * A reporter for node:test: a line per file as it ends; then every failure, every skipped suite or test with its reason,
 * and the runner's own counts.
 *
 * @typedef {{ type: string, data: { name: string, nesting: number, file?: string, skip?: string | boolean,
 *   todo?: string | boolean, message: string, details?: { duration_ms: number, passed?: boolean, error?: Error } } }} TestEvent
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Of what a file printed, kept for the case that it fails without a failed test. */
const MAX_OUTPUT_CHARACTERS = 20_000;

/** @param {string} path of a compiled file, or of its source where the runner has mapped it */
function sourceName(path) {
  return relative(root, path)
    .replace(/^dist./, '')
    .replace(/\.js$/, '.ts');
}

/** @param {TestEvent['data']} data a file is reported as a test of its own, named by its path */
function isFile(data) {
  return data.nesting === 0 && data.name === data.file;
}

/** @param {Error | undefined} error */
function explain(error) {
  const cause = error !== undefined && 'cause' in error && error.cause !== undefined ? error.cause : error;
  return (typeof cause === 'string' ? cause : inspect(cause, { colors: false, depth: 4 })).replace(/^/gm, '    ');
}

/** @param {Error | undefined} error a suite or file that failed only because something in it did */
function isEcho(error) {
  return error !== undefined && 'failureType' in error && error.failureType === 'subtestsFailed';
}

class Report {
  /** @type {string[]} */ failures = [];
  /** @type {string[]} */ skipped = [];
  /** @type {string[]} */ counts = [];
  /** @type {string[]} names of the suites around the current test */ #trail = [];
  /** @type {Map<string, string>} */ #output = new Map();

  /** @param {TestEvent} event @returns {string | undefined} a line to print at once */
  take({ type, data }) {
    if (type === 'test:start') this.#trail.splice(data.nesting, Infinity, data.name);
    if (type === 'test:stdout' || type === 'test:stderr') this.#keep(data);
    if (type === 'test:diagnostic' && data.nesting === 0 && /^[a-z_]+ [\d.]+$/.test(data.message)) {
      this.counts.push(data.message);
    }
    if (type === 'test:fail') this.#fail(data);
    if ((type === 'test:pass' || type === 'test:fail') && data.skip !== undefined && data.skip !== false) {
      const reason = typeof data.skip === 'string' ? data.skip : 'no reason given';
      this.skipped.push(`${this.#where(data)}: ${reason}`);
    }
    if (type !== 'test:complete' || !isFile(data)) return undefined;
    const seconds = ((data.details?.duration_ms ?? 0) / 1000).toFixed(1).padStart(6);
    return `${data.details?.passed === false ? 'FAIL' : 'ok  '} ${seconds} s  ${sourceName(data.name)}\n`;
  }

  /** @param {TestEvent['data']} data */
  #keep(data) {
    const file = data.file ?? '';
    this.#output.set(file, ((this.#output.get(file) ?? '') + data.message).slice(-MAX_OUTPUT_CHARACTERS));
  }

  /** @param {TestEvent['data']} data */
  #fail(data) {
    const error = data.details?.error;
    if (isEcho(error)) return;
    const output = isFile(data) ? (this.#output.get(data.name) ?? '').trimEnd().replace(/^/gm, '    ') : '';
    this.failures.push([this.#where(data), explain(error), output].filter((part) => part !== '').join('\n'));
  }

  /** @param {TestEvent['data']} data */
  #where(data) {
    if (isFile(data)) return sourceName(data.name);
    return [sourceName(data.file ?? ''), ...this.#trail.slice(0, data.nesting), data.name].join(' › ');
  }
}

/** @param {AsyncIterable<TestEvent>} events */
async function* report(events) {
  const state = new Report();
  for await (const event of events) {
    const line = state.take(event);
    if (line !== undefined) yield line;
  }
  for (const failure of state.failures) yield `\nFAIL ${failure}\n`;
  if (state.skipped.length > 0) yield '\nSkipped:\n';
  for (const skipped of state.skipped) yield `  ${skipped}\n`;
  yield '\n';
  for (const count of state.counts) yield `# ${count}\n`;
}

// The runner takes a reporter by its default export.
export default report;
