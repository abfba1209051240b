import { useSignal } from '@preact/signals';
import { usersApi } from '../api/admin-api.js';
import type { UserReply } from '../api/types.js';
import { isAcceptable, NewPassphrase, NO_DRAFT } from '../passphrase/new-passphrase.js';
import { PASSPHRASE } from '../strings-passphrase.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { say } from '../ui/toast.js';
import { RevokeTokens, TokensLeft } from './revoke-tokens.js';
import { Section } from './section.js';
import { useWork } from './use-work.js';

/** A new passphrase for the keys that somebody has. */
export function PassphraseSection({ user }: { readonly user: UserReply }) {
  const words = SETTINGS.passphrase;
  const old = useSignal('');
  const draft = useSignal(NO_DRAFT);
  const pending = useSignal<readonly string[]>([]);
  const revokeTokens = useSignal(false);
  const tokens = useSignal(0);
  const { busy, failure, run } = useWork();
  const isGood = old.value !== '' && isAcceptable(draft.value, [user.name]);
  const change = async (): Promise<void> => {
    const reply = await usersApi.changePassphrase({
      ...{ name: user.name, old: old.value, next: draft.value.value },
      revokeTokens: revokeTokens.value,
    });
    pending.value = reply.pendingHosts;
    tokens.value = reply.tokens;
    old.value = '';
    draft.value = NO_DRAFT;
    say(words.done);
  };
  return (
    <Section title={words.title} lead={words.lead}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood) void run(change);
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
          label={words.old}
          value={old.value}
          onInput={(value) => (old.value = value)}
          purpose="current-password"
        />
        <NewPassphrase
          label={PASSPHRASE.nextNew}
          draft={draft.value}
          known={[user.name]}
          onChange={(next) => (draft.value = next)}
        />
        <RevokeTokens on={revokeTokens.value} onChange={(on) => (revokeTokens.value = on)} />
        {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
        {pending.value.length === 0 ? null : <Notice kind="warn">{words.pending(pending.value.join(', '))}</Notice>}
        <TokensLeft tokens={tokens.value} />
        <div class="row">
          <Button type="submit" kind="primary" disabled={!isGood || busy.value}>
            {busy.value ? words.working : words.change}
          </Button>
        </div>
      </form>
    </Section>
  );
}
