import { encode } from 'uqr';

/** Free modules around a code; readers want four, and the white card around it is as much again. */
const BORDER = 2;

/** Dark on white in any theme: few readers take it the other way round. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  // Capitals, digits and a dash have a mode of their own, which makes the code a third smaller.
  const { data, size } = encode(text.toUpperCase(), { ecc: 'L', border: BORDER });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${String(x)} ${String(y)}h1v1h-1z` : '')))
    .join('');
  return (
    <svg class="qr" viewBox={`0 0 ${String(size)} ${String(size)}`} role="img" aria-label={label}>
      <path d={path} shape-rendering="crispEdges" />
    </svg>
  );
}
