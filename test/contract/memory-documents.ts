import type { Document, DocumentDatabase, Listed } from '../../src/documents/document-database.js';

/** A document database for tests: everything in sight, nothing on disk. */
export class MemoryDocuments implements DocumentDatabase {
  readonly documents = new Map<string, Document>();

  async get(id: string): Promise<Document | undefined> {
    return this.documents.get(id);
  }

  async *list(prefix: string): AsyncIterable<readonly Listed[]> {
    const ids = [...this.documents.keys()].filter((id) => id.startsWith(prefix)).sort();
    yield ids.map((id) => ({ id, document: this.documents.get(id) }));
  }

  async put(documents: readonly Document[]): Promise<void> {
    for (const document of documents) this.documents.set(document._id, document);
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.documents.delete(id);
  }

  async close(): Promise<void> {
    // nothing is open
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
