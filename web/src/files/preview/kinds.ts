import { endingOf } from '../paths.js';

export type PreviewKind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'none';

/** What the gateway shows inline, and text, of which only the characters are shown. */
const ENDINGS: Readonly<Record<Exclude<PreviewKind, 'none'>, string>> = {
  image: 'png jpg jpeg gif webp avif',
  video: 'mp4 m4v webm ogv',
  audio: 'mp3 ogg oga opus wav flac m4a',
  pdf: 'pdf',
  text:
    'txt md markdown log csv tsv json jsonl ndjson xml yaml yml toml ini conf cfg env html htm svg css js mjs cjs ts tsx jsx ' +
    'py rb rs go c h cc cpp hpp java kt swift php pl lua sh bash zsh fish sql tex bib srt vtt diff patch gitignore dockerfile makefile',
};

const KINDS = new Map(
  Object.entries(ENDINGS).flatMap(([kind, endings]) =>
    endings.split(' ').map((e) => [e, kind as PreviewKind] as const),
  ),
);

/** By the ending of the name: the bytes are sealed, and nobody else looks at them. */
export function previewKind(path: string): PreviewKind {
  return KINDS.get(endingOf(path)) ?? 'none';
}
