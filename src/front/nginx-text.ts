import { StorageError } from '../errors.js';

/** A directive, or a block of them. */
export type Directive = readonly [name: string, ...words: string[]] | Block;

export interface Block {
  readonly head: readonly string[];
  readonly body: readonly Directive[];
}

export function block(head: readonly string[], body: readonly Directive[]): Block {
  return { head, body };
}

/** Directives as nginx reads them, two spaces a level. */
export function render(directives: readonly Directive[], indent = ''): string {
  return directives
    .map((directive) => {
      if ('head' in directive) {
        return `${indent}${directive.head.join(' ')} {\n${render(directive.body, `${indent}  `)}${indent}}\n`;
      }
      return `${indent}${directive.join(' ')};\n`;
    })
    .join('');
}

/**
 * A string in quotes. A dollar sign would begin a variable, and nginx has no way to write one.
 *
 * @throws StorageError INVALID_ARGUMENT for a path that nginx could not be told
 */
export function quote(path: string): string {
  if (/[$"\\\p{Cc}]/u.test(path)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `nginx cannot use the path ${JSON.stringify(path)}: move the peer's home to one without $, quotes and backslashes.`,
    );
  }
  return `"${path}"`;
}

export function seconds(ms: number): string {
  return `${String(Math.ceil(ms / 1000))}s`;
}
