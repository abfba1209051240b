import type { Catalog } from '../../catalog/catalog.js';
import type { OwnerLookup } from '../../wire/get-owner.js';

/** What this peer tells others of users: the documents of those that its catalog knows. */
export function knownOwners(catalog: Pick<Catalog, 'users' | 'exportUser'>): OwnerLookup {
  return async (asked) => {
    const users = await catalog.users();
    const found = users.find(({ id, name }) => ('owner' in asked ? id === asked.owner : name === asked.name));
    return found === undefined ? [] : [await catalog.exportUser(found.name)];
  };
}
