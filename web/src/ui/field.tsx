import type { ComponentChildren, InputHTMLAttributes, Ref } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password' | 'search' | 'number';
  readonly hint?: ComponentChildren;
  /** What is wrong with the value; empty when nothing is. */
  readonly error?: string;
  readonly autoComplete?: InputHTMLAttributes['autoComplete'];
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly inputRef?: Ref<HTMLInputElement>;
  /** Beside the input: a button, a unit. */
  readonly children?: ComponentChildren;
}

/** A labelled line of text, with its hint and its error. */
export function Field(props: FieldProps) {
  const { label, value, onInput, type = 'text', hint, error = '', children } = props;
  const id = useId();
  const described = [hint === undefined ? '' : `${id}-hint`, error === '' ? '' : `${id}-error`].join(' ').trim();
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      <div class="field-line">
        <input
          id={id}
          class="input grow"
          {...typeOf(type)}
          value={value}
          required={props.required ?? false}
          disabled={props.disabled ?? false}
          autoComplete={props.autoComplete ?? 'off'}
          autoCapitalize="off"
          spellcheck={false}
          aria-invalid={error === '' ? undefined : true}
          aria-describedby={described === '' ? undefined : described}
          ref={props.inputRef ?? null}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        {children}
      </div>
      {hint === undefined ? null : (
        <div class="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error === '' ? null : (
        <div class="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      )}
    </div>
  );
}

/** Preact's types want one literal here, for each type of input has roles of its own. */
function typeOf(type: NonNullable<FieldProps['type']>): { readonly type: 'text' } {
  return { type } as { readonly type: 'text' };
}

interface SwitchProps {
  readonly label: string;
  readonly on: boolean;
  readonly disabled?: boolean;
  readonly onChange: (on: boolean) => void;
}

export function Switch({ label, on, disabled = false, onChange }: SwitchProps) {
  return (
    <button
      class="switch"
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      disabled={disabled}
      onClick={() => onChange(!on)}
    />
  );
}

interface TabsProps<T extends string> {
  /** What is chosen between. */
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Choice<T extends string>({ label, options, value, onChange }: TabsProps<T>) {
  return (
    <div class="tabs" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
