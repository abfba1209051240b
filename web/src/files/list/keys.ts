import type { Selection } from './selection.js';
import { choose, chooseAll, extend, step, toggle } from './selection.js';

/** What a key does in the list. */
export type KeyEffect =
  | { readonly kind: 'select'; readonly selection: Selection }
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string }
  | { readonly kind: 'remove' }
  | { readonly kind: 'up' };

export interface Key {
  readonly key: string;
  readonly shift: boolean;
  /** Ctrl, or Cmd on a Mac. */
  readonly command: boolean;
  readonly alt: boolean;
}

export interface ListState {
  readonly selection: Selection;
  /** Paths as they are listed. */
  readonly order: readonly string[];
  /** Rows that are seen at once. */
  readonly pageRows: number;
}

/** https://www.w3.org/WAI/ARIA/apg/patterns/grid/, and what file managers have taught. undefined: not a key of the list. */
export function effectOf(key: Key, state: ListState): KeyEffect | undefined {
  const { selection, order } = state;
  const by = stepOf(key, state.pageRows);
  if (by !== undefined) {
    const path = step(selection, by, order);
    if (path === undefined) return undefined;
    if (key.shift) return select(extend(selection, path, order));
    return select(key.command ? { ...selection, focus: path } : choose(path));
  }
  const { focus } = selection;
  if (key.key === 'a' && key.command) return select(chooseAll(selection, order));
  if (key.key === 'Escape' && selection.chosen.size > 0) return select({ ...selection, chosen: new Set() });
  if (key.key === 'Backspace') return { kind: 'up' };
  if (key.key === 'Delete' && selection.chosen.size > 0) return { kind: 'remove' };
  if (focus === null || key.command || key.alt) return undefined;
  if (key.key === ' ') return select(toggle(selection, focus));
  if (key.key === 'Enter') return { kind: 'open', path: focus };
  return key.key === 'F2' ? { kind: 'rename', path: focus } : undefined;
}

function select(selection: Selection): KeyEffect {
  return { kind: 'select', selection };
}

function stepOf({ key, alt }: Key, pageRows: number): number | undefined {
  if (alt) return undefined;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: pageRows,
    PageUp: -pageRows,
    Home: -Infinity,
    End: Infinity,
  };
  return steps[key];
}
