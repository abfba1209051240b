import { inlineType } from './media-types.js';

export type Disposition = 'inline' | 'attachment';

/**
 * Stored bytes are a stranger's, to the pages of Shoal: in a sandbox they have no origin, run nothing and load nothing. What
 * browsers wrap a picture or a film in, to show it alone, needs the rest.
 */
const POLICY =
  "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
/** Browsers do not show a PDF file in a sandbox. Their viewers keep scripts in it from everything else. */
const PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** How a browser is to treat the bytes of a file. */
export function contentHeaders(path: string, wanted: Disposition): Record<string, string> {
  const shown = wanted === 'inline' ? inlineType(path) : undefined;
  return {
    'content-type': shown ?? 'application/octet-stream',
    'content-disposition': contentDisposition(shown === undefined ? 'attachment' : 'inline', nameOf(path)),
    'content-security-policy': shown === 'application/pdf' ? PDF_POLICY : POLICY,
    'cross-origin-resource-policy': 'same-origin',
    // Plaintext does not lie about in the cache of a browser, where signing out would not reach it.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/** RFC 6266 with the name twice: for old programs, and exactly (RFC 8187). */
export function contentDisposition(disposition: Disposition, name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  // Half a surrogate pair alone becomes U+FFFD on its way through UTF-8.
  const exact = encodeURIComponent(Buffer.from(name).toString()).replace(
    /['()*!]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${disposition}; filename="${plain}"; filename*=UTF-8''${exact}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
