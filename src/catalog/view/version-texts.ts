import { VERSION_TEXT_PAGE_BYTES } from '../../limits.js';

/** Where an encoded version lies. */
export interface VersionText {
  /** Shared by many. */
  readonly page: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The encoded versions of a view, one behind the other in large pages: a buffer of its own would cost each twice its bytes. */
export class VersionTexts {
  readonly #pages: Uint8Array[] = [];
  #end = 0;

  /** Copies it. */
  keep(text: Uint8Array): VersionText {
    let page = this.#pages.at(-1);
    if (page === undefined || this.#end + text.length > page.length) {
      page = new Uint8Array(Math.max(VERSION_TEXT_PAGE_BYTES, text.length));
      this.#pages.push(page);
      this.#end = 0;
    }
    const start = this.#end;
    page.set(text, start);
    this.#end += text.length;
    return { page, start, end: this.#end };
  }

  /** Overwrites all of them: they hold the keys of files. */
  wipe(): void {
    for (const page of this.#pages) page.fill(0);
  }
}
