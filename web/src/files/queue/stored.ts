/** What the queue has stored is told at once: the stream of events may be broken just then. */
const listeners = new Set<(path: string) => void>();

/** @returns takes the listener away again */
export function onStored(listener: (path: string) => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function tellStored(path: string): void {
  for (const listener of listeners) listener(path);
}
