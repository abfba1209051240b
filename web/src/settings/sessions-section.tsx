import { useSignal } from '@preact/signals';
import { ownApi } from '../api/admin-api.js';
import { sessionApi } from '../api/session-api.js';
import type { UserReply, WebSessionReply } from '../api/types.js';
import { formatAgo } from '../format.js';
import { sessionEnded } from '../session.js';
import { SETTINGS } from '../strings-settings.js';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { Badge, Notice } from '../ui/notice.js';
import { say, sayFailure } from '../ui/toast.js';
import { usePolled } from '../ui/use-polled.js';
import { browserName } from './browser-name.js';
import { Section } from './section.js';
import { TokenDialog } from './token-dialog.js';

/** Where somebody is signed in, and what acts in his name. */
export function SessionsSection({ user }: { readonly user: UserReply }) {
  const words = SETTINGS.sessions;
  const { state, refresh } = usePolled((signal) => ownApi.sessions({ signal }));
  const asked = useSignal(false);
  const { value, failure } = state.value;
  const end = (id: string): void => {
    ownApi
      .endSession(id)
      .then(() => say(words.ended), sayFailure)
      .finally(() => void refresh());
  };
  const lock = (): void => {
    sessionApi.lock(user.name).then(sessionEnded, sayFailure);
  };
  return (
    <Section title={words.title} lead={words.lead}>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      <ul class="plain-list">
        {value?.map((session) => (
          <SessionItem key={session.id} session={session} onEnd={end} />
        ))}
      </ul>
      <div class="row">
        <Button icon="plus" onClick={() => (asked.value = true)}>
          {words.make}
        </Button>
        <Button icon="lock" onClick={lock}>
          {words.lock}
        </Button>
        <span class="soft small">{words.lockHint}</span>
      </div>
      {asked.value ? (
        <TokenDialog
          onClose={() => {
            asked.value = false;
            void refresh();
          }}
        />
      ) : null}
    </Section>
  );
}

interface SessionItemProps {
  readonly session: WebSessionReply;
  readonly onEnd: (id: string) => void;
}

function SessionItem({ session, onEnd }: SessionItemProps) {
  const words = SETTINGS.sessions;
  const { id, kind, name, scope, lastUsed, expires, current } = session;
  const isToken = kind === 'token';
  return (
    <li class="plain-item">
      <Icon name={isToken ? 'key' : 'user'} />
      <div class="grow">
        <div>{isToken ? name : browserName(name)}</div>
        <div class="soft small">
          {isToken ? `${words.token}: ${words.scopes[scope]} · ` : ''}
          {words.lastUsed(formatAgo(lastUsed))} · {words.expires(formatAgo(expires))}
        </div>
      </div>
      {current ? (
        <Badge kind="good">{words.current}</Badge>
      ) : (
        <Button onClick={() => onEnd(id)}>{isToken ? words.revoke : words.end}</Button>
      )}
    </li>
  );
}
