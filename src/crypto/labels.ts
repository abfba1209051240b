/**
 * Every context string of Shoal's key derivations, signatures and bindings, in one place: no two uses share one, so no
 * output of one use ever serves another. The number ends a label's meaning; a changed format takes a new number.
 * docs/spec/1-sealing.md
 */

/** HKDF `info` prefixes. */
export const DERIVE = {
  /** extent key → block key ‖ commitment */
  extent: 'shoal/extent/1',
  /** passphrase key → wrapping key ‖ commitment */
  wrap: 'shoal/wrap/1',
  /** words of a recovery kit → wrapping key ‖ commitment */
  kit: 'shoal/kit/1',
  /** root key → … */
  catalog: 'shoal/root/catalog/1',
  directory: 'shoal/root/directory/1',
  signing: 'shoal/root/signing/1',
  sharing: 'shoal/root/sharing/1',
  /** … and the key that seals the root keys before it */
  former: 'shoal/root/former/1',
  /** directory key and a stripe's salt → the extent key of that stripe's directory */
  stripeDirectory: 'shoal/stripe-directory/1',
  /** the same, with the salt of a draft → the key of that draft's journal */
  draft: 'shoal/draft/1',
  /** catalog key and a document's salt → the key of that document */
  document: 'shoal/document/1',
  /** catalog key and what is sealed again → the salt of its document */
  reseal: 'shoal/reseal/1',
  /** catalog key, parent and name → the id of a folder */
  folder: 'shoal/folder/1',
} as const;

/** Prefix of the hash that is a user id. */
export const USER_ID_LABEL = 'shoal/user/1';

/** Prefix of the hash by which an issuer knows the secret of an invitation. */
export const INVITATION_LABEL = 'shoal/invitation/1';

/** Prefix of the hash that a token ends with a part of. */
export const TOKEN_LABEL = 'shoal/token/1';

/** What a signature is for → the context that is signed with it. */
export const SIGNATURE_CONTEXTS = {
  label: 'shoal/label/1',
  grant: 'shoal/grant/1',
  delete: 'shoal/delete/1',
  inventory: 'shoal/inventory/1',
  change: 'shoal/change/1',
  receipt: 'shoal/receipt/1',
  userDocument: 'shoal/user-document/1',
  network: 'shoal/network/1',
  peer: 'shoal/peer/1',
  peerState: 'shoal/peer-state/1',
  home: 'shoal/home/1',
  forget: 'shoal/forget/1',
  succession: 'shoal/succession/1',
} as const;

export type SignaturePurpose = keyof typeof SIGNATURE_CONTEXTS;
