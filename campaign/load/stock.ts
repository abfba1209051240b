/**
 * Bytes that the load has peers keep, as far as is known: files with their older versions, and the trash. The disk is bounded,
 * and what is removed for ever makes room; what nobody knows of is counted as kept.
 */
export class Stock {
  readonly #maxBytes: number;
  readonly #files = new Map<string, number>();
  #trashBytes = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Emptying the trash makes room. */
  get hasMuchTrash(): boolean {
    return this.#trashBytes * 4 >= this.#maxBytes;
  }

  put(path: string, bytes: number): void {
    this.#files.set(path, (this.#files.get(path) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  move(from: string, to: string): void {
    this.#files.set(to, this.#take(from));
  }

  trash(path: string): void {
    this.#trashBytes += this.#take(path);
  }

  removeForever(path: string): void {
    this.#bytes -= this.#take(path);
  }

  emptyTrash(): void {
    this.#bytes -= this.#trashBytes;
    this.#trashBytes = 0;
  }

  #take(path: string): number {
    const bytes = this.#files.get(path) ?? 0;
    this.#files.delete(path);
    return bytes;
  }
}
