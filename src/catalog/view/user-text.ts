import type { ChangeText } from './change.js';
import type { ChangeStamp } from './stamp.js';
import type { StateText } from './state.js';

/** A change document, verified and read. */
export interface ReadChange {
  /** Of this document; a change that was sealed again has another in its stamp. */
  readonly hash: string;
  readonly text: ChangeText;
  readonly stamp: ChangeStamp;
}

/** A state document, verified and read. */
export interface ReadState {
  readonly hash: string;
  readonly counter: number;
  readonly text: StateText;
}
