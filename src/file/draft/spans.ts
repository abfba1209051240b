import type { PartSpan } from '../../store/draft-journal.js';

/** Up to where a file is there from its beginning on. @param spans ascending, apart from each other */
export function contiguousBytes(spans: readonly PartSpan[]): number {
  let end = 0;
  for (const { fileOffset, bytes } of spans) {
    if (fileOffset !== end) break;
    end += bytes;
  }
  return end;
}

/** What is missing of a file. @param spans ascending, apart from each other */
export function gapsOf(spans: readonly PartSpan[], fileBytes: number): PartSpan[] {
  const gaps: PartSpan[] = [];
  let end = 0;
  for (const { fileOffset, bytes } of [...spans, { fileOffset: fileBytes, bytes: 0 }]) {
    if (fileOffset > end) gaps.push({ fileOffset: end, bytes: fileOffset - end });
    end = fileOffset + bytes;
  }
  return gaps;
}

/** Spans that a file of this size can have: ascending, without overlap, within it. */
export function areSound(spans: readonly PartSpan[], fileBytes: number): boolean {
  let end = 0;
  for (const { fileOffset, bytes } of spans) {
    if (fileOffset < end || bytes <= 0) return false;
    end = fileOffset + bytes;
  }
  return end <= fileBytes;
}

/** A gap in pieces of at most so many bytes. */
export function* cut({ fileOffset, bytes }: PartSpan, pieceBytes: number): Generator<PartSpan> {
  for (let at = 0; at < bytes; at += pieceBytes) {
    yield { fileOffset: fileOffset + at, bytes: Math.min(pieceBytes, bytes - at) };
  }
}
