import type { FastifyInstance } from 'fastify';

/** Of the UI: its own files and nothing else. It frames previews of PDF files, shows blobs, and is framed by nobody. */
export const UI_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self' blob:",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Of answers of the API, should a browser ever show one as a page. */
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Headers of every answer, unless its route sets one itself. @param more beside those of any page */
export function setHeaders(server: FastifyInstance, policy: string, more: Readonly<Record<string, string>> = {}): void {
  server.addHook('onRequest', async (_request, reply) => {
    void reply.headers({
      'content-security-policy': policy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      ...more,
    });
  });
}
