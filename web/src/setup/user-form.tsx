import { useSignal } from '@preact/signals';
import { isAcceptable, NewPassphrase, NO_DRAFT } from '../passphrase/new-passphrase.js';
import { PASSPHRASE } from '../strings-passphrase.js';
import { SETUP } from '../strings-setup.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import type { Wizard } from './wizard.js';

/** The first user of a new network. */
export function UserForm({ wizard }: { readonly wizard: Wizard }) {
  const name = useSignal('');
  const draft = useSignal(NO_DRAFT);
  const known = [name.value, wizard.draft.value.network, wizard.draft.value.peer];
  const isGood = name.value.trim() !== '' && isAcceptable(draft.value, known);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood) void wizard.create(name.value, draft.value.value);
      }}
    >
      <h1>{SETUP.who}</h1>
      <p class="soft">{SETUP.userLead}</p>
      <Field
        label={SETUP.user}
        hint={SETUP.userHint}
        value={name.value}
        onInput={(value) => (name.value = value)}
        autoComplete="username"
        required
      />
      <NewPassphrase
        label={PASSPHRASE.next}
        draft={draft.value}
        known={known}
        onChange={(next) => (draft.value = next)}
      />
      <Notice kind="warn">{PASSPHRASE.lost}</Notice>
      <div class="setup-actions">
        <Button kind="quiet" icon="back" onClick={() => wizard.go({ at: 'machine', kind: 'create' })}>
          {SETUP.back}
        </Button>
        <Button type="submit" kind="primary" disabled={!isGood}>
          {SETUP.finish}
        </Button>
      </div>
    </form>
  );
}
