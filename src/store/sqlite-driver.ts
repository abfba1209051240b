/** What Shoal uses of `DatabaseSync`, which both drivers have. */
export interface NativeStatement {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
}

export interface NativeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NativeStatement;
  close(): void;
}

export type SqlValue = null | number | bigint | string | Uint8Array;

interface Driver {
  readonly DatabaseSync: new (file: string) => NativeDatabase;
}

/** `node:sqlite` where Node has it without a flag (22.13), else the package with the same API. */
export async function openNative(file: string): Promise<NativeDatabase> {
  const builtIn = process.getBuiltinModule('node:sqlite') as Driver | undefined;
  const driver: Driver = builtIn ?? (await import('@photostructure/sqlite'));
  return new driver.DatabaseSync(file);
}
