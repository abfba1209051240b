import { useSignal } from '@preact/signals';
import type { UserReply } from '../api/types.js';
import { isAcceptable, NewPassphrase, NO_DRAFT } from '../passphrase/new-passphrase.js';
import { STRINGS } from '../strings.js';
import { PASSPHRASE } from '../strings-passphrase.js';
import { SETUP } from '../strings-setup.js';
import { Button } from '../ui/button.js';
import { Choice, Field } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import type { Wizard } from './wizard.js';

interface WhoFormProps {
  readonly wizard: Wizard;
  readonly network: string;
  readonly users: readonly UserReply[];
}

/** Somebody at a machine that has joined: a user of the network, or a new one. */
export function WhoForm({ wizard, network, users }: WhoFormProps) {
  const isNew = useSignal(false);
  const name = useSignal('');
  const passphrase = useSignal('');
  const draft = useSignal(NO_DRAFT);
  const known = [name.value, network];
  const isGood = name.value.trim() !== '' && (isNew.value ? isAcceptable(draft.value, known) : passphrase.value !== '');
  const chosen = isNew.value ? draft.value.value : passphrase.value;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood) void wizard.beUser(name.value.trim(), chosen, isNew.value);
      }}
    >
      <Notice kind="good">{SETUP.joined(network)}</Notice>
      <h1>{SETUP.who}</h1>
      <Choice
        label={SETUP.who}
        options={[
          { value: 'existing', label: SETUP.existing },
          { value: 'new', label: SETUP.newUser },
        ]}
        value={isNew.value ? 'new' : 'existing'}
        onChange={(value) => (isNew.value = value === 'new')}
      />
      <Field
        label={isNew.value ? SETUP.user : STRINGS.signIn.name}
        hint={isNew.value ? SETUP.userHint : knownHint(users)}
        value={name.value}
        onInput={(value) => (name.value = value)}
        autoComplete="username"
        required
      />
      {isNew.value ? (
        <NewPassphrase
          label={PASSPHRASE.next}
          draft={draft.value}
          known={known}
          onChange={(next) => (draft.value = next)}
        />
      ) : (
        <PassphraseField
          label={STRINGS.signIn.passphrase}
          value={passphrase.value}
          onInput={(value) => (passphrase.value = value)}
          purpose="current-password"
        />
      )}
      <div class="setup-actions">
        <Button type="submit" kind="primary" disabled={!isGood}>
          {isNew.value ? SETUP.makeUser : SETUP.signIn}
        </Button>
      </div>
    </form>
  );
}

function knownHint(users: readonly UserReply[]): string {
  return users.length === 0 ? SETUP.usersUnknown : SETUP.usersKnown(users.map(({ name }) => name).join(', '));
}
