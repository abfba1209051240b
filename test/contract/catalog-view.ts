import type { View } from '../../src/catalog/view/view.js';
import { isFolder, type ViewNode } from '../../src/catalog/view/view-node.js';

/** Everything that a user could see of a view, the trash behind the rest. */
export function shown(view: View): string[] {
  const { tree } = view;
  const lines: string[] = [];
  const walk = (folder: ViewNode, path: string): void => {
    const children = [...tree.children(folder)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, node] of children) {
      const at = `${path}/${name}`;
      const versions = node.versions.map(({ id, createdMs }) => `${id}@${String(createdMs)}`);
      lines.push([isFolder(node) ? 'folder' : 'file', at, versions.join(), node.trashedFrom ?? ''].join(' '));
      walk(node, at);
    }
  };
  walk(tree.root, '');
  walk(tree.trash, '(trash)');
  return lines;
}
