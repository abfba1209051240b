import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.js';

export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  /** A key that does the same. */
  readonly keys?: string;
  readonly run: () => void;
}

interface OpenMenu {
  readonly label: string;
  readonly items: readonly MenuItem[];
  /** Beside this: the box of a button, or the point of the mouse. */
  readonly at: { readonly x: number; readonly y: number };
  /** Gets the focus back. */
  readonly from: HTMLElement | null;
}

const opened = signal<OpenMenu | null>(null);

/** Opens a menu below a button, or where the mouse is. */
export function openMenu(label: string, items: readonly MenuItem[], at: HTMLElement | MouseEvent): void {
  const from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  const box = at instanceof HTMLElement ? at.getBoundingClientRect() : null;
  const point =
    at instanceof MouseEvent ? { x: at.clientX, y: at.clientY } : { x: box?.right ?? 0, y: box?.bottom ?? 0 };
  opened.value = { label, items, at: point, from };
}

/** Once, at the end of the page. */
export function Menus() {
  const menu = opened.value;
  return menu === null ? null : <Menu key={menu} menu={menu} />;
}

function close(menu: OpenMenu): void {
  if (opened.value === menu) opened.value = null;
  menu.from?.focus();
}

function Menu({ menu }: { readonly menu: OpenMenu }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const area = element.current;
    if (area === null) return;
    area.showPopover();
    const { width, height } = area.getBoundingClientRect();
    area.style.left = `${String(Math.max(8, Math.min(menu.at.x, innerWidth - width - 8)))}px`;
    area.style.top = `${String(Math.max(8, Math.min(menu.at.y, innerHeight - height - 8)))}px`;
    area.querySelector('button')?.focus();
  }, [menu]);
  return (
    <div
      class="menu"
      role="menu"
      aria-label={menu.label}
      popover="auto"
      ref={element}
      onKeyDown={(event) => moveFocus(event, menu)}
      onToggle={(event) => {
        if (event.newState === 'closed' && opened.value === menu) opened.value = null;
      }}
    >
      {menu.items.map((item) => (
        <button
          class={item.danger === true ? 'menu-item menu-item-danger' : 'menu-item'}
          role="menuitem"
          type="button"
          tabIndex={-1}
          key={item.label}
          onClick={() => {
            close(menu);
            item.run();
          }}
        >
          <Icon name={item.icon} />
          {item.label}
          {item.keys === undefined ? null : <kbd>{item.keys}</kbd>}
        </button>
      ))}
    </div>
  );
}

/** https://www.w3.org/WAI/ARIA/apg/patterns/menubar/: arrows go round, Home and End, Tab and Escape leave. */
function moveFocus(event: KeyboardEvent, menu: OpenMenu): void {
  event.stopPropagation();
  const area = event.currentTarget as HTMLElement;
  const items = [...area.querySelectorAll('button')];
  const now = items.findIndex((item) => item === document.activeElement);
  const next = new Map([
    ['ArrowDown', (now + 1) % items.length],
    ['ArrowUp', (now + items.length - 1) % items.length],
    ['Home', 0],
    ['End', items.length - 1],
  ]).get(event.key);
  if (next !== undefined) items[next]?.focus();
  else if (event.key === 'Tab' || event.key === 'Escape') close(menu);
  else return;
  event.preventDefault();
}
