import { useSignal } from '@preact/signals';
import { usersApi } from '../api/admin-api.js';
import type { SshKeyReply, UserReply } from '../api/types.js';
import { formatDay } from '../format.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { FormDialog } from '../ui/form-dialog.js';
import { Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { usePolled } from '../ui/use-polled.js';
import { Section } from './section.js';

type Asked = 'add' | SshKeyReply | null;

/** The keys by which a user comes in over SFTP. They are signed by the user: each change asks for the passphrase. */
export function SshSection({ user }: { readonly user: UserReply }) {
  const words = SETTINGS.ssh;
  const { state, refresh } = usePolled((signal) => usersApi.sshKeys(user.name, { signal }));
  const asked = useSignal<Asked>(null);
  const { value, failure } = state.value;
  const close = (): void => {
    asked.value = null;
    void refresh();
  };
  return (
    <Section title={words.title} lead={words.lead}>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value?.length === 0 ? <p class="soft">{words.none}</p> : null}
      <ul class="plain-list">
        {value?.map((key) => (
          <li class="plain-item" key={key.fingerprint}>
            <div class="grow">
              <div>{key.name === '' ? key.algorithm : key.name}</div>
              <div class="soft small">
                <code>{key.fingerprint}</code> · {words.added(formatDay(key.added))}
              </div>
            </div>
            <Button onClick={() => (asked.value = key)}>{words.remove}</Button>
          </li>
        ))}
      </ul>
      <div class="row">
        <Button icon="plus" onClick={() => (asked.value = 'add')}>
          {words.add}
        </Button>
      </div>
      {asked.value === null ? null : <KeyDialog user={user} asked={asked.value} onClose={close} />}
    </Section>
  );
}

interface KeyDialogProps {
  readonly user: UserReply;
  readonly asked: 'add' | SshKeyReply;
  readonly onClose: () => void;
}

function KeyDialog({ user, asked, onClose }: KeyDialogProps) {
  const words = SETTINGS.ssh;
  const key = useSignal('');
  const passphrase = useSignal('');
  const isAdding = asked === 'add';
  const submit = async (): Promise<void> => {
    if (isAdding) await usersApi.addSshKey(user.name, passphrase.value, key.value.trim());
    else await usersApi.removeSshKey(user.name, passphrase.value, asked.fingerprint);
  };
  return (
    <FormDialog
      title={isAdding ? words.addTitle : words.removeTitle}
      action={isAdding ? words.addTitle : words.remove}
      danger={!isAdding}
      disabled={passphrase.value === '' || (isAdding && key.value.trim() === '')}
      onSubmit={submit}
      onClose={onClose}
    >
      {isAdding ? (
        <Field label={words.key} hint={words.keyHint} value={key.value} onInput={(value) => (key.value = value)} />
      ) : (
        <p class="command">{asked.fingerprint}</p>
      )}
      <PassphraseField
        label={SETTINGS.kit.passphrase}
        value={passphrase.value}
        onInput={(value) => (passphrase.value = value)}
        purpose="current-password"
      />
    </FormDialog>
  );
}
