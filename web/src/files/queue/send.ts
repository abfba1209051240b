import { apiUrl, csrfHeaders, send } from '../../api/client.js';
import { problemOf, unreachable } from '../../api/problem.js';
import type { Sending } from './upload-queue.js';

/** One request is quicker than an upload in parts, and little is lost when it breaks. */
const WHOLE_BYTES = 8 * 1024 * 1024;

/** @throws Problem; the signal's reason */
export async function sendFile(sending: Sending): Promise<void> {
  if (sending.file.size <= WHOLE_BYTES && sending.uploadUrl === null) await sendWhole(sending);
  else await sendInParts(sending);
}

async function sendWhole({ file, path, modified, signal }: Sending): Promise<void> {
  await send('PUT', '/content', {
    ...{ query: { path, modified }, raw: file, signal },
    headers: { 'content-type': 'application/octet-stream' },
  });
}

/** By tus 1.0, as UploadReply (src/gateways/http/api.ts) has it: what the peer has received, it keeps. */
async function sendInParts({ file, path, modified, ...sending }: Sending): Promise<void> {
  const { Upload } = await import('tus-js-client');
  sending.signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(file, {
      // Whole: what the peer answers is relative to it.
      endpoint: new URL(apiUrl('/uploads'), location.href).href,
      uploadUrl: sending.uploadUrl,
      metadata: { path, modified: String(modified), source: `${file.name} ${String(file.size)}` },
      // The queue does both: it tries again, and remembers.
      retryDelays: null,
      storeFingerprintForResuming: false,
      onBeforeRequest: (request) => {
        for (const [name, value] of Object.entries(csrfHeaders())) request.setHeader(name, value);
      },
      onUploadUrlAvailable: () => {
        if (upload.url !== null) sending.onUploadUrl(new URL(upload.url, location.href).pathname);
      },
      onProgress: sending.onProgress,
      onSuccess: () => {
        resolve();
      },
      onError: (error) => {
        reject(problemOfTus(error));
      },
    });
    const stop = () => {
      upload.abort().catch(() => undefined); // It is over in any case.
      reject(sending.signal.reason as Error);
    };
    sending.signal.addEventListener('abort', stop, { once: true });
    upload.start();
  });
}

/** Gives up an upload. Asking how far it is ends what the peer may still be doing for it. @throws Problem */
export async function discardUpload(uploadUrl: string): Promise<void> {
  const path = uploadUrl.slice(uploadUrl.indexOf('/uploads/'));
  const headers = { 'tus-resumable': '1.0.0' };
  await send('HEAD', path, { headers });
  await send('DELETE', path, { headers });
}

interface TusFailure {
  readonly originalResponse?: {
    getStatus(): number;
    getBody(): string;
    getHeader(name: string): string | undefined;
  } | null;
}

function problemOfTus(error: Error & TusFailure): Error {
  const answer = error.originalResponse;
  if (answer === undefined) return error;
  if (answer === null || answer.getStatus() === 0) return unreachable();
  return problemOf(answer.getStatus(), parsed(answer.getBody()), answer.getHeader('retry-after') ?? null);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // problemOf has words for what is not JSON.
  }
}
