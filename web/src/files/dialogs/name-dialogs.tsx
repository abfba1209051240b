import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { filesApi } from '../../api/files-api.js';
import type { EntryReply } from '../../api/types.js';
import { STRINGS } from '../../strings.js';
import { Field } from '../../ui/field.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { folder, reload, selection } from '../folder.js';
import { choose } from '../list/selection.js';
import { faultOfName, stemLength } from '../names.js';
import { joinPath, nameOf, parentOf } from '../paths.js';

interface NameDialogProps {
  readonly title: string;
  readonly action: string;
  readonly initial: string;
  readonly onName: (name: string) => Promise<void>;
  readonly onClose: () => void;
}

function NameDialog({ title, action, initial, onName, onClose }: NameDialogProps) {
  const name = useSignal(initial);
  const input = useRef<HTMLInputElement>(null);
  const fault = name.value === initial || name.value === '' ? '' : faultOfName(name.value);
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(0, stemLength(initial));
  }, []);
  return (
    <FormDialog
      title={title}
      action={action}
      disabled={fault !== '' || name.value.trim() === ''}
      onSubmit={() => onName(name.value)}
      onClose={onClose}
    >
      <Field
        label={STRINGS.files.name}
        value={name.value}
        error={fault}
        inputRef={input}
        onInput={(value) => {
          name.value = value;
        }}
      />
    </FormDialog>
  );
}

interface ClosingProps {
  readonly onClose: () => void;
}

export function NewFolderDialog({ onClose }: ClosingProps) {
  const make = async (name: string) => {
    const path = joinPath(folder.peek(), name);
    await filesApi.makeFolder(path);
    selection.value = choose(path);
    reload();
  };
  return (
    <NameDialog
      title={STRINGS.files.newFolder}
      action={STRINGS.files.make}
      initial=""
      onName={make}
      onClose={onClose}
    />
  );
}

export function RenameDialog({ entry, onClose }: ClosingProps & { readonly entry: EntryReply }) {
  const rename = async (name: string) => {
    if (name === nameOf(entry.path)) return;
    const path = joinPath(parentOf(entry.path), name);
    await filesApi.move(entry.path, path);
    selection.value = choose(path);
    reload();
  };
  return (
    <NameDialog
      title={STRINGS.files.rename}
      action={STRINGS.files.rename}
      initial={nameOf(entry.path)}
      onName={rename}
      onClose={onClose}
    />
  );
}
