import type { Level, Weakness } from './passphrase/strength.js';

const LEVELS: Readonly<Record<Level, string>> = { 0: 'Very weak', 1: 'Weak', 2: 'Fair', 3: 'Good', 4: 'Strong' };

const WEAKNESSES: Readonly<Record<Weakness, string>> = {
  empty: '',
  short: 'Make it longer: four or five unrelated words are easy to remember and hard to guess.',
  common: 'This is among the first that anybody tries.',
  repeated: 'What is repeated adds next to nothing.',
  sequence: 'Keys in a row are tried first.',
  date: 'Dates are quickly tried, all of them.',
  name: 'Names are tried first.',
  more: 'One more unrelated word makes it stronger.',
};

export const PASSPHRASE = {
  next: 'Passphrase',
  nextNew: 'New passphrase',
  again: 'The same once more',
  differ: 'The two differ.',
  strength: 'Strength',
  levels: LEVELS,
  weaknesses: WEAKNESSES,
  suggest: 'Suggest one',
  suggestion: 'Six words by chance. Write them down before you use them:',
  useIt: 'Use this one',
  lost: 'Nobody can reset it, for nobody else has it. A recovery kit on paper is the way back in.',
};

export const KIT = {
  title: 'Shoal recovery kit',
  user: 'User',
  fingerprint: 'Fingerprint',
  network: 'Network',
  made: 'Made',
  lead: 'These words open all files of this user, without the passphrase:',
  use: 'When the passphrase is forgotten, at any machine of the network:',
  useAfter: 'It asks for the words in their order, and for a new passphrase.',
  keep: 'Keep this page on paper, where you keep what must not be lost or seen. Whoever reads it can read your files. A newer kit, or new keys, make it worthless: destroy it then.',
  print: 'Print',
  printed: 'I have it on paper',
  once: 'The words are shown once, and kept nowhere else.',
};
