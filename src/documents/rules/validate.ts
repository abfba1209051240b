/** A document as CouchDB hands it to a validation: `_id`, `_rev`, `_revisions`, `_deleted`, `_attachments` and the fields. */
export interface ValidatedDocument {
  readonly _id: string;
  readonly _deleted?: unknown;
  readonly _attachments?: unknown;
  readonly [field: string]: unknown;
}

export interface UserContext {
  /** The database that is written. */
  readonly db: string;
  readonly name: string | null;
  readonly roles: readonly string[];
}

interface Rule {
  readonly type: string;
  /** A regular expression. */
  readonly id: string;
  /** Who may replace or delete the document. Absent: nobody ever changes it. */
  readonly writer?: 'authority' | 'itself' | 'member';
}

/** What `validate` throws: CouchDB answers 403 and 401. */
export type Refusal = { readonly forbidden: string } | { readonly unauthorized: string };

/**
 * Whether a document may be written: the one policy, for a real CouchDB (as text in `_design/shoal`), for the embedded one
 * and for what a peer pulls. It stands alone and is ECMAScript 5, because SpiderMonkey 1.8.5, which CouchDB 3 may run it
 * in, knows nothing later. It judges structure and immutability; signatures are checked by whoever reads.
 *
 * `oldDoc` is the nearest stored ancestor of the new revision, which is null for the first of another branch, and for a
 * document that this database lacks. So a member may bring what a database lost, whoever wrote it, and nobody but its
 * writer may put something in its place.
 *
 * @throws Refusal
 */
