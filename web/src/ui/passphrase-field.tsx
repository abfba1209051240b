import { useSignal } from '@preact/signals';
import { STRINGS } from '../strings.js';
import { IconButton } from './button.js';
import { Field } from './field.js';

interface PassphraseFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** new-password where one is chosen: so password managers know. */
  readonly purpose: 'current-password' | 'new-password';
  readonly hint?: string;
  readonly error?: string;
}

export function PassphraseField({ purpose, ...field }: PassphraseFieldProps) {
  const shown = useSignal(false);
  return (
    <Field {...field} type={shown.value ? 'text' : 'password'} autoComplete={purpose} required>
      <IconButton
        icon={shown.value ? 'eyeOff' : 'eye'}
        label={shown.value ? STRINGS.signIn.hide : STRINGS.signIn.show}
        onClick={() => {
          shown.value = !shown.value;
        }}
      />
    </Field>
  );
}
