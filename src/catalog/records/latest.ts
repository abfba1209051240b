/** What somebody tells of work in progress, for somebody who looks when it pleases: of several values only the last counts. */
export interface Latest<T> {
  readonly push: (value: T) => void;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** For one reader. Ends, or throws, as the work did. */
  values(): AsyncGenerator<T>;
}

export function latestOf<T>(): Latest<T> {
  let latest: { readonly value: T } | undefined;
  let over: { readonly error?: unknown } | undefined;
  let wake: () => void = () => undefined;
  return {
    push(value) {
      latest = { value };
      wake();
    },
    end() {
      over ??= {};
      wake();
    },
    fail(error) {
      over ??= { error };
      wake();
    },
    async *values() {
      for (;;) {
        if (latest !== undefined) {
          const { value } = latest;
          latest = undefined;
          yield value;
        } else if (over === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else {
          if ('error' in over) throw over.error;
          return;
        }
      }
    },
  };
}
