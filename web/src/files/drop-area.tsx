import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { STRINGS } from '../strings.js';
import { Icon } from '../ui/icon.js';
import { sayFailure } from '../ui/toast.js';
import { folder } from './folder.js';
import { shownName } from './names.js';
import { nameOf } from './paths.js';
import { filesOfDrop } from './queue/given.js';
import { upload } from './queue/uploads.js';

/** Files that are dropped anywhere on the page are stored in the folder that is shown. */
export function DropArea({ children }: { readonly children: ComponentChildren }) {
  const over = useSignal(false);
  const depth = useRef(0);
  useEffect(() => {
    const enter = (event: DragEvent, by: number) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current = Math.max(0, depth.current + by);
      over.value = depth.current > 0;
    };
    const onEnter = (event: DragEvent) => enter(event, 1);
    const onLeave = (event: DragEvent) => enter(event, -1);
    const onOver = (event: DragEvent) => enter(event, 0);
    const onDrop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth.current = 0;
      over.value = false;
      const to = folder.peek();
      if (event.dataTransfer !== null) {
        filesOfDrop(event.dataTransfer)
          .then((given) => upload(given, to))
          .catch(sayFailure);
      }
    };
    const handlers = { dragenter: onEnter, dragleave: onLeave, dragover: onOver, drop: onDrop };
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name as 'drop', handler);
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name as 'drop', handler);
    };
  }, []);
  return (
    <>
      {children}
      {over.value ? (
        <div class="drop-hint">
          <div>
            <Icon name="upload" />
            {STRINGS.files.dropHere(folder.value === '/' ? STRINGS.pages.files : shownName(nameOf(folder.value)))}
          </div>
        </div>
      ) : null}
    </>
  );
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}
