import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface PackageFacts {
  /** The folder of package.json: a clone, or the installed package. */
  readonly folder: string;
  readonly version: string;
}

/** Looks in every folder above this file, wherever it was built to. */
export function findPackage(): PackageFacts {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (folder !== dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'shoal' && typeof version === 'string') return { folder, version };
    } catch {
      // no package.json here: look one folder up
    }
    folder = dirname(folder);
  }
  return { folder, version: 'unknown' };
}
