import type { ComponentChildren } from 'preact';

interface SectionProps {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One subject: what it is about on the left, what can be done on the right. */
export function Section({ title, lead, children }: SectionProps) {
  return (
    <section class="card settings-section" aria-label={title}>
      <div class="settings-about">
        <h2>{title}</h2>
        {lead === undefined ? null : <p class="soft small">{lead}</p>}
      </div>
      <div class="stack settings-body">{children}</div>
    </section>
  );
}
