import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

/** public/theme.js reads it before the first paint. */
const KEY = 'shoal.theme';

export const theme = signal<Theme>(stored());

/** Chooses a theme for this browser; the page takes it at once. */
export function chooseTheme(next: Theme): void {
  theme.value = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage may be switched off: the choice lasts as long as the page then.
  }
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

/** Keeps <html data-theme> as chosen. */
export function applyTheme(): void {
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme.value;
  });
}
