import { useSignal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import { STRINGS } from '../strings.js';
import { Button } from './button.js';
import { Empty } from './notice.js';
import { Spinner } from './progress.js';

/** A part of the pages that is loaded when it is needed. `load` must be the same function each time. */
export function Later({ load }: { readonly load: () => Promise<FunctionComponent> }) {
  const loaded = useSignal<{ readonly part: FunctionComponent } | 'failed' | null>(null);
  const start = () => {
    loaded.value = null;
    load().then(
      (part) => {
        loaded.value = { part };
      },
      () => {
        loaded.value = 'failed';
      },
    );
  };
  useEffect(start, [load]);
  if (loaded.value === null) return <Spinner />;
  if (loaded.value === 'failed') {
    return (
      <Empty icon="alert" title={STRINGS.pageFailed}>
        <p>{STRINGS.unreachable}</p>
        <Button onClick={() => location.reload()}>{STRINGS.retry}</Button>
      </Empty>
    );
  }
  const Part = loaded.value.part;
  return <Part />;
}