export function validate(newDoc: ValidatedDocument, oldDoc: ValidatedDocument | null, userCtx: UserContext): void {
  // 64 KiB of JSON: MAX_DOCUMENT_BYTES.
  var MAX_BYTES = 65536;
  // A stripe's placement has three levels. Deeper ones exhaust the stack of whoever walks them.
  var MAX_DEPTH = 16;
  // One that CouchDB reads as it is written: other cases of 32 letters it changes or refuses, with all that comes with it.
  var REVISION = /^[1-9][0-9]{0,8}-[0-9a-f]{32}$/;
  // Half of a pair, which JSON can say and Unicode text cannot: CouchDB refuses a whole batch for it.
  var HALF_PAIR = /[\ud800-\udbff](?![\udc00-\udfff])|(?:[^\ud800-\udbff]|^)[\udc00-\udfff]/;
  var HASH = '[0-9a-f]{64}';
  var KINDS = {
    network: [
      { type: 'network', id: '^network$', writer: 'authority' },
      { type: 'peer', id: '^peer-' + HASH + '$', writer: 'itself' },
      { type: 'peer-state', id: '^peer-state-' + HASH + '$', writer: 'authority' },
      { type: 'user', id: '^user-' + HASH + '$', writer: 'member' },
      { type: 'home', id: '^home-' + HASH + '-' + HASH + '$', writer: 'member' },
    ] as readonly Rule[],
    stripes: [
      { type: 'stripe', id: '^stripe-' + HASH + '$' },
      { type: 'move', id: '^move-' + HASH + '-' + HASH + '$' },
    ] as readonly Rule[],
    user: [
      { type: 'change', id: '^change-' + HASH + '$' },
      { type: 'extents', id: '^extents-' + HASH + '$' },
      { type: 'state', id: '^state-' + HASH + '$' },
    ] as readonly Rule[],
  };

  function forbid(reason: string): never {
    throw { forbidden: reason };
  }

  function hasRole(role: string): boolean {
    return userCtx.roles.indexOf(role) >= 0;
  }

  function ownerOf(database: string): string | null {
    var parts = new RegExp('^user-(' + HASH + ')-[1-9][0-9]{0,9}$').exec(database);
    return parts === null ? null : String(parts[1]);
  }

  function kindOf(database: string): 'network' | 'stripes' | 'user' {
    if (database === 'network' || database === 'stripes') return database;
    return ownerOf(database) === null ? forbid('This database is not one of Shoal.') : 'user';
  }

  /** CouchDB's own fields begin with an underscore. */
  function ownFields(document: object): string[] {
    var fields: string[] = [];
    for (var name in document) {
      if (Object.prototype.hasOwnProperty.call(document, name) && name.charAt(0) !== '_') fields.push(name);
    }
    return fields.sort();
  }

  function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === 'object' && value !== null;
  }

  function checkText(text: string): void {
    if (HALF_PAIR.test(text)) forbid('A document is text that Unicode can express.');
  }

  function checkValue(value: unknown, depth: number): void {
    if (typeof value === 'string') checkText(value);
    if (!isObject(value)) return;
    if (depth > MAX_DEPTH) forbid('A document is nested at most ' + String(MAX_DEPTH) + ' deep.');
    for (var name in value) {
      checkText(name);
      checkValue(value[name], depth + 1);
    }
  }

  function bytesOf(text: string): number {
    // Each UTF-16 unit is at most three bytes, and nearly all documents are far below.
    if (text.length * 3 <= MAX_BYTES) return text.length;
    return encodeURIComponent(text).replace(/%../g, '%').length;
  }

  function checkSize(document: ValidatedDocument): void {
    var counted: Record<string, unknown> = {};
    ownFields(document).forEach(function (name) {
      checkText(name);
      checkValue(document[name], 1);
      counted[name] = document[name];
    });
    if (bytesOf(JSON.stringify(counted)) > MAX_BYTES) forbid('A document has at most ' + String(MAX_BYTES) + ' bytes.');
  }

  function checkRevision(): void {
    var rev = newDoc['_rev'];
    var history = newDoc['_revisions'];
    var ids: unknown = isObject(history) ? history['ids'] : [];
    var isKnown = Array.isArray(ids) && ids.every(isHash);
    if (!isKnown || (rev !== undefined && !(typeof rev === 'string' && REVISION.test(rev)))) {
      forbid('A revision is a number and 32 hexadecimal digits.');
    }
  }

  function isHash(hash: unknown): boolean {
    return typeof hash === 'string' && /^[0-9a-f]{32}$/.test(hash);
  }

  function classOf(value: unknown): string {
    return Object.prototype.toString.call(value);
  }

  function isSame(a: unknown, b: unknown): boolean {
    if (a === b) return true;
    if (!isObject(a) || !isObject(b)) return false;
    var names = Object.keys(a);
    if (classOf(a) !== classOf(b) || names.length !== Object.keys(b).length) return false;
    return names.every(function (name) {
      return Object.prototype.hasOwnProperty.call(b, name) && isSame(a[name], b[name]);
    });
  }

  function hasSameFields(a: ValidatedDocument, b: ValidatedDocument): boolean {
    var names = ownFields(a);
    if (names.join('\n') !== ownFields(b).join('\n')) return false;
    return names.every(function (name) {
      return isSame(a[name], b[name]);
    });
  }

  /** By its id, since a tombstone need not say its type. */
  function ruleOf(rules: readonly Rule[], id: string): Rule {
    var found = rules.filter(function (rule) {
      return new RegExp(rule.id).test(id);
    })[0];
    return found === undefined ? forbid('This database has no documents of that name.') : found;
  }

  function checkWriter(): void {
    if (rule.writer === 'member' || hasRole('shoal-authority')) return;
    if (rule.writer === 'itself' && userCtx.name === newDoc._id) return;
    forbid('Only its writer or the network authority may change or delete this document.');
  }

  function checkTombstone(): void {
    if (rule.writer !== undefined) return;
    if (kind !== 'stripes') forbid('A document of a catalog is never deleted.');
    if (typeof newDoc['forgotten'] !== 'string' || newDoc['forgotten'] === '') {
      forbid('A stripe is deleted only with the signed order of its owner in the field forgotten.');
    }
  }

  function checkLive(): void {
    if (newDoc['type'] !== rule.type) forbid('The type of a document has to agree with its id.');
    var format = newDoc['format'];
    if (typeof format !== 'number' || format % 1 !== 0 || format < 1 || format > 4294967295) {
      forbid('A document says its format, a whole number from 1.');
    }
    var owner = ownerOf(userCtx.db);
    if (owner !== null && newDoc['user'] !== owner) forbid('A catalog holds documents of its own user only.');
    if (rule.writer === undefined && oldDoc !== null && oldDoc._deleted !== true && !hasSameFields(newDoc, oldDoc)) {
      forbid('This document never changes.');
    }
  }

  if (!hasRole('shoal-peer') && !hasRole('shoal-authority')) {
    throw { unauthorized: 'Only peers of this network may write.' };
  }
  if (newDoc._id.charAt(0) === '_') forbid('Only the host writes its own documents.');
  var kind = kindOf(userCtx.db);
  var rule = ruleOf(KINDS[kind], newDoc._id);
  if (newDoc._attachments !== undefined) forbid('A document has no attachments.');
  checkRevision();
  checkSize(newDoc);
  if (oldDoc !== null && oldDoc._deleted !== true && rule.writer !== undefined) checkWriter();
  if (newDoc._deleted === true) checkTombstone();
  else checkLive();
}
