/** While it is asked for, nobody begins to work with files: healing gives way to transfers, and some damage takes long under load. */
export interface Calm {
  asked: boolean;
}
