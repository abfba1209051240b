import type { ComponentChildren, Ref } from 'preact';
import { Icon, type IconName } from './icon.js';

export type ButtonKind = 'plain' | 'primary' | 'danger' | 'quiet';

interface ButtonProps {
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly onClick?: (event: MouseEvent) => void;
  readonly children: ComponentChildren;
}

export function Button({ kind = 'plain', icon, type = 'button', disabled = false, onClick, children }: ButtonProps) {
  return (
    <button class={`button button-${kind}`} type={type} disabled={disabled} onClick={onClick}>
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  /** What it does: its name for those who do not see it, and its tooltip. */
  readonly label: string;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly tabIndex?: number;
  readonly onClick: (event: MouseEvent) => void;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, disabled = false, pressed, tabIndex, onClick, buttonRef }: IconButtonProps) {
  return (
    <button
      class="button button-quiet button-icon"
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      tabIndex={tabIndex}
      onClick={onClick}
      ref={buttonRef ?? null}
    >
      <Icon name={icon} />
    </button>
  );
}

interface LinkButtonProps {
  readonly href: string;
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  /** The link is a file to keep, not a page to show. */
  readonly download?: boolean;
  readonly children: ComponentChildren;
}

/** Looks like a button, goes somewhere. */
export function LinkButton({ href, kind = 'plain', icon, download = false, children }: LinkButtonProps) {
  return (
    <a class={`button button-${kind}`} href={href} {...(download ? { download: '' } : {})}>
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </a>
  );
}
