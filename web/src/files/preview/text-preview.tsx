import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { messageOf } from '../../api/problem.js';
import { STRINGS } from '../../strings.js';
import { Notice } from '../../ui/notice.js';
import { Spinner } from '../../ui/progress.js';
import { formatBytes } from '../../format.js';

/** Enough to see what it is; a page of more is slow to scroll. */
const MOST_BYTES = 256 * 1024;

interface TextPreviewProps {
  readonly source: string;
  readonly bytes: number;
  readonly name: string;
}

/** The beginning of a file as characters. HTML and SVG are characters here, too: nothing of them is obeyed. */
export function TextPreview({ source, bytes, name }: TextPreviewProps) {
  const text = useSignal<string | null>(null);
  const failure = useSignal('');
  useEffect(() => {
    const stop = new AbortController();
    read(source, bytes, stop.signal).then(
      (found) => {
        text.value = found;
      },
      (error: unknown) => {
        if (!stop.signal.aborted) failure.value = messageOf(error);
      },
    );
    return () => stop.abort();
  }, [source]);
  if (failure.value !== '') return <Notice kind="bad">{failure.value}</Notice>;
  if (text.value === null) return <Spinner />;
  return (
    <div class="preview-text">
      <pre tabIndex={0} role="group" aria-label={name}>
        {text.value}
      </pre>
      {bytes > MOST_BYTES ? <p class="soft small">{STRINGS.files.firstPart(formatBytes(MOST_BYTES))}</p> : null}
    </div>
  );
}

async function read(source: string, bytes: number, signal: AbortSignal): Promise<string> {
  if (bytes === 0) return '';
  const headers: Record<string, string> = bytes > MOST_BYTES ? { range: `bytes=0-${String(MOST_BYTES - 1)}` } : {};
  const response = await fetch(source, { signal, headers });
  if (!response.ok) throw new Error(STRINGS.unknownAnswer(response.status));
  return new TextDecoder().decode(await response.arrayBuffer());
}
