import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { messageOf } from '../api/problem.js';
import { setupApi } from '../api/setup-api.js';
import { session } from '../session.js';
import { ThemeButton } from '../shell.js';
import { STRINGS } from '../strings.js';
import { SETUP } from '../strings-setup.js';
import { Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { Choose } from './choose.js';
import { KitStep } from './kit-step.js';
import { MachineForm } from './machine-form.js';
import { UserForm } from './user-form.js';
import { WhoForm } from './who-form.js';
import { Wizard, type Step } from './wizard.js';
import './setup.css';

/** The first run: all there is while this home has no peer. */
export function SetupPage() {
  const wizard = useSignal<Wizard | null>(null);
  const failure = useSignal('');
  const isAdmitted = (session.value?.csrf ?? null) !== null;
  useEffect(() => {
    document.title = `${STRINGS.pages.setup} · ${STRINGS.product}`;
    if (!isAdmitted) return;
    setupApi.proposal().then(
      (proposal) => (wizard.value = new Wizard(proposal)),
      (error: unknown) => (failure.value = messageOf(error)),
    );
  }, [isAdmitted]);
  return (
    <div class="setup">
      <main class="setup-main">
        <img class="setup-mark" src="/shoal.svg" alt="" />
        {!isAdmitted ? (
          <div class="stack">
            <h1>{SETUP.locked}</h1>
            <p class="soft">{SETUP.lockedHint}</p>
          </div>
        ) : failure.value !== '' ? (
          <Notice kind="bad">{failure.value}</Notice>
        ) : wizard.value === null ? (
          <Spinner />
        ) : (
          <Steps wizard={wizard.value} />
        )}
      </main>
      <footer class="setup-foot">
        <span>
          {STRINGS.product} {session.value?.version}
        </span>
        <ThemeButton />
      </footer>
    </div>
  );
}

function Steps({ wizard }: { readonly wizard: Wizard }) {
  const step = wizard.step.value;
  return (
    <div class="stack setup-step" key={step.at}>
      {step.at === 'choose' ? null : <StepBar step={step} />}
      {wizard.failure.value === '' ? null : <Notice kind="bad">{wizard.failure.value}</Notice>}
      <StepBody wizard={wizard} step={step} />
    </div>
  );
}

function StepBody({ wizard, step }: { readonly wizard: Wizard; readonly step: Step }) {
  switch (step.at) {
    case 'choose':
      return <Choose wizard={wizard} />;
    case 'machine':
      return <MachineForm wizard={wizard} kind={step.kind} />;
    case 'user':
      return <UserForm wizard={wizard} />;
    case 'working':
      return (
        <div class="setup-working">
          <Spinner label={step.text} />
          <h1>{step.text}</h1>
          <p class="soft">{SETUP.startingHint}</p>
        </div>
      );
    case 'stuck':
      return <Notice kind="bad">{SETUP.notUp}</Notice>;
    case 'who':
      return <WhoForm wizard={wizard} network={step.network} users={step.users} />;
    case 'kit':
      return <KitStep user={step.user} passphrase={step.passphrase} session={step.session} />;
  }
}

const PLACES = { choose: -1, machine: 0, user: 1, who: 1, kit: 2, working: 1, stuck: 1 } as const;

function StepBar({ step }: { readonly step: Step }) {
  const now = PLACES[step.at];
  const names = [SETUP.steps.machine, SETUP.steps.user, SETUP.steps.kit];
  return (
    <ol class="setup-steps" aria-label={SETUP.stepsLabel}>
      {names.map((name, index) => (
        <li
          key={name}
          class={index < now ? 'setup-done' : index === now ? 'setup-now' : ''}
          aria-current={index === now ? 'step' : undefined}
        >
          <span aria-hidden="true">{index + 1}</span>
          {name}
        </li>
      ))}
    </ol>
  );
}
