/** What is chosen in a list, as file managers have it. Items are paths; the list may change under it. */
export interface Selection {
  readonly chosen: ReadonlySet<string>;
  /** Where the keyboard is; null before it was anywhere. */
  readonly focus: string | null;
  /** Where a range begins. */
  readonly anchor: string | null;
}

export const NOTHING: Selection = { chosen: new Set(), focus: null, anchor: null };

export function choose(path: string): Selection {
  return { chosen: new Set([path]), focus: path, anchor: path };
}

/** Ctrl-click, the checkbox, Space. */
export function toggle(selection: Selection, path: string): Selection {
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(path)) chosen.add(path);
  return { chosen, focus: path, anchor: path };
}

/** Shift-click and Shift-arrow: everything from the anchor to `path`, and nothing else. */
export function extend(selection: Selection, path: string, order: readonly string[]): Selection {
  const anchor = selection.anchor ?? selection.focus ?? path;
  const [from, to] = [order.indexOf(anchor), order.indexOf(path)].sort((a, b) => a - b);
  if (from === undefined || to === undefined || from < 0) return choose(path);
  return { chosen: new Set(order.slice(from, to + 1)), focus: path, anchor };
}

export function chooseAll(selection: Selection, order: readonly string[]): Selection {
  return { ...selection, chosen: new Set(order) };
}

/** Keyboard steps; the way stops at both ends. @param by rows, negative for up; Infinity for the end */
export function step(selection: Selection, by: number, order: readonly string[]): string | undefined {
  if (!Number.isFinite(by)) return by > 0 ? order.at(-1) : order[0];
  const now = selection.focus === null ? -1 : order.indexOf(selection.focus);
  if (now < 0) return by > 0 ? order[0] : order.at(-1);
  return order[Math.min(Math.max(now + by, 0), order.length - 1)];
}

/** What is left of a selection when the list is another. The focus stays near where it was. */
export function keepWithin(selection: Selection, before: readonly string[], after: readonly string[]): Selection {
  const there = new Set(after);
  const chosen = new Set([...selection.chosen].filter((path) => there.has(path)));
  const anchor = selection.anchor !== null && there.has(selection.anchor) ? selection.anchor : null;
  if (selection.focus === null || there.has(selection.focus)) return { chosen, anchor, focus: selection.focus };
  const place = Math.min(before.indexOf(selection.focus), after.length - 1);
  return { chosen, anchor, focus: after[Math.max(place, 0)] ?? null };
}
