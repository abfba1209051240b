import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { messageOf } from '../api/problem.js';
import { STRINGS } from '../strings.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Notice } from './notice.js';

interface FormDialogProps {
  readonly title: string;
  /** On the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** What is done; when it fails, the dialog stays and says why. */
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A question with one action: done, it closes itself. */
export function FormDialog({ title, action, danger, disabled, onSubmit, onClose, children }: FormDialogProps) {
  const busy = useSignal(false);
  const failure = useSignal('');
  const submit = async () => {
    busy.value = true;
    failure.value = '';
    try {
      await onSubmit();
      onClose();
    } catch (error) {
      failure.value = messageOf(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy.value) void submit();
        }}
      >
        {children}
        {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
        <div class="dialog-actions">
          <Button onClick={onClose}>{STRINGS.cancel}</Button>
          <Button
            type="submit"
            kind={danger === true ? 'danger' : 'primary'}
            disabled={busy.value || disabled === true}
          >
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
