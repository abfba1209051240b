import { useSignal } from '@preact/signals';
import { usersApi } from '../api/admin-api.js';
import type { UserReply } from '../api/types.js';
import { fingerprint } from '../format.js';
import { isAcceptable, NewPassphrase, NO_DRAFT } from '../passphrase/new-passphrase.js';
import { PASSPHRASE } from '../strings-passphrase.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';
import { Badge, Notice } from '../ui/notice.js';
import { say } from '../ui/toast.js';
import { usePolled } from '../ui/use-polled.js';
import { Section } from './section.js';

/** Who owns files in this network. */
export function UsersSection({ self }: { readonly self: UserReply }) {
  const words = SETTINGS.users;
  const { state, refresh } = usePolled((signal) => usersApi.list({ signal }));
  const asked = useSignal(false);
  const { value, failure } = state.value;
  return (
    <Section title={words.title}>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      <ul class="plain-list">
        {value?.map(({ id, name, unlocked }) => (
          <li class="plain-item" key={id}>
            <div class="grow">
              <div>{name}</div>
              <code class="soft small">{fingerprint(id)}</code>
            </div>
            {id === self.id ? (
              <Badge kind="good">{words.you}</Badge>
            ) : unlocked ? (
              <Badge>{words.signedIn}</Badge>
            ) : null}
          </li>
        ))}
      </ul>
      <div class="row">
        <Button icon="plus" onClick={() => (asked.value = true)}>
          {words.add}
        </Button>
      </div>
      {asked.value ? (
        <UserDialog
          onClose={() => {
            asked.value = false;
            void refresh();
          }}
        />
      ) : null}
    </Section>
  );
}

function UserDialog({ onClose }: { readonly onClose: () => void }) {
  const words = SETTINGS.users;
  const name = useSignal('');
  const draft = useSignal(NO_DRAFT);
  return (
    <FormDialog
      title={words.addTitle}
      action={words.addTitle}
      disabled={name.value.trim() === '' || !isAcceptable(draft.value, [name.value])}
      onSubmit={async () => {
        const made = await usersApi.create(name.value.trim(), draft.value.value);
        say(words.made(made.name));
      }}
      onClose={onClose}
    >
      <Field label={words.name} value={name.value} onInput={(value) => (name.value = value)} autoComplete="off" />
      <NewPassphrase
        label={PASSPHRASE.next}
        draft={draft.value}
        known={[name.value]}
        onChange={(next) => (draft.value = next)}
      />
    </FormDialog>
  );
}
