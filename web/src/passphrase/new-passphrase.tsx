import { useSignal } from '@preact/signals';
import { STRINGS } from '../strings.js';
import { PASSPHRASE } from '../strings-passphrase.js';
import { Button } from '../ui/button.js';
import { PassphraseField } from '../ui/passphrase-field.js';
import { sayFailure } from '../ui/toast.js';
import { LEAST_LEVEL, strengthOf } from './strength.js';
import { suggestPassphrase } from './suggest.js';
import './passphrase.css';

/** A passphrase that is being chosen. */
export interface Draft {
  readonly value: string;
  /** Typed once more, since nobody sees it. */
  readonly again: string;
}

export const NO_DRAFT: Draft = { value: '', again: '' };

/** @param known words that an attacker tries first, as the user's name */
export function isAcceptable({ value, again }: Draft, known: readonly string[]): boolean {
  return value === again && strengthOf(value, known).level >= LEAST_LEVEL;
}

interface NewPassphraseProps {
  readonly label: string;
  readonly draft: Draft;
  readonly known: readonly string[];
  readonly onChange: (draft: Draft) => void;
}

/** Two fields and how strong what is in them is; and a proposal for whoever has no idea. */
export function NewPassphrase({ label, draft, known, onChange }: NewPassphraseProps) {
  const differ = draft.again !== '' && !draft.value.startsWith(draft.again) && draft.again !== draft.value;
  return (
    <div class="stack">
      <div class="stack passphrase-new">
        <PassphraseField
          label={label}
          value={draft.value}
          onInput={(value) => onChange({ ...draft, value })}
          purpose="new-password"
        />
        <Meter passphrase={draft.value} known={known} />
      </div>
      <PassphraseField
        label={PASSPHRASE.again}
        value={draft.again}
        onInput={(again) => onChange({ ...draft, again })}
        purpose="new-password"
        error={differ ? PASSPHRASE.differ : ''}
      />
      <Suggestion onUse={(value) => onChange({ value, again: value })} />
    </div>
  );
}

function Meter({ passphrase, known }: { readonly passphrase: string; readonly known: readonly string[] }) {
  const { level, weakness } = strengthOf(passphrase, known);
  const words = passphrase === '' ? '' : PASSPHRASE.levels[level];
  return (
    <div class="stack strength">
      <div
        class={`strength-bar strength-${passphrase === '' ? 'none' : String(level)}`}
        role="meter"
        aria-label={PASSPHRASE.strength}
        aria-valuemin={0}
        aria-valuemax={4}
        aria-valuenow={level}
        aria-valuetext={words}
      >
        <i />
        <i />
        <i />
        <i />
      </div>
      <p class="field-hint strength-words" aria-live="polite">
        <strong>{words}</strong> {weakness === null ? '' : PASSPHRASE.weaknesses[weakness]}
      </p>
    </div>
  );
}

function Suggestion({ onUse }: { readonly onUse: (passphrase: string) => void }) {
  const words = useSignal('');
  const suggest = () => {
    suggestPassphrase().then((found) => {
      words.value = found;
    }, sayFailure);
  };
  if (words.value === '') {
    return (
      <div class="row">
        <Button kind="quiet" icon="key" onClick={suggest}>
          {PASSPHRASE.suggest}
        </Button>
      </div>
    );
  }
  return (
    <div class="suggestion stack">
      <p class="small">{PASSPHRASE.suggestion}</p>
      <output class="suggestion-words">{words.value}</output>
      <div class="row">
        <Button
          onClick={() => {
            onUse(words.value);
            words.value = '';
          }}
        >
          {PASSPHRASE.useIt}
        </Button>
        <Button kind="quiet" onClick={suggest}>
          {STRINGS.retry}
        </Button>
      </div>
    </div>
  );
}
