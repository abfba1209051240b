import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { usersApi } from '../api/admin-api.js';
import { messageOf } from '../api/problem.js';
import type { RotationReply, RotationRequest, UserReply } from '../api/types.js';
import { formatCount } from '../format.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { FormDialog } from '../ui/form-dialog.js';
import { Badge, Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { Progress } from '../ui/progress.js';
import { say } from '../ui/toast.js';
import { RevokeTokens, TokensLeft } from './revoke-tokens.js';
import { Section } from './section.js';

/** New keys, for whoever fears for the old ones: a long job that can be paused. */
export function KeysSection({ user }: { readonly user: UserReply }) {
  const words = SETTINGS.keys;
  const rotation = useSignal<RotationReply | null>(null);
  const failure = useSignal('');
  const tokens = useSignal(0);
  const asked = useSignal(false);
  const working = useRef<AbortController | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    usersApi.keys({ signal: gone.signal }).then(
      (reply) => (rotation.value = reply),
      (error: unknown) => {
        if (!gone.signal.aborted) failure.value = messageOf(error);
      },
    );
    return () => {
      gone.abort();
      working.current?.abort();
    };
  }, []);
  const now = rotation.value;
  const isRunning = now?.state === 'running';
  const rotate = async (request: RotationRequest): Promise<void> => {
    const stop = new AbortController();
    working.current = stop;
    const events = usersApi.rotateKeys(request, stop.signal);
    const follow = async (): Promise<void> => {
      try {
        for await (const event of events) {
          if (event.event === 'error') failure.value = event.message;
          else if (event.event === 'replaced') tokens.value = event.tokens;
          else rotation.value = event;
          if (event.event === 'done') say(words.done);
        }
      } catch (error) {
        if (!stop.signal.aborted) failure.value = messageOf(error);
      } finally {
        working.current = null;
      }
    };
    failure.value = '';
    void follow();
  };
  return (
    <Section title={words.title} lead={words.lead}>
      <div class="row">
        <Badge>{words.generation(now?.generation ?? user.generation)}</Badge>
      </div>
      {isRunning && now.total > 0 ? <Running {...now} /> : null}
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      <TokensLeft tokens={tokens.value} />
      <div class="row">
        {isRunning && working.current !== null ? (
          <Button icon="pause" onClick={() => working.current?.abort()}>
            {words.pause}
          </Button>
        ) : (
          <Button icon="key" onClick={() => (asked.value = true)}>
            {isRunning ? words.goOn : words.rotate}
          </Button>
        )}
      </div>
      {asked.value ? <RotateDialog onRotate={rotate} onClose={() => (asked.value = false)} /> : null}
    </Section>
  );
}

function Running({ done, total }: RotationReply) {
  const words = SETTINGS.keys;
  return (
    <div class="stack">
      <Progress label={words.rotateTitle} part={done / total} />
      <p class="soft small">{words.running(formatCount(done), formatCount(total))}</p>
    </div>
  );
}

interface RotateDialogProps {
  readonly onRotate: (request: RotationRequest) => Promise<void>;
  readonly onClose: () => void;
}

function RotateDialog({ onRotate, onClose }: RotateDialogProps) {
  const words = SETTINGS.keys;
  const passphrase = useSignal('');
  const revokeTokens = useSignal(false);
  return (
    <FormDialog
      title={words.rotateTitle}
      action={words.rotateTitle}
      disabled={passphrase.value === ''}
      onSubmit={() => onRotate({ passphrase: passphrase.value, revokeTokens: revokeTokens.value })}
      onClose={onClose}
    >
      <p>{words.rotateText}</p>
      <PassphraseField
        label={SETTINGS.kit.passphrase}
        value={passphrase.value}
        onInput={(value) => (passphrase.value = value)}
        purpose="current-password"
      />
      <RevokeTokens on={revokeTokens.value} onChange={(on) => (revokeTokens.value = on)} />
    </FormDialog>
  );
}
