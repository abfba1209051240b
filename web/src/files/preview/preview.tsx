import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { downloadUrl, filesApi, inlineUrl } from '../../api/files-api.js';
import { messageOf } from '../../api/problem.js';
import type { EntryReply } from '../../api/types.js';
import { go, place } from '../../router.js';
import { STRINGS } from '../../strings.js';
import { IconButton, LinkButton } from '../../ui/button.js';
import { Empty, Notice } from '../../ui/notice.js';
import { Spinner } from '../../ui/progress.js';
import { asking } from '../actions.js';
import { closeFile, entries } from '../folder.js';
import { formatBytes } from '../../format.js';
import { formatFullTime } from '../format.js';
import { shownName } from '../names.js';
import { nameOf } from '../paths.js';
import { previewKind } from './kinds.js';
import { TextPreview } from './text-preview.js';
import './preview.css';

const S = STRINGS.files;

/** A file, shown without being kept: over the whole page, the arrows lead to its neighbours. */
export function Preview({ path }: { readonly path: string }) {
  const element = useRef<HTMLDialogElement>(null);
  const entry = useEntry(path);
  const name = shownName(nameOf(path));
  useEffect(() => {
    element.current?.showModal();
    element.current?.focus(); // Not its first button: the arrows are for the pictures.
    return () => element.current?.close();
  }, []);
  return (
    <dialog
      class="preview"
      tabIndex={-1}
      aria-label={name}
      ref={element}
      onCancel={(event) => {
        event.preventDefault();
        closeFile();
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        turn(event, path);
      }}
    >
      <header class="preview-head">
        <IconButton icon="back" label={STRINGS.close} onClick={closeFile} />
        <div class="grow">
          <h2>{name}</h2>
          {entry.value instanceof Error || entry.value === null ? null : (
            <p class="soft small">
              {formatBytes(entry.value.bytes)} · {formatFullTime(entry.value.modified)}
            </p>
          )}
        </div>
        <Actions path={path} entry={entry.value} />
      </header>
      <div class="preview-body">
        {entry.value === null ? <Spinner /> : null}
        {entry.value instanceof Error ? <Notice kind="bad">{messageOf(entry.value)}</Notice> : null}
        {entry.value === null || entry.value instanceof Error ? null : <Content entry={entry.value} name={name} />}
      </div>
    </dialog>
  );
}

/** Asked for, not looked up in the list: a search shows files of other folders, a link may lead here at once. */
function useEntry(path: string) {
  const entry = useSignal<EntryReply | Error | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    entry.value = null;
    filesApi.stat(path, { signal: stop.signal }).then(
      (reply) => {
        entry.value = reply;
      },
      (error: unknown) => {
        if (!stop.signal.aborted) entry.value = error instanceof Error ? error : new Error(String(error));
      },
    );
    return () => stop.abort();
  }, [path]);
  return entry;
}

function Actions({ path, entry }: { readonly path: string; readonly entry: EntryReply | Error | null }) {
  const file = entry instanceof Error ? null : entry;
  return (
    <>
      {file === null ? null : (
        <>
          <IconButton
            icon="history"
            label={S.versions}
            onClick={() => (asking.value = { about: 'versions', entry: file })}
          />
          <IconButton icon="where" label={S.where} onClick={() => go('where', { path })} />
        </>
      )}
      <LinkButton href={downloadUrl(path)} kind="primary" icon="download" download>
        {S.download}
      </LinkButton>
    </>
  );
}

/** Bytes of files come under a policy of their own, in which nothing runs; text is shown as characters. */
function Content({ entry, name }: { readonly entry: EntryReply; readonly name: string }) {
  const source = inlineUrl(entry.path, entry.version ?? undefined);
  const failed = useSignal(false);
  const fail = () => {
    failed.value = true;
  };
  if (failed.value || entry.type !== 'file') return <NoPreview />;
  switch (previewKind(entry.path)) {
    case 'image':
      return <img src={source} alt={name} onError={fail} />;
    case 'video':
      return <video src={source} aria-label={name} controls autoPlay playsInline onError={fail} />;
    case 'audio':
      return <audio src={source} aria-label={name} controls autoPlay onError={fail} />;
    case 'pdf':
      return <iframe src={source} title={name} />;
    case 'text':
      return <TextPreview source={source} bytes={entry.bytes} name={name} />;
    case 'none':
      return <NoPreview />;
  }
}

function NoPreview() {
  return (
    <Empty icon="file" title={S.noPreview}>
      <p>{S.noPreviewHint}</p>
    </Empty>
  );
}

/** Left and right; within a video or a text they have their own meaning. */
function turn(event: KeyboardEvent, path: string): void {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const own = event.target instanceof Element && event.target.closest('video, audio, pre, iframe') !== null;
  if (by === undefined || own) return;
  const files = (entries.peek() ?? []).filter(({ type }) => type === 'file');
  const now = files.findIndex((entry) => entry.path === path);
  const next = now < 0 ? undefined : files[now + by];
  if (next !== undefined) go('files', { ...place.peek().query, view: next.path }, { replace: true });
}
