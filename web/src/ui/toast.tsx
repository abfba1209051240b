import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { messageOf } from '../api/problem.js';
import { STRINGS } from '../strings.js';
import { Button, IconButton } from './button.js';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Long enough to read two lines and reach "Undo" (WCAG 2.2.1 advises more than 5 s; what is said is also on the page). */
const SHOWN_MS = 8000;
/** More at once would hide the page. */
const MOST_SHOWN = 3;

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** A short word about what was done, with at most one thing to do about it. */
export function say(text: string, action?: Toast['action']): void {
  lastId += 1;
  const toast: Toast = { id: lastId, text, ...(action === undefined ? {} : { action }) };
  toasts.value = [...toasts.value, toast].slice(-MOST_SHOWN);
  setTimeout(() => {
    dismiss(toast.id);
  }, SHOWN_MS);
}

/** What a piece of work failed with, where no dialog or page is there to say so. */
export function sayFailure(error: unknown): void {
  say(messageOf(error));
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Once, at the end of the page. Popovers lie above modal dialogs. */
export function Toasts() {
  const element = useRef<HTMLDivElement>(null);
  const shown = toasts.value;
  useEffect(() => {
    const area = element.current;
    if (area === null) return;
    if (area.matches(':popover-open')) area.hidePopover();
    if (shown.length > 0) area.showPopover();
  }, [shown]);
  return (
    <div class="toasts" popover="manual" role="status" aria-live="polite" ref={element}>
      {shown.map(({ id, text, action }) => (
        <div class="toast" key={id}>
          <span class="grow">{text}</span>
          {action === undefined ? null : (
            <Button
              kind="quiet"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </Button>
          )}
          <IconButton icon="close" label={STRINGS.dismiss} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
