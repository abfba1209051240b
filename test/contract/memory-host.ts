import type { DocumentDatabase, DocumentHost } from '../../src/documents/document-database.js';
import { MemoryDocuments } from './memory-documents.js';

/** Databases for tests: they stay when they are closed, and all who open one see the same. */
export class MemoryHost implements DocumentHost {
  readonly databases = new Map<string, MemoryDocuments>();

  async open(name: string): Promise<DocumentDatabase> {
    const found = this.databases.get(name) ?? new MemoryDocuments();
    this.databases.set(name, found);
    return found;
  }

  async names(): Promise<readonly string[]> {
    return [...this.databases.keys()].sort();
  }

  async drop(name: string): Promise<void> {
    this.databases.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // nothing is open
  }
}
