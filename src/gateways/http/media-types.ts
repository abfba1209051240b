/**
 * What a browser may show within the pages of Shoal: pictures, sound, films, PDF files and plain text, none of which runs
 * anything there. By the ending of the name; with `nosniff` no browser takes one for something else. Everything else, HTML
 * and SVG before all, is only ever saved to the disk.
 */
const INLINE: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  flac: 'audio/flac',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  m4a: 'audio/mp4',
  m4v: 'video/mp4',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  ogv: 'video/ogg',
  opus: 'audio/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
};

const TEXT: ReadonlySet<string> = new Set(
  [
    'c cc conf cpp cs css csv diff go h hpp ini java js json jsx kt log lua md mjs patch php pl properties ps1 py r rb rs',
    'rst scala sh sql srt swift tex toml ts tsv tsx txt vtt yaml yml',
  ]
    .join(' ')
    .split(' '),
);

/** The type to show a file as; undefined: it is not shown. */
export function inlineType(path: string): string | undefined {
  const ending = /\.([a-z0-9]{1,12})$/.exec(path.toLowerCase())?.[1] ?? '';
  if (TEXT.has(ending)) return 'text/plain; charset=utf-8';
  return Object.hasOwn(INLINE, ending) ? INLINE[ending] : undefined;
}
