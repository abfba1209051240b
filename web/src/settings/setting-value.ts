/** A setting as somebody reads it. */
export function shown(value: unknown, none: string): string {
  if (value === null || value === undefined || value === '') return none;
  if (Array.isArray(value)) return value.length === 0 ? none : value.map((each) => shown(each, none)).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** And as it stands in a field to be changed. */
export function typed(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * What was typed, as it goes into the file: numbers, lists and the like as JSON has them, all else as text.
 *
 * @param before what the setting is now: where that is text, "5" is text too
 * @returns null for the default
 */
export function parsed(text: string, before: unknown): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (Array.isArray(before) && !trimmed.startsWith('[')) return trimmed.split(',').map((part) => part.trim());
  if (typeof before === 'string') return trimmed;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return trimmed; // Text that is no JSON is itself; the peer checks whether it fits.
  }
}
