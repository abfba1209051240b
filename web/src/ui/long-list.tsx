import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { visibleRows } from './visible-rows.js';

interface LongListProps {
  readonly count: number;
  /** Of every row, in CSS pixels. */
  readonly rowHeight: number;
  /** Of the element around the rows: `rowgroup` in a grid, `list` … */
  readonly role?: 'rowgroup' | 'list' | 'presentation';
  readonly row: (index: number) => ComponentChildren;
}

/** Rows that scroll with the page, of which only those that are seen exist. */
export function LongList({ count, rowHeight, role = 'presentation', row }: LongListProps) {
  const element = useRef<HTMLDivElement>(null);
  const range = useSignal({ from: 0, to: Math.min(count, 40) });
  const measure = () => {
    const top = element.current?.getBoundingClientRect().top ?? 0;
    const next = visibleRows({ top, height: innerHeight, rowHeight, count });
    if (next.from !== range.peek().from || next.to !== range.peek().to) range.value = next;
  };
  useLayoutEffect(measure, [count, rowHeight]);
  useEffect(() => {
    addEventListener('scroll', measure, { passive: true, capture: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure, { capture: true });
      removeEventListener('resize', measure);
    };
  }, [count, rowHeight]);
  const to = Math.min(range.value.to, count);
  const from = Math.min(range.value.from, to);
  return (
    <div
      class="long-list"
      role={role}
      ref={element}
      style={{ paddingTop: `${String(from * rowHeight)}px`, paddingBottom: `${String((count - to) * rowHeight)}px` }}
    >
      {Array.from({ length: to - from }, (_, offset) => row(from + offset))}
    </div>
  );
}
