// Before the first paint, so that a chosen theme does not flash in the other one. src/theme.ts writes the choice.
try {
  const theme = localStorage.getItem('shoal.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.setAttribute('data-theme', theme);
} catch {
  // Storage may be switched off; then the system's theme it is.
}
