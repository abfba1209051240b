import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.js';

export type NoticeKind = 'plain' | 'good' | 'warn' | 'bad';

const ICONS: Readonly<Record<NoticeKind, IconName>> = { plain: 'shield', good: 'check', warn: 'alert', bad: 'alert' };

/** A sentence that matters. A bad one is read out at once. */
export function Notice({ kind, children }: { readonly kind: NoticeKind; readonly children: ComponentChildren }) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      <Icon name={ICONS[kind]} />
      <div class="grow">{children}</div>
    </div>
  );
}

export function Badge({
  kind = 'plain',
  children,
}: {
  readonly kind?: NoticeKind;
  readonly children: ComponentChildren;
}) {
  return <span class={`badge badge-${kind}`}>{children}</span>;
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Where there is nothing to show: what would be here, and how to get it here. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
