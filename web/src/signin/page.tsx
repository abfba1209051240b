import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { sessionApi } from '../api/session-api.js';
import { messageOf, Problem } from '../api/problem.js';
import { uploads } from '../files/queue/uploads.js';
import { formatCount } from '../format.js';
import { session, takeSession } from '../session.js';
import { ThemeButton } from '../shell.js';
import { STRINGS } from '../strings.js';
import { Button } from '../ui/button.js';
import { Field } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { arrivalMessage } from './arrival.js';
import './signin.css';

/** Until somebody is signed in, this is all there is. */
export function SignIn() {
  useEffect(() => {
    document.title = `${STRINGS.signIn.title} · ${STRINGS.product}`;
  }, []);
  return (
    <div class="signin">
      <main class="signin-card">
        <img class="signin-mark" src="/shoal.svg" alt="" />
        <h1>{STRINGS.signIn.title}</h1>
        <p class="soft">{STRINGS.signIn.lead}</p>
        <WaitingUploads />
        <SignInForm />
      </main>
      <footer class="signin-foot">
        <span>
          {STRINGS.product} {session.value?.version}
        </span>
        <ThemeButton />
      </footer>
    </div>
  );
}

/** What goes on by itself then, lest somebody think it lost. */
function WaitingUploads() {
  const waiting = uploads.value?.suspended.value ?? 0;
  return waiting === 0 ? null : (
    <Notice kind="warn">{STRINGS.signIn.uploadsWait(formatCount(waiting), waiting)}</Notice>
  );
}

function SignInForm() {
  const name = useSignal('');
  const passphrase = useSignal('');
  const busy = useSignal(false);
  const failure = useSignal(arrivalMessage.value);
  const wait = useWait();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = async () => {
    busy.value = true;
    failure.value = '';
    try {
      takeSession(await sessionApi.signIn(name.value.trim(), passphrase.value));
    } catch (error) {
      failure.value = messageOf(error);
      if (Problem.is(error) && error.retryAfter !== null) wait.value = error.retryAfter;
    } finally {
      passphrase.value = '';
      busy.value = false;
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy.value && wait.value === 0) void submit();
      }}
    >
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      <Field
        label={STRINGS.signIn.name}
        value={name.value}
        onInput={(value) => (name.value = value)}
        autoComplete="username"
        required
        inputRef={first}
      />
      <PassphraseField
        label={STRINGS.signIn.passphrase}
        value={passphrase.value}
        onInput={(value) => (passphrase.value = value)}
        purpose="current-password"
      />
      <Button type="submit" kind="primary" disabled={busy.value || wait.value > 0}>
        {busy.value ? STRINGS.signIn.working : STRINGS.signIn.submit}
      </Button>
      {wait.value > 0 ? <p class="soft small">{STRINGS.signIn.wait(wait.value)}</p> : null}
    </form>
  );
}

/** Seconds until the next attempt may be made, counting down. */
function useWait() {
  const seconds = useSignal(0);
  useEffect(() => {
    if (seconds.value === 0) return undefined;
    const timer = setTimeout(() => {
      seconds.value -= 1;
    }, 1000);
    return () => clearTimeout(timer);
  }, [seconds.value]);
  return seconds;
}
