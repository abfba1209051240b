import { useSignal } from '@preact/signals';
import { peersApi } from '../api/admin-api.js';
import { messageOf } from '../api/problem.js';
import type { InvitedReply } from '../api/types.js';
import { formatTime } from '../format.js';
import { STRINGS } from '../strings.js';
import { NETWORK } from '../strings-network.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Choice, Field, Switch } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { say, sayFailure } from '../ui/toast.js';
import { QrCode } from './qr-code.js';

const HOUR_MS = 3_600_000;
const LIFETIMES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;

/** Asks for whom an invitation is, and shows it. */
export function InviteDialog({ onClose }: { readonly onClose: () => void }) {
  const made = useSignal<InvitedReply | null>(null);
  return (
    <Dialog
      title={made.value === null ? NETWORK.inviteTitle : NETWORK.made}
      wide={made.value !== null}
      onClose={onClose}
    >
      {made.value === null ? (
        <Terms onMade={(invited) => (made.value = invited)} onClose={onClose} />
      ) : (
        <Made invited={made.value} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface TermsProps {
  readonly onMade: (invited: InvitedReply) => void;
  readonly onClose: () => void;
}

function Terms({ onMade, onClose }: TermsProps) {
  const note = useSignal('');
  const lifetime = useSignal<keyof typeof LIFETIMES>('day');
  const authority = useSignal(false);
  const busy = useSignal(false);
  const failure = useSignal('');
  const make = async (): Promise<void> => {
    busy.value = true;
    try {
      const lifetimeMs = LIFETIMES[lifetime.value];
      onMade(await peersApi.invite({ note: note.value.trim(), lifetimeMs, authority: authority.value }));
    } catch (error) {
      failure.value = messageOf(error);
      busy.value = false;
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value) void make();
      }}
    >
      <p class="soft">{NETWORK.inviteLead}</p>
      <Field
        label={NETWORK.note}
        hint={NETWORK.noteHint}
        value={note.value}
        onInput={(value) => (note.value = value)}
      />
      <div class="field">
        <span class="field-label">{NETWORK.valid}</span>
        <Choice
          label={NETWORK.valid}
          options={(['hour', 'day', 'week'] as const).map((value) => ({ value, label: NETWORK.lifetimes[value] }))}
          value={lifetime.value}
          onChange={(value) => (lifetime.value = value)}
        />
      </div>
      <div class="row">
        <span class="grow">{NETWORK.asAuthority}</span>
        <Switch label={NETWORK.asAuthority} on={authority.value} onChange={(on) => (authority.value = on)} />
      </div>
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      <div class="dialog-actions">
        <Button onClick={onClose}>{STRINGS.cancel}</Button>
        <Button type="submit" kind="primary" disabled={busy.value}>
          {NETWORK.make}
        </Button>
      </div>
    </form>
  );
}

function Made({ invited, onClose }: { readonly invited: InvitedReply; readonly onClose: () => void }) {
  const { token, expires } = invited;
  const copy = (): void => {
    navigator.clipboard.writeText(token).then(() => say(NETWORK.copied), sayFailure);
  };
  return (
    <div class="stack">
      <div class="invitation">
        <QrCode text={token} label={NETWORK.qr} />
        <div class="stack grow">
          <p>{NETWORK.madeLead}</p>
          <pre class="command">shoal serve</pre>
          <textarea class="input invitation-token" readOnly rows={6} aria-label={NETWORK.invitations} value={token} />
          <div class="row">
            <Button kind="primary" icon="copy" onClick={copy}>
              {NETWORK.copy}
            </Button>
            <span class="soft small">{NETWORK.invitedBy(formatTime(expires))}</span>
          </div>
        </div>
      </div>
      <details>
        <summary>{NETWORK.madeOr}</summary>
        <pre class="command">shoal peer join {token} --listen 0.0.0.0:8485 --address HOST:8485</pre>
      </details>
      <p class="soft small">{NETWORK.shownOnce}</p>
      <div class="dialog-actions">
        <Button onClick={onClose}>{NETWORK.done}</Button>
      </div>
    </div>
  );
}
