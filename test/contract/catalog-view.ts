import type { View } from '../../src/catalog/view/view.js';
import { isFolder, type ViewNode } from '../../src/catalog/view/view-node.js';

/** Everything that a user could see of a view, and where it lies; behind it the trash, and what was moved. */
export function shown(view: View): string[] {
  const { tree } = view;
  const lines: string[] = [];
  const walk = (folder: ViewNode, path: string): void => {
    const children = [...tree.children(folder)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, node] of children) {
      const at = `${path}/${name}`;
      const versions = node.versions.map((version) => {
        return `${version.id}@${String(version.createdMs)}${view.stripes(version).join('+')}`;
      });
      lines.push([isFolder(node) ? 'folder' : 'file', at, versions.join(), node.trashedFrom ?? ''].join(' '));
      walk(node, at);
    }
  };
  walk(tree.root, '');
  walk(tree.trash, '(trash)');
  walk(tree.moved, '(moved)');
  return lines;
}
