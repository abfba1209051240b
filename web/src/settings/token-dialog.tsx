import { useSignal } from '@preact/signals';
import { ownApi } from '../api/admin-api.js';
import type { TokenReply, TokenScope } from '../api/types.js';
import { formatTime } from '../format.js';
import { STRINGS } from '../strings.js';
import { NETWORK } from '../strings-network.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Choice, Field } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { say, sayFailure } from '../ui/toast.js';
import { useWork } from './use-work.js';

const SCOPES: readonly TokenScope[] = ['all', 'read', 'metrics'];
const DEFAULT_DAYS = '90';

/** A token for a program: asked for, then shown once. */
export function TokenDialog({ onClose }: { readonly onClose: () => void }) {
  const made = useSignal<TokenReply | null>(null);
  const words = SETTINGS.sessions;
  return (
    <Dialog title={made.value === null ? words.makeTitle : words.made} onClose={onClose}>
      {made.value === null ? (
        <TokenForm onMade={(token) => (made.value = token)} onClose={onClose} />
      ) : (
        <MadeToken token={made.value} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface TokenFormProps {
  readonly onMade: (token: TokenReply) => void;
  readonly onClose: () => void;
}

function TokenForm({ onMade, onClose }: TokenFormProps) {
  const words = SETTINGS.sessions;
  const name = useSignal('');
  const scope = useSignal<TokenScope>('all');
  const days = useSignal(DEFAULT_DAYS);
  const { busy, failure, run } = useWork();
  const isGood = name.value.trim() !== '' && /^[1-9]\d{0,3}$/.test(days.value);
  const make = async (): Promise<void> => {
    onMade(await ownApi.makeToken({ name: name.value.trim(), scope: scope.value, days: Number(days.value) }));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood) void run(make);
      }}
    >
      <Field label={words.name} hint={words.nameHint} value={name.value} onInput={(value) => (name.value = value)} />
      <div class="field">
        <span class="field-label">{words.scope}</span>
        <Choice
          label={words.scope}
          options={SCOPES.map((value) => ({ value, label: words.scopes[value] }))}
          value={scope.value}
          onChange={(value) => (scope.value = value)}
        />
      </div>
      <Field label={words.days} type="number" value={days.value} onInput={(value) => (days.value = value)} />
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      <div class="dialog-actions">
        <Button onClick={onClose}>{STRINGS.cancel}</Button>
        <Button type="submit" kind="primary" disabled={!isGood || busy.value}>
          {words.action}
        </Button>
      </div>
    </form>
  );
}

function MadeToken({ token, onClose }: { readonly token: TokenReply; readonly onClose: () => void }) {
  const words = SETTINGS.sessions;
  const copy = (): void => {
    navigator.clipboard.writeText(token.token).then(() => say(words.copied), sayFailure);
  };
  return (
    <div class="stack">
      <p>{words.madeLead}</p>
      <pre class="command">{token.token}</pre>
      <p class="soft small">{words.expires(formatTime(token.expires))}</p>
      <div class="dialog-actions">
        <Button icon="copy" onClick={copy}>
          {words.copy}
        </Button>
        <Button kind="primary" onClick={onClose}>
          {NETWORK.done}
        </Button>
      </div>
    </div>
  );
}
