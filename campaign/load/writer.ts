import { setTimeout as sleep } from 'node:timers/promises';
import { assert, StorageError, type ErrorCode } from '../../src/errors.js';
import { isBroken, judge, type Ledger } from '../check/ledger.js';
import { call, observe, type Connect } from '../check/read.js';
import type { Tally } from '../report/tally.js';
import type { Calm } from './calm.js';
import { BUNDLE_FILES, putBundle } from './bundle.js';
import { type Content, makeContent, parts } from './content.js';
import { drawOperation, type Operation, possible } from './operation.js';
import type { Stock } from './stock.js';

export interface WriterParts {
  /** Its files lie in a folder of this name; nobody else writes there. */
  readonly name: string;
  readonly seed: number;
  readonly connect: Connect;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly calm: Calm;
  /** For local files, made when it is needed. */
  readonly folder: string;
  /** Of all writers together. */
  readonly stock: Stock;
}

/** After a failure: a peer that is down stays down for a while, and a refusal takes no time. */
const AFTER_FAILURE_MS = 400;
const CALM_POLL_MS = 100;
/** Answers while peers are away, have just started, or are full. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'TOO_FEW_PEERS', 'LOCKED', 'NO_SPACE']);
/** Behind the number of the operation, in the paths of files that are put together. */
const BUNDLED = '-';
const MAX_BUNDLED_BYTES = 200_000;

