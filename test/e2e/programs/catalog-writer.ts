import { openDocuments } from '../../../src/documents/level-documents.js';
import { openUserCatalog, sampleUser } from '../../contract/catalog-users.js';
import { sampleVersion } from '../../contract/catalog-samples.js';
import { SeededNumbers } from './seeded.js';

/**
 * catalog-writer DIRECTORY ROOT_KEY SEED: commits and removes folders of files until it is killed, two at once, and says so
 * before and after: "commit FOLDER FILES", "committed FOLDER", "remove FOLDER", "removed FOLDER".
 */
const [, , directory = '', rootKey = '', seed = ''] = process.argv;
const user = sampleUser(Buffer.from(rootKey, 'hex'));
const catalog = await openUserCatalog(user, await openDocuments(directory, 'user'));

function say(...words: (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

async function write(lane: string): Promise<void> {
  const numbers = new SeededNumbers(`${seed} ${lane}`);
  for (let turn = 0; ; turn++) {
    const folder = `/${seed}-${lane}-${String(turn)}`;
    // One in eight needs several documents.
    const files = numbers.below(8) === 0 ? 700 : 1 + numbers.below(30);
    say('commit', folder, files);
    await catalog.commit(Array.from({ length: files }, (_, index) => sampleVersion(`${folder}/${String(index)}`)));
    say('committed', folder);
    if (numbers.below(4) > 0) continue;
    say('remove', folder);
    await catalog.remove(folder, { recursive: true, forever: true });
    say('removed', folder);
  }
}

say('open');
await Promise.all([write('a'), write('b')]);
