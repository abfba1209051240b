import type { View } from '../../src/catalog/view/view.js';
import { isFolder, type ViewNode, type ViewVersion } from '../../src/catalog/view/view-node.js';

/** Everything that a user could see of a view, the trash behind the rest. */
export function shown(view: View): string[] {
  const { root, trash } = view.tree;
  return [...linesOf(view, root, '', nameOf), ...linesOf(view, trash, '(trash)', nameOf)];
}

/** As `shown`, with the stripes of each version, and what refers to places of before. */
export function shownWithPlaces(view: View): string[] {
  const { root, trash, moved } = view.tree;
  const nameWithPlaces = (version: ViewVersion): string => `${nameOf(version)} ${view.stripes(version).join('+')}`;
  return [
    ...linesOf(view, root, '', nameWithPlaces),
    ...linesOf(view, trash, '(trash)', nameWithPlaces),
    ...linesOf(view, moved, '(moved)', nameWithPlaces),
  ];
}

function nameOf({ id, createdMs }: ViewVersion): string {
  return `${id}@${String(createdMs)}`;
}

function linesOf(view: View, top: ViewNode, above: string, versionText: (version: ViewVersion) => string): string[] {
  const lines: string[] = [];
  const walk = (folder: ViewNode, path: string): void => {
    const children = [...view.tree.children(folder)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, node] of children) {
      const at = `${path}/${name}`;
      const versions = node.versions.map(versionText).join();
      lines.push([isFolder(node) ? 'folder' : 'file', at, versions, node.trashedFrom ?? ''].join(' '));
      walk(node, at);
    }
  };
  walk(top, above);
  return lines;
}
