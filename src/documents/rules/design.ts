import { validate } from './validate.js';

/** The id of the one design document that a Shoal database has. */
export const DESIGN_ID = '_design/shoal';

/** `validate` as CouchDB's query server takes it: the text of a function without a name. */
export function validationText(): string {
  return String(validate).replace(/^function validate\(/, 'function (');
}

/** The fields of `_design/shoal`. */
export function designFields(): { readonly language: 'javascript'; readonly validate_doc_update: string } {
  return { language: 'javascript', validate_doc_update: validationText() };
}