/** Somebody who works with files at one peer, one thing after the other, whatever happens to the peers. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #ledger: Ledger;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#ledger = parts.ledger;
  }

  /** Until the signal aborts, which is no failure; what is under way then is left in doubt. */
  async run(signal: AbortSignal): Promise<void> {
    const { seed, name, tally, calm } = this.#parts;
    try {
      for (let index = 0; ; index++) {
        const operation = drawOperation(seed, name, index);
        await sleep(operation.pauseMs, undefined, { signal });
        while (calm.asked) await sleep(CALM_POLL_MS, undefined, { signal });
        const kind = this.#possible(operation);
        const outcome = await this.#perform({ ...operation, kind }, signal);
        tally.operation(kind, outcome);
        if (outcome !== 'ok') await sleep(AFTER_FAILURE_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #possible({ kind }: Operation): Operation['kind'] {
    return possible(kind, {
      stock: this.#parts.stock,
      files: this.#own(this.#ledger.certain).length,
      gone: this.#own(this.#ledger.gone).length,
      bundled: this.#bundled().length,
    });
  }

  /** Paths of files that were put together and are where they were put. */
  #bundled(): readonly string[] {
    return this.#own(this.#ledger.certain).filter((path) => path.includes(BUNDLED));
  }

  #own(paths: readonly string[]): readonly string[] {
    return paths.filter((path) => path.startsWith(`/${this.#parts.name}/`));
  }

  #chosen({ choice, kind }: Operation): string {
    const own = this.#own(kind === 'look' ? this.#ledger.gone : this.#ledger.certain);
    const path = own[choice % own.length];
    assert(path !== undefined, 'a writer has a path to work with');
    return path;
  }

  #perform(operation: Operation, signal: AbortSignal): Promise<string> {
    const fresh = `/${this.#parts.name}/${String(operation.index)}`;
    switch (operation.kind) {
      case 'put':
        return this.#put(fresh, operation, signal);
      case 'bundle':
        return this.#bundle(fresh, operation, signal);
      case 'compact':
        return this.#compact(operation, signal);
      case 'overwrite':
        return this.#put(this.#chosen(operation), operation, signal);
      case 'get':
      case 'look':
        return this.#read(this.#chosen(operation), signal);
      case 'rename':
        return this.#rename(this.#chosen(operation), fresh, signal);
      case 'remove':
        return this.#remove(this.#chosen(operation), operation.forever || this.#parts.stock.isFull, signal);
      case 'empty':
        return this.#empty(signal);
    }
  }

  async #put(path: string, { index, bytes }: Operation, signal: AbortSignal): Promise<string> {
    const { seed, name, connect, tally, stock } = this.#parts;
    const content = makeContent(`${String(seed)} ${name} ${String(index)}`, bytes);
    const outcome = await this.#attempt(path, signal, {
      impossible: ['NOT_FOUND', 'ALREADY_EXISTS'],
      work: () => call(connect, signal, (client) => client.upload(path, parts(content))),
      remember: (acknowledged) => {
        this.#ledger.put(path, content.digest, acknowledged);
        stock.put(path, bytes);
      },
    });
    if (outcome === 'ok') tally.writtenBytes += bytes;
    return outcome;
  }

  async #bundle(fresh: string, { index, bytes }: Operation, signal: AbortSignal): Promise<string> {
    const { seed, name, connect, tally, folder, stock } = this.#parts;
    const each = Array.from({ length: BUNDLE_FILES }, (_, at): [string, Content] => {
      const content = makeContent(`${String(seed)} ${name} ${String(index)} ${String(at)}`, bytes % MAX_BUNDLED_BYTES);
      return [`${fresh}${BUNDLED}${String(at)}`, content];
    });
    const left = new Map(each);
    const take = (path: string): void => {
      const content = left.get(path);
      assert(content !== undefined, `${path} was put`);
      left.delete(path);
      this.#ledger.put(path, content.digest, true);
      tally.writtenBytes += content.bytes.length;
      stock.put(path, content.bytes.length);
    };
    try {
      const failed = await call(connect, signal, (client) => putBundle(client, { folder, files: new Map(each) }, take));
      return failed ?? 'ok';
    } catch (error) {
      signal.throwIfAborted();
      if (!StorageError.is(error)) throw error;
      return error.code;
    } finally {
      for (const [path, { digest, bytes: inDoubt }] of left) {
        this.#ledger.put(path, digest, false);
        stock.put(path, inDoubt.length);
      }
    }
  }

  /** Of a bundle one file is left. */
  async #compact({ choice, forever }: Operation, signal: AbortSignal): Promise<string> {
    const bundled = this.#bundled();
    const chosen = bundled[choice % bundled.length] ?? '';
    const bundle = chosen.slice(0, chosen.indexOf(BUNDLED) + BUNDLED.length);
    for (const path of bundled.filter((other) => other.startsWith(bundle) && other !== chosen)) {
      const outcome = await this.#remove(path, true, signal);
      if (outcome !== 'ok') return outcome;
    }
    try {
      return await call(this.#parts.connect, signal, async (client) => {
        for await (const { event } of client.compactNow(forever)) if (event === 'done') return 'ok';
        // The peer stopped.
        return 'UNAVAILABLE';
      });
    } catch (error) {
      signal.throwIfAborted();
      return this.#failure('compaction', error, []);
    }
  }

  async #read(path: string, signal: AbortSignal): Promise<string> {
    const { connect, tally } = this.#parts;
    const claim = this.#ledger.at(path);
    assert(claim !== undefined, `${path} is known`);
    const seen = await observe(connect, path, signal);
    const violation = judge(claim, new Map([[path, seen]]));
    // Who cannot read while peers are away reads later: the end will tell.
    if (violation !== undefined && violation.kind !== 'unreadable') tally.violations.push(violation);
    return seen.kind === 'failed' ? seen.code : (violation?.kind ?? 'ok');
  }

  #rename(from: string, to: string, signal: AbortSignal): Promise<string> {
    return this.#attempt(from, signal, {
      impossible: ['NOT_FOUND', 'ALREADY_EXISTS'],
      work: () => call(this.#parts.connect, signal, (client) => client.move(from, to)),
      remember: (acknowledged) => {
        this.#ledger.move(from, to, acknowledged);
        this.#parts.stock.move(from, to);
      },
    });
  }

  #remove(path: string, forever: boolean, signal: AbortSignal): Promise<string> {
    const options = { recursive: false, forever };
    const { stock } = this.#parts;
    return this.#attempt(path, signal, {
      impossible: ['NOT_FOUND'],
      work: () => call(this.#parts.connect, signal, (client) => client.remove(path, options)),
      remember: (acknowledged) => {
        this.#ledger.remove(path, acknowledged);
        if (!acknowledged) return;
        if (forever) stock.removeForever(path);
        else stock.trash(path);
      },
    });
  }

  /** Of both writers: nobody takes anything back. */
  async #empty(signal: AbortSignal): Promise<string> {
    const { connect, stock } = this.#parts;
    return this.#attempt('the trash', signal, {
      impossible: [],
      work: () => call(connect, signal, (client) => client.emptyTrash(0)),
      remember: (acknowledged) => {
        if (acknowledged) stock.emptyTrash();
      },
    });
  }

  /** @returns "ok", or the code of what went wrong */
  async #attempt(path: string, signal: AbortSignal, { work, remember, impossible }: Attempt): Promise<string> {
    try {
      await work();
      remember(true);
      return 'ok';
    } catch (error) {
      remember(false);
      signal.throwIfAborted();
      return this.#failure(path, error, impossible);
    }
  }

  /** @returns the code */
  #failure(path: string, error: unknown, impossible: readonly ErrorCode[]): ErrorCode {
    if (!StorageError.is(error)) throw error;
    const { tally } = this.#parts;
    const { code, message } = error;
    const detail = `${code}: ${message}`;
    if (isBroken(code)) tally.violations.push({ kind: 'broken', path, detail });
    else if (impossible.includes(code)) {
      tally.violations.push({ kind: code === 'NOT_FOUND' ? 'lost' : 'returned', path, detail });
    } else if (!AWAY.has(code)) tally.remark(`${path}: ${detail}`);
    return code;
  }
}

interface Attempt {
  readonly work: () => Promise<unknown>;
  readonly remember: (acknowledged: boolean) => void;
  /** Answers that contradict what is known for certain. */
  readonly impossible: readonly ErrorCode[];
}
