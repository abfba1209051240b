import { useSignal } from '@preact/signals';
import { usersApi } from '../api/admin-api.js';
import type { KitReply, UserReply } from '../api/types.js';
import { KitSheet } from '../kit/kit-sheet.js';
import { session, takeSession } from '../session.js';
import { KIT } from '../strings-passphrase.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { Section } from './section.js';
import { useWork } from './use-work.js';

/** A way back in on paper. */
export function KitSection({ user }: { readonly user: UserReply }) {
  const words = SETTINGS.kit;
  const passphrase = useSignal('');
  const kit = useSignal<KitReply | null>(null);
  const { busy, failure, run } = useWork();
  const make = async (): Promise<void> => {
    kit.value = await usersApi.makeKit(user.name, passphrase.value);
    passphrase.value = '';
  };
  const done = (): void => {
    kit.value = null;
    const now = session.value;
    const own = now?.user ?? null;
    if (now !== null && own !== null) takeSession({ ...now, user: { ...own, kit: true } });
  };
  if (kit.value !== null) {
    return (
      <Section title={words.title} lead={KIT.once}>
        <KitSheet kit={kit.value} />
        <div class="row">
          <Button kind="primary" icon="file" onClick={() => print()}>
            {KIT.print}
          </Button>
          <Button icon="check" onClick={done}>
            {KIT.printed}
          </Button>
        </div>
      </Section>
    );
  }
  return (
    <Section title={words.title} lead={user.kit ? words.have : words.none}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (passphrase.value !== '') void run(make);
        }}
      >
        <input
          class="unseen"
          type="text"
          autoComplete="username"
          value={user.name}
          readOnly
          tabIndex={-1}
          aria-hidden
        />
        <PassphraseField
          label={words.passphrase}
          value={passphrase.value}
          onInput={(value) => (passphrase.value = value)}
          purpose="current-password"
        />
        {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
        <div class="row">
          <Button type="submit" icon="key" disabled={busy.value || passphrase.value === ''}>
            {busy.value ? words.working : user.kit ? words.makeNew : words.make}
          </Button>
        </div>
      </form>
    </Section>
  );
}
